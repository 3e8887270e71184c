/**
 * What memory and time the program takes for input that is far larger than memory should be, one format after another: the tests'
 * own samples said again and again under other names, and for `openai-chat` conversations of short texts, whose many messages
 * and attempts are what could add up. The program runs as a user starts it; its peak is what the kernel says of its process.
 * `BENCH_IMPORT_FORMATS` takes a list of formats (`all` by default), `BENCH_IMPORT_MB` the size of each one's input (300), `BENCH_SESSION_MB`
 * the size of one session or document where a file is one (16).
 */
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../src/foundation/errors.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { type Random, random } from "../src/foundation/random.ts";
import { openDatabase, sqlText } from "../src/store/duckdb.ts";
import { type ZipEntry, zipFile } from "../test/capture/importers/zip-files.ts";
import type { BenchRow } from "./bench-row.ts";
import { renamed } from "./import.ts";
import { measured, TRACEMILL } from "./processes/measured.ts";

const BYTES = Number(process.env.BENCH_IMPORT_MB ?? 300) * 1e6;
const ONE_FILE_BYTES = Number(process.env.BENCH_SESSION_MB ?? 16) * 1e6;
const FORMATS = (process.env.BENCH_IMPORT_FORMATS ?? "all").split(",");
const SAMPLES = join(PACKAGE_FOLDER, "test/capture/importers/samples");
const MESSAGE_CHARACTERS = 300;
const WORDS = "the agent looks at what there is and then writes down which of these files it has to change next".split(
  " ",
);

const ROWS_A_WRITE = 1000;
/** How an import ends that could not use all: some samples hold such records. */
const SOME_REJECTED = 3;
/** Of a text in a session or document: outputs of tools are long. */
const LONG_WORDS = WORDS.join(" ").repeat(200);
const COPIES_A_DOCUMENT = 50;
const EVENT_RUNS = Math.max(4, Math.round(BYTES / 64e6));
/** Some 16 kB. */
const LONG_TEXTS_A_ROW = 50;

/** Writes a format's input into a folder, and returns how many bytes it came to. */
type Form = (folder: string) => number | Promise<number>;

const FORMS: Readonly<Record<string, Form>> = {
  "openai-chat": (folder) => writeParts(join(folder, "rows.jsonl"), shortRows(), BYTES),
  "openai-chat-parquet": (folder) => oneRowGroup(join(folder, "rows.parquet")),
  otel: (folder) => repeatedLines(folder, "otel/export.jsonl"),
  langfuse: (folder) => repeatedLines(folder, "langfuse/exports.jsonl"),
  harbor: (folder) => repeatedLines(folder, "harbor/rows.jsonl"),
  "harbor-trials": (folder) =>
    copies(BYTES / ONE_FILE_BYTES, (n) => {
      const trial = join(folder, "job", `net__${n}`);
      cpSync(join(SAMPLES, "harbor/job/net__1"), trial, { recursive: true });
      return longDocument(join(trial, "agent/trajectory.json"), "steps");
    }),
  "gemma-forge": (folder) => copies(BYTES / ONE_FILE_BYTES, (n) => runLog(folder, n)),
  "gemma-forge-dump": (folder) => dumpOfEvents(join(folder, "memory.sql")),
  "claude-code": (folder) => sessions(folder, "claude-code/5b3a0f10-0000-4000-8000-00000000a001.jsonl"),
  codex: (folder) =>
    sessions(
      folder,
      "codex/sessions/2026/03/04/rollout-2026-03-04T09-00-00-0199a213-0000-7000-8000-0000000000a1.jsonl",
    ),
  pi: (folder) => sessions(folder, "pi/2026-03-04_pi-0001.jsonl"),
  inspect: (folder) => evalArchive(join(folder, "plums.eval")),
  "inspect-json": (folder) =>
    copies(BYTES / ONE_FILE_BYTES, (n) => oneDocument(folder, "inspect/plums.json", { n, list: "samples" })),
  "swe-agent": (folder) =>
    copies(BYTES / ONE_FILE_BYTES, (n) =>
      oneDocument(folder, "swe-agent/runs/trajectories/ada__abacus-8/ada__abacus-8.traj", { n, list: "trajectory" }),
    ),
  "mini-swe-agent": (folder) =>
    copies(BYTES / ONE_FILE_BYTES, (n) =>
      oneDocument(folder, "mini-swe-agent/eve__loom-4/eve__loom-4.traj.json", { n, list: "messages" }),
    ),
};

/** The importer of a form: what is before its dash, where a format has several. */
const FORMAT_OF = (form: string) =>
  ["gemma-forge", "openai-chat", "claude-code", "swe-agent", "mini-swe-agent"].find((name) => form.startsWith(name)) ??
  (form.split("-", 1)[0] as string);

