/**
 * How fast files are imported, beside a bare `JSON.parse` of the same lines, and beside the least that any record of them costs: each
 * line parsed, written as canonical JSON, hashed as a message and as a link of the chain, and handed to the kernel. An import also
 * tells what each line means, checks every value, and seals the log. The files are the tests' own samples, said again and again
 * with other names and longer texts. What a run costs besides its lines (locks, the way to the disk, the ledger) shows in runs of one row.
 */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { importFiles } from "../src/capture/index.ts";
import { canonicalJson } from "../src/foundation/canonical-json.ts";
import { systemClock } from "../src/foundation/clock.ts";
import { hashText } from "../src/foundation/hashing.ts";
import { readLines } from "../src/foundation/jsonl.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { sumOf } from "../src/foundation/sums.ts";
import { homeAt } from "../src/store/home.ts";
import type { BenchRow } from "./bench-row.ts";

const SAMPLES = join(PACKAGE_FOLDER, "test/capture/importers/samples");
const MEGABYTES = 24;
/** A file is a session in these formats, and an export of many conversations in the others. */
const SESSIONS = ["claude-code", "codex", "pi"];
const SESSION_BYTES = 300_000;
const EXPORT_BYTES = 6_000_000;
const SHORT_RUNS = 200;
const ROUNDS = 3;
/** What a longer text is made of. */
const WORDS =
  "The agent looks at what there is, thinks about it for a while, and then writes down what it will do next. ".repeat(
    8,
  );
/** Keys of the ids by which lines refer to each other. */
const ID_KEY = /id$/i;
/** Of a session, where its key is a value as well. */
const ID_VALUE = /^visit-\d+$/;

export async function benchImport(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const format of readdirSync(SAMPLES).sort()) {
    const samples = lineFilesOf(join(SAMPLES, format));
    if (samples.length > 0) rows.push(...(await measured(format, samples)));
  }
  return [...rows, await shortRuns()];
}

async function measured(format: string, samples: readonly string[]): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-bench-import-"));
  try {
    const paths = samples.flatMap((sample) =>
      enlarged(sample, {
        folder,
        bytes: (MEGABYTES * 1e6) / samples.length,
        fileBytes: SESSIONS.includes(format) ? SESSION_BYTES : EXPORT_BYTES,
      }),
    );
    const megabytes = sumOf(paths, (path) => statSync(path).size) / 1e6;
    const seconds = { ours: [] as number[], parsing: [] as number[], recording: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      seconds.ours.push(await importSeconds(folder, format));
      seconds.parsing.push(await secondsOf(async () => paths.forEach(parseLines)));
      seconds.recording.push(await secondsOf(async () => recordLines(paths, join(folder, "recorded"))));
    }
    const ours = megabytes / Math.min(...seconds.ours);
    const beside = (peerName: string, peerSeconds: readonly number[]): BenchRow => {
      const peer = megabytes / Math.min(...peerSeconds);
      return { name: `import ${format} (peer: ${peerName})`, ours, peer, ratio: ours / peer, unit: "MB/s" };
    };
    return [beside("JSON.parse", seconds.parsing), beside("the least record", seconds.recording)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Imports a folder's files into a home that is thrown away. */
export async function importSeconds(path: string, format: string): Promise<number> {
  const home = homeAt(mkdtempSync(join(tmpdir(), "tracemill-bench-home-")));
  try {
    return await secondsOf(async () => {
      const report = await importFiles({
        ...{ home, path, format, skill: null, postgres: null, onto: null, words: null, familyRule: null },
        ...{ clock: systemClock, codeVersion: "bench", signal: new AbortController().signal },
      });
      if (report.imported.length === 0) throw new Error(`${format}: nothing was imported`);
    });
  } finally {
    rmSync(home.path, { recursive: true });
  }
}

async function shortRuns(): Promise<BenchRow> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-bench-import-"));
  try {
    const messages = ["user", "assistant"].map((role) => ({ role, content: "Short." }));
    for (let i = 0; i < SHORT_RUNS; i++) {
      writeFileSync(join(folder, `${i}.jsonl`), `${JSON.stringify({ id: `item-${i}`, messages })}\n`);
    }
    const ours = SHORT_RUNS / (await importSeconds(folder, "openai-chat"));
    return { name: "import runs of one row", ours, peer: null, ratio: null, unit: "runs/s" };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function lineFilesOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return names.filter((name) => name.endsWith(".jsonl")).map((name) => join(folder, name));
}

/** Repeats a file's lines, each time with other ids and with texts of a usual length. */
export function enlarged(
  sample: string,
  { folder, bytes, fileBytes }: { folder: string; bytes: number; fileBytes: number },
): string[] {
  const lines = readFileSync(sample, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  const paths: string[] = [];
  for (let copy = 0, size = 0; size < bytes; ) {
    const parts: string[] = [];
    for (let partBytes = 0; partBytes < fileBytes && size < bytes; copy++) {
      const text = lines.map((line) => `${JSON.stringify(renamed(line, copy))}\n`).join("");
      parts.push(text);
      partBytes += text.length;
      size += text.length;
    }
    const path = join(folder, `${paths.length}-${basename(sample)}`);
    writeFileSync(path, parts.join(""));
    paths.push(path);
  }
  return paths;
}

/** A value with other ids, and with longer texts where they are sentences. */
export function renamed(value: unknown, copy: number, { key = "", words = WORDS } = {}): unknown {
  if (typeof value === "string") {
    if (value.includes(" ")) return value.length < 400 ? `${value} (${copy}) ${words}` : value;
    return ID_KEY.test(key) || ID_VALUE.test(value) ? otherId(value, copy) : value;
  }
  if (Array.isArray(value)) return value.map((one) => renamed(one, copy, { key, words }));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, renamed(one, copy, { key: name, words })]),
  );
}

/** Where an id is hexadecimal it stays so. */
function otherId(id: string, copy: number): string {
  return /^[0-9a-f]{16}/.test(id) ? `${hashText(`${id} ${copy}`).slice(0, 12)}${id.slice(12)}` : `${id}-${copy}`;
}

export function parseLines(path: string): void {
  for (const { bytes } of readLines(path)) JSON.parse((bytes as Buffer).toString("utf8"));
}

/** The least that a record of each line costs. */
function recordLines(paths: readonly string[], out: string): void {
  const file = openSync(out, "w");
  let head = "";
  for (const path of paths) {
    for (const { bytes } of readLines(path)) {
      const text = canonicalJson(JSON.parse((bytes as Buffer).toString("utf8")));
      const line = Buffer.from(`{"hash":"${hashText(text)}","head":"${head}","message":${text}}\n`);
      head = hashText(line);
      writeSync(file, line);
    }
  }
  closeSync(file);
}

export async function secondsOf(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}
