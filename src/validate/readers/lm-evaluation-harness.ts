/**
 * lm-evaluation-harness: `results_<date>.json` with the `samples_<task>_<date>.jsonl` beside it, which `--log_samples` writes.
 * Of a folder the newest results count. A task that belongs to a group is part of the group's axis, as a cluster of it.
 * Source: EleutherAI/lm-evaluation-harness, lm_eval/loggers/evaluation_tracker.py, of 2026.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { readLines } from "../../foundation/jsonl.ts";
import { parseDocument, readJsonFile } from "../foreign-file.ts";
import type { ReadResults, ResultReader, SampleResult, TaskResults } from "../reader.ts";

/** The names of results and of their samples end with the same date. */
const RESULTS = /_(\d{4}-\d\d-\d\dT[\d.-]{8,20})\.json$/;
/** The usual names of what is right or wrong, best known first; other metrics only where a task has none of these. */
const PREFERRED = ["acc", "exact_match", "pass@1", "acc_norm"];

const resultsSchema = z.looseObject({
  results: z.record(z.string(), z.unknown()),
  group_subtasks: z.record(z.string(), z.array(z.string())).catch({}),
  versions: z.record(z.string(), z.union([z.string(), z.number()])).catch({}),
  higher_is_better: z.record(z.string(), z.record(z.string(), z.boolean().nullable())).catch({}),
});
const sampleSchema = z.looseObject({
  doc_id: z.union([z.string(), z.number()]),
  doc_hash: z.string().optional(),
  prompt_hash: z.string().optional(),
  filter: z.string().catch("none"),
});

const reader: ResultReader = {
  summary: "results_*.json of lm-evaluation-harness, with its samples_*.jsonl",
  detects: async (path) => (await resultsFile(path).catch(() => null)) !== null,
  async read(path) {
    const found = await resultsFile(path);
    if (found === null) return { tasks: [], rejected: [{ where: path, reason: "it holds no results" }] };
    const read = await readJsonFile(found.file, resultsSchema);
    return "reason" in read ? { tasks: [], rejected: [read] } : readTasks(found, read.value);
  },
};

export default reader;

interface Found {
  file: string;
  date: string;
}

/** The newest results of a folder, or of the folders in it; null where there are none. */
async function resultsFile(path: string): Promise<Found | null> {
  if ((await stat(path)).isFile()) return foundOf(path);
  const entries = await readdir(path, { withFileTypes: true });
  const folders = [path, ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name))];
  const files = (
    await Promise.all(folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))))
  )
    .flat()
    .flatMap((file) => foundOf(file) ?? []);
  return files.sort((one, other) => (one.date < other.date ? 1 : -1))[0] ?? null;
}

function foundOf(file: string): Found | null {
  const date = RESULTS.exec(basename(file))?.[1];
  return date === undefined ? null : { file, date };
}

async function readTasks({ file, date }: Found, results: z.infer<typeof resultsSchema>): Promise<ReadResults> {
  const folder = dirname(file);
  const end = `_${date}.jsonl`;
  const names = (await readdir(folder)).filter((name) => name.startsWith("samples_") && name.endsWith(end)).sort();
  const tops = topGroups(results.group_subtasks);
  const tasks = new Map<string, TaskResults>();
  const rejected: ReadResults["rejected"] = [];
  if (names.length === 0) rejected.push({ where: file, reason: "no samples lie beside it: run with --log_samples" });
  for (const name of names) {
    const subtask = name.slice("samples_".length, -end.length);
    const worse = Object.entries(own(results.higher_is_better, subtask) ?? {}).filter(
      ([, isBetter]) => isBetter === false,
    );
    const read = readSamples(join(folder, name), new Set(worse.map(([metric]) => metric)));
    if ("reason" in read) {
      rejected.push(read);
      continue;
    }
    const task = tops.get(subtask) ?? subtask;
    const version = own(results.versions, task) ?? own(results.versions, subtask);
    const known = tasks.get(task) ?? {
      ...{ task, version: version === undefined ? null : String(version), metric: read.metric },
      samples: new Map<string, SampleResult>(),
    };
    if (known.metric !== read.metric) {
      rejected.push({ where: join(folder, name), reason: `its ${read.metric} is not the ${known.metric} of ${task}` });
      continue;
    }
    tasks.set(task, known);
    const group = task === subtask ? null : subtask;
    for (const [id, score] of read.scores) known.samples.set(`${subtask}/${id}`, { group, scores: [score] });
  }
  return { tasks: [...tasks.values()], rejected };
}

/** A file may name its tasks as it likes. */
function own<T>(record: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

type Samples = { metric: string; scores: Map<string, number> } | ReadResults["rejected"][number];

/** The scores of one task by its first filter; a task of which one line does not fit is left out whole. */
function readSamples(file: string, worse: ReadonlySet<string>): Samples {
  const scores = new Map<string, number>();
  let metric: string | null = null;
  let filter: string | null = null;
  for (const { bytes, number } of readLines(file)) {
    if (bytes?.length === 0) continue;
    const where = `${file}:${number}`;
    const read = parseDocument(bytes ?? Buffer.alloc(0), { schema: sampleSchema, where });
    if ("reason" in read) return read;
    const sample = read.value;
    filter ??= sample.filter;
    if (sample.filter !== filter) continue;
    metric ??= metricOf(sample, worse);
    const score = metric === null ? null : scoreIn(sample[metric]);
    if (metric === null || score === null) return { where, reason: "it has no score from 0 to 1" };
    const { doc_id, doc_hash = "", prompt_hash = "" } = sample;
    scores.set(JSON.stringify([doc_id, doc_hash, prompt_hash]), score);
  }
  return metric === null ? { where: file, reason: "it holds no samples" } : { metric, scores };
}

function metricOf(sample: Record<string, unknown>, worse: ReadonlySet<string>): string | null {
  const listed = Array.isArray(sample.metrics) ? sample.metrics.filter((one) => typeof one === "string") : [];
  const names = listed.filter((name) => !worse.has(name) && scoreIn(sample[name]) !== null);
  const preferred = PREFERRED.find(
    (name) => names.includes(name) || (listed.length === 0 && scoreIn(sample[name]) !== null),
  );
  return preferred ?? names[0] ?? null;
}

function scoreIn(value: unknown): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" && value >= 0 && value <= 1 ? value : null;
}

/** The outermost group of each task that is in one. */
function topGroups(subtasks: Record<string, string[]>): Map<string, string> {
  const parents = new Map(
    Object.entries(subtasks).flatMap(([group, list]) => list.map((one) => [one, group] as const)),
  );
  const topOf = (task: string): string => {
    const seen = new Set<string>();
    let top = task;
    for (let next = parents.get(top); next !== undefined && !seen.has(next); next = parents.get(top)) {
      seen.add(next);
      top = next;
    }
    return top;
  };
  return new Map([...parents.keys()].map((task) => [task, topOf(task)]));
}
