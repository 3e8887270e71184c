/** Results as lm-evaluation-harness and Inspect write them, of this project's own making, for tests of their readers. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashText } from "../../../src/foundation/hashing.ts";
import { zipFile } from "../../capture/importers/zip-files.ts";

const DATE = "2026-11-20T10-15-00.123456";

export interface WrittenTask {
  task: string;
  /** Right or wrong, one a sample. */
  scores: number[];
  group?: string;
  version?: number;
  metric?: string;
  /** What a sample asks; the same for both arms, unless a test wants it otherwise. */
  prompt?: string;
}

/** Writes a folder as `--output_path` with `--log_samples` leaves it, and returns it. */
export async function writeLmEval(folder: string, tasks: WrittenTask[], date = DATE): Promise<string> {
  const inner = join(folder, "org__model");
  await mkdir(inner, { recursive: true });
  const groups = [...new Set(tasks.flatMap(({ group }) => group ?? []))];
  const results = {
    results: Object.fromEntries(
      tasks.map(({ task, metric = "acc" }) => [task, { alias: task, [`${metric},none`]: 0.5 }]),
    ),
    group_subtasks: Object.fromEntries(
      groups.map((group) => [group, tasks.filter((one) => one.group === group).map(({ task }) => task)]),
    ),
    versions: Object.fromEntries(tasks.map(({ task, version = 1 }) => [task, version])),
    higher_is_better: Object.fromEntries(
      tasks.map(({ task, metric = "acc" }) => [task, { [metric]: true, perplexity: false }]),
    ),
    config: { model: "local-completions" },
  };
  await writeFile(join(inner, `results_${date}.json`), `${JSON.stringify(results).replace("0.5", "NaN")}\n`);
  for (const { task, scores, metric = "acc", prompt = task } of tasks) {
    const lines = scores.flatMap((score, index) =>
      ["none", "flexible"].map((filter) => ({
        doc_id: index,
        doc: { question: `${task} ${index}` },
        target: "1",
        arguments: { gen_args_0: { arg_0: prompt, arg_1: " yes" } },
        resps: [[["-1.5", "False"]]],
        filtered_resps: [["-1.5", "False"]],
        filter,
        metrics: ["perplexity", metric],
        doc_hash: hashText(`${task} ${index}`),
        prompt_hash: hashText(prompt),
        target_hash: hashText("1"),
        perplexity: 0.5,
        [metric]: filter === "none" ? score : 1 - score,
      })),
    );
    await writeFile(
      join(inner, `samples_${task}_${date}.jsonl`),
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
  }
  return folder;
}

/** Samples by their ids, each with the value of its score in every epoch; null for none. */
export type WrittenSamples = Record<string, (string | number | boolean | null)[]>;

const header = (task: string) => ({
  ...{ version: 2, status: "success" },
  eval: { task, task_version: 0, created: "2026-11-20T10:00:00+00:00", model: "openai-api/local/base" },
  results: { scores: [{ name: "match", scorer: "match", metrics: {} }] },
});

const summaries = (samples: WrittenSamples) =>
  Object.entries(samples).flatMap(([id, values]) =>
    values.map((value, index) => ({
      ...{ id, epoch: index + 1, input: `question ${id}`, target: "yes" },
      scores: value === null ? {} : { match: { value, answer: "yes" } },
    })),
  );

export async function writeInspectJson(file: string, task: string, samples: WrittenSamples): Promise<string> {
  await writeFile(file, JSON.stringify({ ...header(task), samples: summaries(samples) }));
  return file;
}

/** `form`: what of the samples is in the archive. */
export async function writeInspectArchive(
  file: string,
  samples: WrittenSamples,
  form: "summaries" | "journal" | "samples" = "summaries",
): Promise<string> {
  const all = summaries(samples);
  const entry = (name: string, value: unknown) => ({ name, text: JSON.stringify(value), method: 8 as const });
  const start = entry("_journal/start.json", header("trivia"));
  const bodies = {
    summaries: [entry("summaries.json", all), entry("header.json", header("trivia"))],
    journal: all.map((sample, index) => entry(`_journal/summaries/${index + 1}.json`, [sample])),
    samples: all.map((sample) => entry(`samples/${sample.id}_epoch_${sample.epoch}.json`, sample)),
  };
  await writeFile(file, zipFile([start, ...bodies[form]]));
  return file;
}