export async function benchImportMemory(): Promise<BenchRow[]> {
  const wanted = FORMATS.includes("all") ? Object.keys(FORMS) : FORMATS;
  const rows: BenchRow[] = [];
  for (const form of wanted) rows.push(...(await importMemory(form)));
  return rows;
}

async function importMemory(form: string): Promise<BenchRow[]> {
  const write = FORMS[form];
  if (write === undefined) {
    throw new Refusal({
      code: "UNKNOWN_FORMAT",
      message: `There is no input of the form ${form}.`,
      expected: Object.keys(FORMS).join(", "),
    });
  }
  const folder = mkdtempSync(join(tmpdir(), "tracemill-bench-memory-"));
  try {
    const input = join(folder, "input");
    mkdirSync(input);
    const bytes = await write(input);
    const words = [...TRACEMILL, "import", input, "--format", FORMAT_OF(form)];
    const { seconds, peakMegabytes } = await measured(words, join(folder, "home"), [0, SOME_REJECTED]);
    const name = `import ${(bytes / 1e6).toFixed(0)} MB of ${form}`;
    const alone = { peer: null, ratio: null };
    return [
      { name: `${name}, peak memory`, ours: peakMegabytes, ...alone, unit: "MB" },
      { name, ours: bytes / 1e6 / seconds, ...alone, unit: "MB/s" },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes texts one after another until they come to so many bytes. */
function writeParts(path: string, parts: Iterable<string>, bytes: number): number {
  const file = openSync(path, "w");
  let written = 0;
  for (const part of parts) {
    written += writeSync(file, part);
    if (written >= bytes) break;
  }
  closeSync(file);
  return written;
}

/** One file: a sample's lines again and again. */
function repeatedLines(folder: string, sample: string): number {
  return writeParts(join(folder, sample.split("/").at(-1) as string), linesOf(sample), BYTES);
}

const RUN_LOG = "gemma-forge/run-20260420-101500.jsonl";

/** A log whose run did the same again and again. */
function runLog(folder: string, n: number): number {
  const { id, hour } = startOf(n);
  function* lines(): Generator<string> {
    let isFirst = true;
    for (const text of linesOf(RUN_LOG)) {
      const own = text.replaceAll("20260420-101500", id).replaceAll("2026-04-20T10", hour);
      yield isFirst ? own : own.replace(/^.*"event_type":"run_start".*\n/m, "");
      isFirst = false;
    }
  }
  return writeParts(join(folder, `run-${id}.jsonl`), lines(), ONE_FILE_BYTES);
}

/** A run's id and the hour it began in, an hour later for each. */
function startOf(n: number): { id: string; hour: string } {
  const hour = new Date(Date.UTC(2026, 0, 1, n)).toISOString().slice(0, 13);
  return { id: `${hour.replaceAll("-", "").replace("T", "-")}1500`, hour };
}

/** Many files of a session each. */
function sessions(folder: string, sample: string): number {
  const name = sample.split("/").at(-1) as string;
  return copies(BYTES / ONE_FILE_BYTES, (n) => {
    // The first part of the name is the same in all, as programs have it; ids in it differ.
    const path = join(folder, name.replace(/\d\.jsonl$/, `${n}.jsonl`));
    return writeParts(path, linesOf(sample, { from: n * 1_000_000, words: LONG_WORDS }), ONE_FILE_BYTES);
  });
}

function* linesOf(sample: string, { from = 0, words = "" } = {}): Generator<string> {
  const lines = readFileSync(join(SAMPLES, sample), "utf8").trimEnd().split("\n");
  const values = lines.map((line) => JSON.parse(line) as unknown);
  for (let copy = from; ; copy++) {
    const given = words === "" ? {} : { words };
    yield values.map((value) => `${JSON.stringify(renamed(value, copy, given))}\n`).join("");
  }
}

/** A JSON document in a file of its own, with one of its lists said again until it is long enough. */
function oneDocument(folder: string, sample: string, { n, list }: { n: number; list: string }): number {
  const [name, ...rest] = (sample.split("/").at(-1) as string).split(".");
  const path = join(folder, [`${name}-${n}`, ...rest].join("."));
  cpSync(join(SAMPLES, sample), path);
  return longDocument(path, list);
}

function longDocument(path: string, list: string): number {
  const document = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const words = WORDS.join(" ").repeat(
    Math.ceil(ONE_FILE_BYTES / COPIES_A_DOCUMENT / 100 / countOfTexts(document[list])),
  );
  const said = Array.from(
    { length: COPIES_A_DOCUMENT },
    (_, copy) => renamed(document[list], copy, { words }) as unknown[],
  );
  const text = JSON.stringify({ ...document, [list]: said.flat() });
  writeFileSync(path, text);
  return text.length;
}

/** How many texts of a value become longer. */
function countOfTexts(value: unknown): number {
  return Math.max(1, JSON.stringify(value).match(/"[^"]* [^"]*"/g)?.length ?? 1);
}

function evalArchive(path: string): number {
  const { samples, ...header } = JSON.parse(readFileSync(join(SAMPLES, "inspect/plums.json"), "utf8"));
  let bytes = 0;
  function* members(): Generator<ZipEntry> {
    yield { name: "header.json", text: JSON.stringify(header), method: 8 };
    for (let n = 0; bytes < BYTES; n++) {
      const sample = {
        ...(renamed(samples[n % samples.length], n, { words: LONG_WORDS }) as object),
        id: `plum-${n}`,
        epoch: 1,
      };
      const text = JSON.stringify(sample);
      bytes += text.length;
      yield { name: `samples/plum-${n}_epoch_1.json`, text, method: 8 };
    }
  }
  writeFileSync(path, zipFile(members()));
  return bytes;
}

/** Several runs whose logs were copied into the database. */
function dumpOfEvents(path: string): number {
  const columns = "id, run_id, ts, event_type, agent, iteration, data";
  const runs = Array.from({ length: EVENT_RUNS }, (_, n) => startOf(n));
  function* parts(): Generator<string> {
    yield `-- PostgreSQL database dump\nCOPY stig.run_events (${columns}) FROM stdin;\n`;
    for (const { id } of runs) yield* eventRows(id);
    const starts = runs.map(({ id, hour }) => `${id}\tstig\t${hour.replace("T", " ")}:15:00+00\n`).join("");
    yield `\\.\nCOPY stig.runs (id, skill, started_at) FROM stdin;\n${starts}\\.\n`;
  }
  return writeParts(path, parts(), Number.POSITIVE_INFINITY);
}

function* eventRows(run: string): Generator<string> {
  let bytes = 0;
  for (const lines of linesOf(RUN_LOG)) {
    const rows = lines
      .trimEnd()
      .split("\n")
      .map((line) => {
        const { timestamp, event_type, agent, iteration, data } = JSON.parse(line);
        const fields = JSON.stringify(data).replaceAll("\\", "\\\\");
        return `1\t${run}\t${timestamp}\t${event_type}\t${agent}\t${iteration}\t${fields}\n`;
      });
    yield rows.join("");
    bytes += lines.length;
    if (bytes >= BYTES / EVENT_RUNS) return;
  }
}

function copies(count: number, write: (n: number) => number): number {
  let bytes = 0;
  for (let n = 0; n < count; n++) bytes += write(n);
  return bytes;
}

/** Conversations of 4 to 10 messages, no text of which is another's. */
function* shortRows(): Generator<string> {
  const dice = random(1, "rows");
  for (let row = 0; ; ) {
    yield Array.from({ length: ROWS_A_WRITE }, () => `${JSON.stringify(rowOf(row++, dice))}\n`).join("");
  }
}

/** Conversations of a long text each, as one row group: writers that are told nothing make such files. */
async function oneRowGroup(path: string): Promise<number> {
  const lines = `${path}.jsonl`;
  writeParts(lines, longRows(), BYTES);
  const database = await openDatabase({ memoryLimitMb: 12_000, threads: 1, spillFolder: `${path}.spill` });
  const columns = "{id: 'VARCHAR', reward: 'INTEGER', messages: 'STRUCT(role VARCHAR, content VARCHAR)[]'}";
  const rows = `SELECT * FROM read_json(${sqlText(lines)}, format = 'newline_delimited', columns = ${columns})`;
  await database.run(
    `COPY (${rows}) TO ${sqlText(path)} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 10000000)`,
  );
  database.close();
  rmSync(lines);
  return statSync(path).size;
}

function* longRows(): Generator<string> {
  const dice = random(1, "long rows");
  for (let row = 0; ; row++) {
    const text = Array.from({ length: LONG_TEXTS_A_ROW }, () => textOf(dice)).join("");
    const messages = [
      { role: "user", content: text },
      { role: "assistant", content: textOf(dice) },
    ];
    yield `${JSON.stringify({ id: `item-${row}`, messages, reward: dice.integer(0, 1) })}\n`;
  }
}

function rowOf(row: number, dice: Random): object {
  const turns = dice.integer(2, 5);
  const messages = Array.from({ length: 2 * turns }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: textOf(dice),
  }));
  return { id: `item-${row}`, messages, reward: dice.integer(0, 1) };
}

function textOf(dice: Random): string {
  let text = "";
  while (text.length < MESSAGE_CHARACTERS) text += `${dice.pick(WORDS)} ${dice.integer(0, 9999)} `;
  return text;
}
