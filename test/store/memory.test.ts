import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaNode } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { reopenRunLog, sealRun } from "../../src/store/run-log.ts";
import { createBufferedLog } from "./buffered-log.ts";
import { sampleRunId, withHome, writeSampleRun } from "./sample-run.ts";

/** The full size is 2 GB; the sampled one is cut into parts as the full one is. */
const LOG_MB = process.env.TRACEMILL_LONG ? 2000 : 100;
const LIMIT_MB = 500;
const ITEM_BYTES = 11_000;
const LONG_TEXT_BYTES = 30e6;
const run = sampleRunId(1);

let home: Home;
beforeAll(async () => {
  home = homeAt(mkdtempSync(join(tmpdir(), "tracemill-")));
  const items = Math.ceil((LOG_MB * 1e6) / ITEM_BYTES);
  await writeSampleRun(home, { items, attemptsPerItem: 2, taskBytes: 1500, createLog: createBufferedLog });
}, 600_000);
afterAll(() => rmSync(home.path, { recursive: true }));

/** Does one thing in a process of its own and returns the most memory that it had, in MB. */
async function peakMb(what: "verify" | "lake", { path }: Home): Promise<number> {
  const { stdout } = await execaNode(join(import.meta.dirname, "measured-process.ts"), [what, path]);
  return Number(stdout);
}

test(`verify of a log of ${LOG_MB} MB stays below ${LIMIT_MB} MB`, { timeout: 600_000 }, async () => {
  expect(statSync(home.runLog(sampleRunId(1))).size).toBeGreaterThan(LOG_MB * 0.9e6);
  expect(await peakMb("verify", home)).toBeLessThan(LIMIT_MB);
});

test(`the lake of a log of ${LOG_MB} MB is made below ${LIMIT_MB} MB`, { timeout: 600_000 }, async () => {
  expect(await peakMb("lake", home)).toBeLessThan(LIMIT_MB);
});

test(`one line of ${LONG_TEXT_BYTES / 1e6} MB goes through verify and lake below ${LIMIT_MB} MB`, () =>
  withHome(async (other) => {
    await writeSampleRun(other, { items: 20, isUnfinished: true });
    const { log } = reopenRunLog(other, { run, clock: systemClock });
    log.message({ role: "user", content: "long text ".repeat(LONG_TEXT_BYTES / 10) });
    log.append({ type: "run_finished", data: { items: 20, attempts: 40, passed: 20, failures: 0 } });
    log.close();
    await sealRun(other, run, systemClock);
    expect(await peakMb("verify", other)).toBeLessThan(LIMIT_MB);
    expect(await peakMb("lake", other)).toBeLessThan(LIMIT_MB);
    const lake = await openLake(other);
    const [row] = await lake.query("SELECT max(length(content)) AS longest FROM messages");
    lake.close();
    expect(row?.longest).toBe(LONG_TEXT_BYTES);
  }));
