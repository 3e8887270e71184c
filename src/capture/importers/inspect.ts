/**
 * Logs of Inspect AI: `.eval` files (zip; deflate, or zstd from April 2026 on) and `.json` ones. A log is a run, a sample
 * an item, an epoch an attempt at it. Passed over: the journal's summaries and the reductions (the samples say the same),
 * scores on the way, the store and state changes, raw wire calls, tries before an error, and what a viewer is told.
 */
import { basename } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import { openZip, shownName, type Zip } from "../../foundation/zip.ts";
import type { Foreign, ForeignRun } from "../foreign.ts";
import type { Importer, ImportInput } from "../importer.ts";
import { readMember, readSample, samplesOf } from "../inspect/members.ts";
import { type SampleSetting, sampleRecords } from "../inspect/sample.ts";
import { readHead, rejected } from "../reading/json.ts";
import { plainUrl } from "../reading/plain-url.ts";
import { isObject, type JsonObject, known, objectIn, objectsIn, textIn, timeIn } from "../reading/shapes.ts";

const ZIP = "PK\u0003\u0004";
/** The first member's name lies at a fixed place. */
const FIRST_MEMBER = /^.{26}(?:_journal\/|samples\/|header\.json|start\.json|summaries\.json)/s;
/** Inspect keeps its fields in this order. */
const JSON_START =
  /^\s*\{\s*"version"\s*:\s*\d+\s*,\s*"status"\s*:\s*"(?:started|success|cancelled|error)"\s*,\s*"eval"\s*:\s*\{/;

const FACTS = ["task", "task_id", "run_id", "eval_id", "eval_set_id", "created", "task_version", "task_file"].concat([
  "task_args",
  "solver",
  "solver_args",
  "tags",
  "metadata",
  "sandbox",
  "config",
  "revision",
  "packages",
]);

const importer: Importer = {
  summary: "Inspect AI's logs, `.eval` and `.json`",
  lossy: ["token ids", "log probabilities", "sampling and tools, where events were not logged"],
  detects: ({ name, head, value }) =>
    isArchive(head, name) || isLog(value) || JSON_START.test(head.toString("latin1", 0, 1000)),
  async *read(input) {
    for (const file of input.files) {
      const isZip = readHead(file, ZIP.length).toString("latin1") === ZIP;
      yield* isZip ? readArchive(file) : readDocument(file, input);
    }
  },
};

export default importer;

function isArchive(head: Buffer, name: string): boolean {
  const start = head.toString("latin1", 0, 64);
  return start.startsWith(ZIP) && (name.endsWith(".eval") || FIRST_MEMBER.test(start.slice(ZIP.length)));
}

function isLog(value: unknown): boolean {
  return isObject(value) && typeof value.status === "string" && typeof objectIn(value.eval).task === "string";
}

function* readDocument(file: string, input: ImportInput): Generator<Foreign> {
  const read = input.document(file);
  if ("reason" in read) return yield rejected(file, read.reason);
  if (!isLog(read.value)) return yield rejected(file, "it is no log of Inspect");
  const { samples, ...header } = read.value as JsonObject;
  if (!Array.isArray(samples) || samples.length === 0) return yield rejected(file, "the log holds no samples");
  yield runOf(header, file);
  const setting = settingOf(header);
  for (const [i, sample] of samples.entries()) {
    yield* sampleRecords(sample, { ...setting, where: `${file}:/samples/${i}` });
  }
}

async function* readArchive(file: string): AsyncGenerator<Foreign> {
  const zip = await openZip(file);
  if ("reason" in zip) return yield rejected(file, zip.reason);
  try {
    const header = await headerOf(zip);
    if ("reason" in header) return yield rejected(file, header.reason);
    const samples = samplesOf(zip.names);
    if (samples.length === 0) return yield rejected(file, "the log holds no samples");
    yield runOf(header.value, file);
    const setting = settingOf(header.value);
    for (const sample of samples) {
      const where = `${file}#${shownName(sample.name)}`;
      const read = await readSample(zip, sample);
      if ("reason" in read) yield rejected(where, read.reason);
      else yield* sampleRecords(read.value, { ...setting, where });
    }
  } finally {
    zip.close();
  }
}

/** What the log says of itself: at its end, or where it was not ended, at its start. */
async function headerOf(zip: Zip): Promise<{ value: JsonObject } | { reason: string }> {
  const found: JsonObject[] = [];
  // `start.json` and `results.json` are the names of before October 2024.
  for (const name of ["_journal/start.json", "start.json", "results.json", "header.json"]) {
    const read = zip.names.includes(name) ? await readMember(zip, name) : null;
    if (read !== null && "value" in read && isObject(read.value)) found.push(read.value);
  }
  const value: JsonObject = Object.fromEntries(found.flatMap(Object.entries));
  const hasTask = typeof objectIn(value.eval).task === "string";
  return hasTask ? { value } : { reason: "no header of an Inspect log is in it, or none that can be read" };
}

function runOf(header: JsonObject, file: string): ForeignRun {
  const spec = objectIn(header.eval);
  const { task_id, run_id, eval_id } = spec;
  return {
    ...{ kind: "run", nativeId: textIn(eval_id) || textIn(task_id) || textIn(run_id) || basename(file), files: [file] },
    startedAt: timeIn(objectIn(header.stats).started_at || spec.created),
    skill: skillOf(textIn(spec.task) ?? ""),
    model: textIn(spec.model),
    facts: factsOf(header, spec),
  };
}

/** What a log says of itself; its model's arguments may hold secrets, and are left out. */
function factsOf(header: JsonObject, spec: JsonObject): Record<string, Json> {
  const { name, location, samples } = objectIn(spec.dataset);
  const { status, error, results, invalidated, plan } = header;
  const facts: Record<string, Json | undefined> = {
    ...Object.fromEntries(FACTS.map((key) => [key, spec[key]])),
    ...{
      status,
      invalidated,
      error: objectIn(error).message,
      plan: objectIn(plan).steps,
      scores: objectIn(results).scores,
    },
    revision: revisionOf(spec.revision),
    dataset: { name: name ?? null, location: location ?? null, samples: samples ?? null },
    scorers: objectsIn(spec.scorers).map((scorer) => scorer.name ?? null),
  };
  return known(facts);
}

function revisionOf(revision: Json | undefined): Json | undefined {
  if (!isObject(revision)) return undefined;
  const { origin } = revision;
  return { ...revision, ...(typeof origin === "string" && { origin: plainUrl(origin) }) };
}

function settingOf(header: JsonObject): Omit<SampleSetting, "where"> {
  const spec = objectIn(header.eval);
  const [score] = objectsIn(objectIn(header.results).scores);
  const config = { ...objectIn(spec.model_generate_config), ...objectIn(objectIn(header.plan).config) };
  return {
    task: textIn(spec.task) ?? "",
    version: textIn(objectIn(spec.packages).inspect_ai) || "unknown",
    scorer: textIn(score?.name) ?? "score",
    ...{ config, seen: new Set() },
  };
}

/** A task's name in the letters that a skill has. */
function skillOf(task: string): string {
  const plain = task
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return plain.slice(0, 100) || "inspect";
}
