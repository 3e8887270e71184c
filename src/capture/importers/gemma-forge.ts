/**
 * Run logs of gemma-forge, every era of them, with what its databases hold beside: tips that were retired since, settings, and
 * runs whose log is gone. A run is known under two ids, one in the log and one in the database, and is one run here: they are
 * put together by the time of its start, and by the tips of its log, which bear the database's id.
 */
import { hashJson } from "../../foundation/hashing.ts";
import { readLines } from "../../foundation/jsonl.ts";
import { sumOf } from "../../foundation/sums.ts";
import type { Foreign, ForeignRun, Rejected } from "../foreign.ts";
import {
  type MemoryStore,
  openMemoryStore,
  type StoreEvents,
  type StoreRow,
  type StoreRun,
} from "../gemma-forge/memory-store.ts";
import { dumpRows } from "../gemma-forge/pg-dump.ts";
import { postgresRows } from "../gemma-forge/postgres.ts";
import { type RunEventLine, runEventOf } from "../gemma-forge/run-event.ts";
import { type RunMachine, runMachine } from "../gemma-forge/run-machine.ts";
import { memoryOf, NO_MEMORY, type RunMemory } from "../gemma-forge/run-memory.ts";
import { isSqlite, sqliteRows } from "../gemma-forge/sqlite.ts";
import { retirementOf, storedRecords } from "../gemma-forge/stored-run.ts";
import { tipIdOf } from "../gemma-forge/tip-of.ts";
import { openPromptBook, type PromptWords, readWords } from "../gemma-forge/worker-prompt.ts";
import type { Importer, ImportInput, JsonLine } from "../importer.ts";
import { parseBytes, readHead, rejected } from "../reading/json.ts";
import { isObject, textIn, timeIn } from "../reading/shapes.ts";

const DUMP = /^-- PostgreSQL database dump$/m;
const HEAD_BYTES = 4096;

const importer: Importer = {
  summary: "run logs of gemma-forge (runs/run-*.jsonl), a pg_dump or the SQLite file of its memory, or its Postgres",
  lossy: [
    "the system prompt and the tools",
    "the prompt, beyond what can be rebuilt of it",
    "texts beyond 200 characters of a script, 500 of a tool's result, 1000 of an answer",
    "which of a turn's two model calls said what",
    "finish reasons, sampling, the revision of harness and prompts",
  ],
  detects: ({ head, value }) => isLog(value) || isSqlite(head) || isDump(head),
  async *read(input) {
    const store = openMemoryStore();
    const words = input.words === null ? null : readWords(input.words);
    const joined = new Set<StoreRun>();
    const kinds = new Map(input.files.map((file) => [file, kindOf(file)]));
    for (const [file, kind] of kinds) {
      if (kind !== "log") yield* stored(kind === "sqlite" ? sqliteRows(file) : dumpRows(file), store);
    }
    if (input.postgres !== null) yield* stored(postgresRows(input.postgres), store);
    for (const [file, kind] of kinds) if (kind === "log") yield* readLog(file, input, { store, joined, words });
    const all = store.runs();
    for (const run of all) if (!joined.has(run)) yield* readStored(run, all, words);
  },
};

export default importer;

type StoreRows = StoreRow | StoreEvents | Rejected;

async function* stored(rows: AsyncIterable<StoreRows> | Iterable<StoreRows>, store: MemoryStore) {
  for await (const row of rows) {
    const unused = "kind" in row ? row : store.add(row);
    if (unused !== null) yield unused;
  }
}

function* readLog(
  file: string,
  input: ImportInput,
  { store, joined, words }: { store: MemoryStore; joined: Set<StoreRun>; words: PromptWords | null },
): Generator<Foreign> {
  let beside: StoreRun | null = null;
  const reader = runReader(words, (first) => {
    const nativeId = textIn(first.data.run_id) ?? /run-(\d{8}-\d{6})/.exec(file)?.[1] ?? file;
    const startedAt = timeIn(first.data.start_time) ?? first.at;
    beside = store.startedWith(startedAt);
    if (beside !== null) joined.add(beside);
    const memory = beside === null || words === null ? NO_MEMORY : memoryOf(beside, store.runs());
    const known = beside === null ? {} : { version: versionBeside(beside, store.runs(), words !== null) };
    const storedId = beside?.id ?? storedIdIn(file);
    const aliases = storedId === null ? [] : [storedId];
    return { run: { nativeId, startedAt, files: [file], ...joinedFacts(beside), ...known, aliases }, memory };
  });
  for (const line of input.lines(file)) yield* reader.take(line);
  yield* reader.end();
  // Set by the callback above, which is called for the first event.
  const found = beside as StoreRun | null;
  for (const row of found?.tips ?? []) {
    const tip = tipIdOf(row.source_run_id, row.id);
    if (tip !== null) yield* retirementOf(row, tip);
  }
}

