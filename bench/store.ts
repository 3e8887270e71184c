/**
 * How fast the store is beside the plainest thing that could do the work: appending events beside appending the same
 * bytes, and making the lake beside DuckDB's own copy of the same file. Both sides are measured in turn, in one process,
 * and the best of some rounds counts, as other load only ever makes a round slower.
 */
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson } from "../src/foundation/canonical-json.ts";
import { systemClock } from "../src/foundation/clock.ts";
import { random } from "../src/foundation/random.ts";
import { sumOf } from "../src/foundation/sums.ts";
import type { RunEvent } from "../src/records/events.ts";
import { attemptId, itemId, newRunId, turnId } from "../src/records/ids.ts";
import { chainLine, EMPTY_CHAIN } from "../src/store/chain.ts";
import { openDatabase, sqlText } from "../src/store/duckdb.ts";
import { type Home, homeAt } from "../src/store/home.ts";
import { buildLake } from "../src/store/lake.ts";
import { createRunLog } from "../src/store/run-log.ts";
import { createBufferedLog } from "../test/store/buffered-log.ts";
import { sampleRunId, writeSampleRun } from "../test/store/sample-run.ts";
import type { BenchRow } from "./bench-row.ts";

const ROUNDS = 3;
const EVENTS = 20_000;
const LOG_SIZES = [1e3, 1e4, 1e5, 1e6];
const EVENTS_AT_SIZE = 500;
const LAKE_LOG_MB = 200;

/** Speed of `append` beside a bare `write` of the same lines, and what one event costs as the log grows. */
export async function benchAppend(): Promise<BenchRow[]> {
  return withFolder(async (home) => {
    const events = Array.from({ length: EVENTS }, (_, i) => actionEvent(i));
    const lines = events.map(lineOf);
    const megabytes = sumOf(lines, (line) => line.length) / 1e6;
    const ours = megabytes / bestSeconds(() => appendEvents(home, events));
    const peer = megabytes / bestSeconds(() => appendLines(join(home.path, "plain.jsonl"), lines));
    const throughput = {
      name: "append with hash chain, beside a plain append",
      ours,
      peer,
      ratio: ours / peer,
      unit: "MB/s",
    };
    return [throughput, ...costBySize(home)];
  });
}

/**
 * Speed of making the lake beside DuckDB's copy of the log into one Parquet file: with `data` as one text, and with its
 * fields found out as the lake has them. The lake also checks the chain, sorts, and joins.
 */
export async function benchLake(): Promise<BenchRow[]> {
  return withFolder(async (home) => {
    const items = Math.ceil((LAKE_LOG_MB * 1e6) / 11_000);
    const { run } = await writeSampleRun(home, { items, taskBytes: 1500, createLog: createBufferedLog });
    const log = home.runLog(run);
    const megabytes = statSync(log).size / 1e6;
    const told = "columns = {'at': 'VARCHAR', 'data': 'JSON', 'prev': 'VARCHAR', 'seq': 'BIGINT', 'type': 'VARCHAR'}";
    const best = { lake: 0, told: 0, found: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      rmSync(home.lake, { recursive: true, force: true });
      best.lake = Math.max(best.lake, megabytes / (await seconds(() => buildLake(home))));
      best.told = Math.max(best.told, megabytes / (await seconds(() => copyPlain(home, log, told))));
      best.found = Math.max(best.found, megabytes / (await seconds(() => copyPlain(home, log, "sample_size = -1"))));
    }
    const row = (name: string, peer: number) => ({
      name,
      ours: best.lake,
      peer,
      ratio: best.lake / peer,
      unit: "MB/s",
    });
    return [
      row("lake, beside DuckDB's copy with `data` left as text", best.told),
      row("lake, beside DuckDB's copy with every field typed", best.found),
    ];
  });
}

function actionEvent(i: number): RunEvent {
  const draw = random("bench", i);
  const attempt = attemptId(sampleRunId(1), itemId("sql", `family-${i % 30}/${i}`), 1);
  const query = `SELECT c${draw.integer(0, 99)}, count(*) FROM t WHERE c${draw.integer(0, 99)} > ${draw.integer(0, 1e6)} GROUP BY 1`;
  const stdout = Array.from({ length: draw.integer(5, 60) }, () => `${draw.integer(0, 1e9)}\t"value"`).join("\n");
  const call = { name: "run_sql", arguments: { query } };
  return {
    type: "action",
    data: { attempt, turn: turnId(attempt, 1), call, exitCode: 0, stdout, stderr: "", durationMs: 3.25 },
  };
}

function lineOf({ type, data }: RunEvent): Buffer {
  return Buffer.from(`${chainLine(EMPTY_CHAIN, { type, dataText: canonicalJson(data) }, systemClock)}\n`);
}

function appendEvents(home: Home, events: RunEvent[]): void {
  const log = createRunLog(home, { run: newRunId(systemClock), clock: systemClock });
  for (const event of events) log.append(event);
  log.close();
}

function appendLines(path: string, lines: Buffer[]): void {
  const fd = openSync(path, "w");
  for (const line of lines) writeSync(fd, line);
  closeSync(fd);
}

function costBySize(home: Home): BenchRow[] {
  const log = createRunLog(home, { run: newRunId(systemClock), clock: systemClock });
  const event = actionEvent(1);
  const microseconds = LOG_SIZES.map((size) => {
    while (log.events < size) log.append(event);
    const round = () => {
      for (let i = 0; i < EVENTS_AT_SIZE; i++) log.append(event);
    };
    return (bestSeconds(round) / EVENTS_AT_SIZE) * 1e6;
  });
  log.close();
  return microseconds.map((ours, i) => ({
    name: `append to a log of 10^${Math.log10(LOG_SIZES[i] ?? 1)} events`,
    ours,
    peer: null,
    ratio: null,
    unit: "µs an event",
  }));
}

async function copyPlain(home: Home, log: string, options: string): Promise<void> {
  const database = await openDatabase({ memoryLimitMb: 8000, threads: 2, spillFolder: join(home.path, "spill") });
  const target = sqlText(join(home.path, "plain.parquet"));
  await database.run(`COPY (SELECT * FROM read_ndjson(${sqlText(log)}, ${options})) TO ${target}`);
  database.close();
}

function bestSeconds(work: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  });
  return Math.min(...times);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function withFolder<T>(use: (home: Home) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-bench-"));
  try {
    return await use(homeAt(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
