/** The most memory that `verify` and the lake's making take where one line of a log is very long. */
import { expect, test } from "vitest";
import type { Json } from "../../src/foundation/canonical-json.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { reopenRunLog } from "../../src/store/run-log.ts";
import { sealRun } from "../../src/store/runs.ts";
import { peakMb } from "../fixtures/peak-memory.ts";
import { createBufferedLog } from "./buffered-log.ts";
import { sampleRunId, withHome, writeSampleRun } from "./sample-run.ts";

const LIMIT_MB = 500;
const LONG_TEXT_BYTES = 30e6;
const ITEMS = 100_000;
const run = sampleRunId(1);

async function ask(home: Home, sql: string): Promise<Json | undefined> {
  const lake = await openLake(home);
  try {
    return (await lake.query(sql))[0]?.answer;
  } finally {
    lake.close();
  }
}

test(`a message of ${LONG_TEXT_BYTES / 1e6} MB goes through verify and lake below ${LIMIT_MB} MB`, () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 20, isUnfinished: true });
    const { log } = reopenRunLog(home, { run, clock: systemClock });
    log.message({ role: "user", content: "long text ".repeat(LONG_TEXT_BYTES / 10) });
    log.append({ type: "run_finished", data: { items: 20, attempts: 40, passed: 20, failures: 0 } });
    log.close();
    await sealRun(home, run, systemClock);
    expect(await peakMb("verify", home)).toBeLessThan(LIMIT_MB);
    expect(await peakMb("lake", home)).toBeLessThan(LIMIT_MB);
    expect(await ask(home, "SELECT max(length(content)) AS answer FROM messages")).toBe(LONG_TEXT_BYTES);
  }));

test(`${ITEMS} items in one line go through verify and lake below ${LIMIT_MB} MB`, () =>
  withHome(async (home) => {
    const options = { items: ITEMS, itemsPerEvent: ITEMS, attemptsPerItem: 0, createLog: createBufferedLog };
    await writeSampleRun(home, options);
    expect(await peakMb("verify", home)).toBeLessThan(LIMIT_MB);
    expect(await peakMb("lake", home)).toBeLessThan(LIMIT_MB);
    expect(await ask(home, "SELECT count(DISTINCT item) AS answer FROM items WHERE state = 'unsolved'")).toBe(ITEMS);
  }));
