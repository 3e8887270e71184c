/**
 * Results that another tool wrote, as a further axis. Every file of `readers/` reads those of one tool, its file name is its
 * id. A reader trusts nothing in a file: what does not fit is left out and named.
 */

export interface SampleResult {
  /** Samples of one group rise and fall together; null where each stands alone. */
  group: string | null;
  /** One for each time that it was tried. Units: fractions in [0, 1]. */
  scores: number[];
}

export interface TaskResults {
  task: string;
  /** Of the task, where the tool keeps one: results of two versions are not compared. */
  version: string | null;
  metric: string;
  /** By what tells a sample from others, its content where that is known. */
  samples: Map<string, SampleResult>;
}

export interface ReadResults {
  tasks: TaskResults[];
  rejected: { where: string; reason: string }[];
}

export interface ResultReader {
  /** What it reads, in one sentence for people. */
  summary: string;
  /** Whether a file or a folder holds results of the tool. Contract: throws nothing. */
  detects(path: string): Promise<boolean>;
  read(path: string): Promise<ReadResults>;
}
