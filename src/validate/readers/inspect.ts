/**
 * Inspect AI's logs, `.eval` and `.json`, a file or the newest of each task in a folder. Of a sample the first scorer counts, and each
 * epoch of it is a try. The summaries say it all; where a log has none its samples do.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { counted } from "../../foundation/counted.ts";
import { openZip, shownName, type Zip } from "../../foundation/zip.ts";
import { parseDocument, type ReadFile, readJsonFile } from "../foreign-file.ts";
import type { ReadResults, ResultReader, TaskResults } from "../reader.ts";

const ZIP = "PK\u0003\u0004";
const NAME = /\.(eval|json)$/;
const SUMMARIES = /^_journal\/summaries\/\d{1,9}\.json$/;
const SAMPLE = /^samples\/.*_epoch_\d+(\.json|\/sample\.json)$/s;
/** What Inspect's own reducers take letters for. */
const LETTERS: Readonly<Record<string, number>> = { C: 1, I: 0, P: 0.5, N: 0 };

const sampleSchema = z.looseObject({
  id: z.union([z.string(), z.number()]),
  epoch: z.number().catch(1),
  scores: z.record(z.string(), z.looseObject({ value: z.unknown() })).nullish(),
});
const headerSchema = z.looseObject({
  eval: z.looseObject({
    task: z.string().min(1),
    task_version: z.union([z.string(), z.number()]).nullish(),
    created: z.string().catch(""),
  }),
});
const logSchema = headerSchema.extend({ samples: z.array(sampleSchema).nullish() });

type Sample = z.infer<typeof sampleSchema>;
type Header = z.infer<typeof headerSchema>;

interface Log {
  header: Header;
  samples: Sample[];
  rejected: ReadResults["rejected"];
}

const reader: ResultReader = {
  summary: "logs of Inspect AI, .eval and .json",
  async detects(path) {
    const files = await logFiles(path).catch(() => []);
    for (const file of files) if ((await readHeader(file)) !== null) return true;
    return false;
  },
  async read(path) {
    const rejected: ReadResults["rejected"] = [];
    const newest = new Map<string, { created: string; results: TaskResults }>();
    for (const file of await logFiles(path)) {
      const log = await readLog(file);
      if ("reason" in log) {
        rejected.push(log);
        continue;
      }
      rejected.push(...log.rejected);
      const { task, created } = log.header.eval;
      const results = resultsOf(log, file);
      if ("reason" in results) rejected.push(results);
      else if ((newest.get(task)?.created ?? "") <= created) newest.set(task, { created, results });
    }
    return { tasks: [...newest.values()].map(({ results }) => results), rejected };
  },
};

export default reader;

async function logFiles(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return NAME.test(path) ? [path] : [];
  const names = (await readdir(path)).filter((name) => NAME.test(name));
  return names.sort().map((name) => join(path, name));
}

async function readHeader(file: string): Promise<Header | null> {
  const log = await readLog(file);
  return "reason" in log ? null : log.header;
}

async function readLog(file: string): Promise<Log | ReadResults["rejected"][number]> {
  const isZip = (await readFile(file)).subarray(0, ZIP.length).toString("latin1") === ZIP;
  if (isZip) return readArchive(file);
  const read = await readJsonFile(file, logSchema);
  if ("reason" in read) return read;
  return { header: read.value, samples: read.value.samples ?? [], rejected: [] };
}

async function readArchive(file: string): Promise<Log | ReadResults["rejected"][number]> {
  const zip = await openZip(file);
  if ("reason" in zip) return { where: file, reason: zip.reason };
  try {
    const member = <T>(name: string, schema: z.ZodType<T>) => readMember(zip, { name, file, schema });
    const ended = zip.names.includes("header.json");
    const header = await member(ended ? "header.json" : "_journal/start.json", headerSchema);
    if ("reason" in header) return header;
    const whole = zip.names.includes("summaries.json")
      ? ["summaries.json"]
      : zip.names.filter((name) => SUMMARIES.test(name));
    const samples: Sample[] = [];
    const rejected: ReadResults["rejected"] = [];
    for (const name of whole) {
      const read = await member(name, z.array(sampleSchema));
      if ("reason" in read) rejected.push(read);
      else for (const sample of read.value) samples.push(sample);
    }
    if (whole.length > 0) return { header: header.value, samples, rejected };
    for (const name of zip.names.filter((one) => SAMPLE.test(one))) {
      const read = await member(name, sampleSchema);
      if ("reason" in read) rejected.push(read);
      else samples.push(read.value);
    }
    return { header: header.value, samples, rejected };
  } finally {
    zip.close();
  }
}

async function readMember<T>(
  zip: Zip,
  { name, file, schema }: { name: string; file: string; schema: z.ZodType<T> },
): Promise<ReadFile<T>> {
  const where = `${file}#${shownName(name)}`;
  const unpacked = await zip.read(name);
  return "reason" in unpacked ? { where, reason: unpacked.reason } : parseDocument(unpacked.bytes, { schema, where });
}

/** The scores of a log; samples without one (they broke, or were not scored) are no part of it. */
function resultsOf({ header, samples }: Log, file: string): TaskResults | ReadResults["rejected"][number] {
  const { task, task_version } = header.eval;
  const [scorer] = samples.flatMap(({ scores }) => Object.keys(scores ?? {}));
  if (scorer === undefined)
    return { where: file, reason: `none of its ${counted(samples.length, "sample")} has a score` };
  const results: TaskResults = {
    task,
    version: task_version === null || task_version === undefined ? null : String(task_version),
    metric: scorer,
    samples: new Map(),
  };
  const epochs = samples.toSorted((one, other) => one.epoch - other.epoch);
  for (const { id, scores } of epochs) {
    const score = fractionOf(Object.hasOwn(scores ?? {}, scorer) ? scores?.[scorer]?.value : null);
    if (score === null) continue;
    const key = JSON.stringify(id);
    const known = results.samples.get(key) ?? { group: null, scores: [] };
    known.scores.push(score);
    results.samples.set(key, known);
  }
  return results.samples.size > 0 ? results : { where: file, reason: `its ${scorer} is no score from 0 to 1` };
}

function fractionOf(value: unknown): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "string") return Object.hasOwn(LETTERS, value) ? (LETTERS[value] as number) : null;
  return typeof value === "number" && value >= 0 && value <= 1 ? value : null;
}