/** The database's own id of a log's run, as the first of its tips gives it; null where it has none. */
function storedIdIn(file: string): string | null {
  for (const { bytes } of readLines(file)) {
    if (bytes?.includes('"tip_added"') !== true) continue;
    const read = parseBytes(bytes);
    const event = "value" in read ? runEventOf(file, read.value) : null;
    const id = event?.type === "tip_added" ? textIn(event.data.source_run_id) : null;
    if (id !== null) return id;
  }
  return null;
}

/** What the database says of a run whose log is there: where prompts are rebuilt, what the runs before it left, too. */
function versionBeside(beside: StoreRun, all: readonly StoreRun[], isRebuilt: boolean): string {
  const startMs = beside.startedAt?.getTime() ?? Number.NEGATIVE_INFINITY;
  const earlier = all.filter((run) => (run.startedAt?.getTime() ?? startMs) < startMs);
  const remembered = [beside, ...earlier].map(({ id, attempts, tips, lessons, bans }) => [
    ...[id, attempts, tips, bans],
    lessons.map((one) => [String(one.id), one.lesson]),
  ]);
  return hashJson([beside.id, beside.skill, beside.config, beside.tips, ...(isRebuilt ? remembered : [])]);
}

function joinedFacts(beside: StoreRun | null): Pick<ForeignRun, "skill" | "facts"> {
  const skill = (beside?.skill ?? "stig").split("-", 1)[0] as string;
  return { skill, facts: beside === null ? {} : { config: beside.config } };
}

/** A run that only the database knows: by its events where they were copied there, else by what the harness remembers. */
async function* readStored(
  run: StoreRun,
  all: readonly StoreRun[],
  words: PromptWords | null,
): AsyncGenerator<Foreign> {
  if (run.startedAt === null && run.workItems.length === 0 && run.events.length === 0) return;
  const start = {
    ...{ nativeId: run.id, startedAt: run.startedAt, files: [], ...joinedFacts(run) },
    version: hashJson([run.workItems, run.attempts, run.tips, sumOf(run.events, ({ count }) => count)]),
  };
  if (run.events.length > 0) {
    const memory = words === null ? NO_MEMORY : memoryOf(run, all);
    const reader = runReader(words, () => ({ run: start, memory }));
    for (const { read } of run.events) {
      for await (const one of read()) yield* reader.take("kind" in one ? one : { where: one.where, value: one.row });
    }
    yield* reader.end();
  } else {
    yield { kind: "run", model: null, ...start };
    yield* storedRecords(run);
  }
}

interface RunReader {
  take(line: JsonLine | Rejected): Generator<Foreign>;
  end(): Generator<Foreign>;
}

/** Says a run event by event; `begin` tells what its first one means. */
function runReader(
  words: PromptWords | null,
  begin: (first: RunEventLine) => { run: Omit<ForeignRun, "kind" | "model">; memory: RunMemory },
): RunReader {
  let machine: RunMachine | null = null;
  return {
    *take(line) {
      if ("kind" in line) return yield line;
      const event = runEventOf(line.where, line.value);
      if (event === null) return yield rejected(line.where, "it is no event of a run log");
      if (machine === null) {
        const { run, memory } = begin(event);
        yield { kind: "run", model: null, mergesCalls: true, ...run };
        machine = runMachine(openPromptBook(words, memory));
      }
      yield* machine.take(event);
    },
    *end() {
      if (machine !== null) yield* machine.end();
    },
  };
}

function kindOf(file: string): "log" | "sqlite" | "dump" {
  const head = readHead(file, HEAD_BYTES);
  if (isSqlite(head)) return "sqlite";
  return isDump(head) ? "dump" : "log";
}

function isLog(value: unknown): boolean {
  return isObject(value) && "event_type" in value && "agent" in value && isObject(value.data);
}

function isDump(head: Buffer): boolean {
  return DUMP.test(head.toString("latin1", 0, HEAD_BYTES));
}
