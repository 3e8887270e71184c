/**
 * Two results of another tool, base and candidate, as axes that are judged like further skills: paired sample by sample.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import { Refusal } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import { meanOf } from "../foundation/sums.ts";
import { countPairs, type PairedCounts } from "../statistics/paired-counts.ts";
import type { ReadResults, ResultReader, SampleResult, TaskResults } from "./reader.ts";

const READERS = join(import.meta.dirname, "readers");
/** Of the samples of an axis, at most so many may be in one arm alone. */
const MOST_UNPAIRED_FRACTION = 0.02;

/** One task of another tool. Units: differences in [-1, 1], candidate minus base. */
export interface ForeignAxis {
  /** `lm-evaluation-harness:arc_easy`. */
  name: string;
  metric: string;
  differences: number[][];
  baseRate: number;
  /** Null where a sample was tried several times or scored in parts. */
  counts: PairedCounts | null;
  /** Samples that one arm alone has. */
  unpaired: number;
}

export interface ForeignAxes {
  axes: ForeignAxis[];
  /** Tasks that one arm alone has results of: what the other would have come to is not known. */
  missing: { name: string; reason: string }[];
  /** What was left out, and why. */
  rejected: ReadResults["rejected"];
}

/**
 * Reads and pairs the results of both arms.
 * Throws: `NO_SUCH_PATH`, `UNKNOWN_RESULTS` where no reader knows them, `RESULTS_DIFFER` where they cannot be paired.
 */
export async function foreignAxes(paths: { base: string; candidate: string }): Promise<ForeignAxes> {
  for (const path of [paths.base, paths.candidate]) if (!existsSync(path)) throw noResults(path);
  const reader = await readerOf(paths.base);
  const [base, candidate] = [await reader.reader.read(paths.base), await reader.reader.read(paths.candidate)];
  const rejected = [...base.rejected, ...candidate.rejected];
  const axes = base.tasks.flatMap((one): ForeignAxis[] => {
    const other = candidate.tasks.find(({ task }) => task === one.task);
    return other === undefined ? [] : [pairTask(reader.id, one, other)];
  });
  const missing = [
    ...alone(base, candidate).map((task) => missingOf(reader.id, task, "candidate")),
    ...alone(candidate, base).map((task) => missingOf(reader.id, task, "base")),
  ];
  if (axes.length > 0) return { axes, missing, rejected };
  throw differ("no task that both results have", rejected[0]?.reason ?? missing[0]?.reason ?? "none", paths.candidate);
}

/** The tasks that the first alone has. */
function alone({ tasks }: ReadResults, other: ReadResults): string[] {
  const known = new Set(other.tasks.map(({ task }) => task));
  return tasks.flatMap(({ task }) => (known.has(task) ? [] : [task]));
}

function missingOf(reader: string, task: string, arm: "base" | "candidate"): ForeignAxes["missing"][number] {
  const reason = `The results of the ${arm} hold nothing of ${task} that can be read, so it cannot be paired.`;
  return { name: `${reader}:${task}`, reason };
}

async function readerOf(path: string): Promise<{ id: string; reader: ResultReader }> {
  const ids = await extensionIds(READERS);
  const readers = await Promise.all(
    ids.map(async (id) => ({ id, reader: await loadExtension<ResultReader>(READERS, "reader", id) })),
  );
  for (const one of readers) if (await one.reader.detects(path)) return one;
  throw new Refusal({
    code: "UNKNOWN_RESULTS",
    message: "No reader knows these results.",
    expected: readers.map(({ id, reader }) => `${id} (${reader.summary})`).join("; "),
    got: "a file of another shape",
    where: path,
    fix: "name the file that the tool itself wrote",
  });
}

function noResults(path: string): Refusal {
  return new Refusal({
    code: "NO_SUCH_PATH",
    message: "The results are not there.",
    expected: "a file or folder that another tool wrote",
    got: "no such file or folder",
    where: path,
    fix: "--results OF_THE_BASE --results OF_THE_CANDIDATE, with the paths as the tool named them",
  });
}

function pairTask(reader: string, base: TaskResults, candidate: TaskResults): ForeignAxis {
  const name = `${reader}:${base.task}`;
  const [one, other] = [base, candidate].map(({ version, metric }) => `${metric}, version ${version ?? "unknown"}`);
  if (one !== other) throw differ(`${name}: ${one}`, String(other), name);
  const pairs = [...base.samples].flatMap(([id, sample]) => {
    const treated = candidate.samples.get(id);
    return treated === undefined ? [] : [{ id, group: sample.group ?? id, sample, treated }];
  });
  const unpaired = base.samples.size + candidate.samples.size - 2 * pairs.length;
  if (pairs.length === 0 || unpaired > MOST_UNPAIRED_FRACTION * 2 * pairs.length) {
    throw differ(`${name}: the same samples in both`, `${pairs.length} in both, ${unpaired} in one alone`, name);
  }
  const groups = groupBy(pairs, ({ group }) => group);
  const isPlain = pairs.every(({ sample, treated }) => isBit(sample) && isBit(treated));
  const outcomes = pairs.map(({ sample, treated }) => ({
    reference: sample.scores[0] === 1,
    treatment: treated.scores[0] === 1,
  }));
  return {
    name,
    metric: base.metric,
    differences: [...groups.values()].map((group) =>
      group.map(({ sample, treated }) => meanOf(treated.scores) - meanOf(sample.scores)),
    ),
    baseRate: meanOf(pairs, ({ sample }) => meanOf(sample.scores)),
    counts: isPlain ? countPairs(outcomes) : null,
    unpaired,
  };
}

function isBit({ scores }: SampleResult): boolean {
  return scores.length === 1 && (scores[0] === 0 || scores[0] === 1);
}

function differ(expected: string, got: string, where: string): Refusal {
  return new Refusal({
    code: "RESULTS_DIFFER",
    message: "The results of base and candidate cannot be paired.",
    expected,
    got,
    where,
    fix: "run both arms with the same tool, tasks and settings",
  });
}
