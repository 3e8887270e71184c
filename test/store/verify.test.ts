import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { steppingClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { reopenRunLog } from "../../src/store/run-log.ts";
import { type LogReport, verifyHome } from "../../src/store/verify.ts";
import { sampleRunId, withHome, writeSampleRun } from "./sample-run.ts";

const RUNS = process.env.TRACEMILL_LONG ? 5000 : 150;
const sealed = sampleRunId(1);
const open = sampleRunId(2);
const clock = steppingClock(new Date("2026-11-01T12:00:00.000Z"), 7);

let home: Home;
/** The bytes of each log as they were written. */
let written: Record<string, Buffer>;

beforeAll(async () => {
  home = homeAt(mkdtempSync(join(tmpdir(), "tracemill-")));
  await writeSampleRun(home, { number: 1 });
  await writeSampleRun(home, { number: 2, isUnfinished: true });
  written = { [sealed]: readFileSync(home.runLog(sealed)), [open]: readFileSync(home.runLog(open)) };
});
afterAll(() => rmSync(home.path, { recursive: true }));

/** Writes a changed log, verifies, and puts the log back. */
async function reportOf(log: string, bytes: Buffer): Promise<LogReport> {
  writeFileSync(home.runLog(log), bytes);
  const report = await verifyHome(home);
  writeFileSync(home.runLog(log), written[log] as Buffer);
  return report.logs.find((of) => of.log === log) as LogReport;
}

const bytesOf = (log: string) => written[log] as Buffer;
const linesOf = (log: string) => bytesOf(log).toString("utf8").trimEnd().split("\n");
const joined = (lines: string[]) => Buffer.from(`${lines.join("\n")}\n`);
/** The number of the line that a byte belongs to; a newline belongs to the line that it ends. */
const lineAt = (bytes: Buffer, at: number) => bytes.subarray(0, at).filter((byte) => byte === 10).length + 1;

test("an untouched home is sound: the ledger, a sealed log and an open one", async () => {
  const { logs, isSound, hasTornTail } = await verifyHome(home);
  expect([isSound, hasTornTail]).toEqual([true, false]);
  expect(logs.map(({ log, state, events }) => [log, state, events])).toEqual([
    ["ledger", "open", 1],
    [sealed, "sealed", linesOf(sealed).length],
    [open, "open", linesOf(open).length],
  ]);
});

test("an empty home is sound", () =>
  withHome(async (empty) => {
    expect(await verifyHome(empty)).toMatchObject({ isSound: true, logs: [{ log: "ledger", events: 0 }] });
  }));

describe("of a sealed log", () => {
  test("one changed byte anywhere is found at its line", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, change) => {
        const bytes = Buffer.from(bytesOf(sealed));
        const at = place % bytes.length;
        bytes[at] = (bytes[at] as number) ^ change;
        const report = await reportOf(sealed, bytes);
        expect(report.state).toBe("broken");
        expect(report.broken?.line).toBe(lineAt(bytesOf(sealed), at));
      }),
      { numRuns: RUNS },
    ));

  test("bytes taken out or put in anywhere are found at the first line that is not as it was", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(3000), fc.uint8Array({ maxLength: 300 }), async (place, cut, added) => {
        const before = bytesOf(sealed);
        const at = place % before.length;
        const bytes = Buffer.concat([before.subarray(0, at), added, before.subarray(at + cut)]);
        fc.pre(!bytes.equals(before));
        const same = before.findIndex((byte, i) => byte !== bytes[i]);
        const report = await reportOf(sealed, bytes);
        expect(report.state).toBe("broken");
        expect(report.broken?.line).toBe(same === -1 ? linesOf(sealed).length + 1 : lineAt(before, same));
      }),
      { numRuns: RUNS },
    ));

  test("a line that is missing, doubled, moved or added is found", async () => {
    const lines = linesOf(sealed);
    const without = lines.toSpliced(4, 1);
    const doubled = lines.toSpliced(4, 0, lines[4] as string);
    const swapped = lines.toSpliced(4, 2, lines[5] as string, lines[4] as string);
    for (const changed of [without, swapped]) {
      expect((await reportOf(sealed, joined(changed))).broken).toMatchObject({ line: 5, fault: "wrong-seq" });
    }
    expect((await reportOf(sealed, joined(doubled))).broken).toMatchObject({ line: 6, fault: "wrong-seq" });
    expect((await reportOf(sealed, joined(lines.slice(0, -2)))).broken).toMatchObject({
      line: lines.length - 1,
      fault: "cut",
    });
    const more = {
      at: "2026-11-01T12:00:00.000Z",
      data: {},
      prev: hashText(lines.at(-1) as string),
      seq: lines.length,
    };
    const added = [...lines, JSON.stringify({ ...more, type: "checkpoint" })];
    expect((await reportOf(sealed, joined(added))).broken).toMatchObject({ line: lines.length + 1, fault: "added" });
  });

  test("a changed `prev` is found at its own line, a changed text at its own", async () => {
    const lines = linesOf(sealed);
    for (const i of [3, lines.length - 2, lines.length - 1]) {
      const otherPrev = (lines[i] as string).replace(/"prev":"./, (start) =>
        start.endsWith("0") ? start.replace(/.$/, "1") : start.replace(/.$/, "0"),
      );
      expect((await reportOf(sealed, joined(lines.with(i, otherPrev)))).broken).toMatchObject({ line: i + 1 });
      const otherData = (lines[i] as string).replace('"data":{', '"data":{ ');
      expect((await reportOf(sealed, joined(lines.with(i, otherData)))).broken).toMatchObject({
        line: i + 1,
        fault: "edited",
      });
    }
  });

  test("a log that was written anew, with a chain of its own, is not the one that was sealed", async () => {
    let prev = "0".repeat(64);
    const forged = linesOf(sealed).map((line) => {
      const event = JSON.parse(line.replace("sql-result-set", "other-verifier"));
      const text = JSON.stringify({ at: event.at, data: event.data, prev, seq: event.seq, type: event.type });
      prev = hashText(text);
      return text;
    });
    expect((await reportOf(sealed, joined(forged))).broken).toMatchObject({ line: forged.length, fault: "edited" });
  });
});

describe("of an open log", () => {
  test("a cut anywhere in its last line is recovered, a cut before leaves a whole log or is recovered", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), async (place) => {
        const bytes = bytesOf(open).subarray(0, 1 + (place % bytesOf(open).length));
        const whole = bytes.lastIndexOf(10) + 1;
        const report = await reportOf(open, bytes);
        expect(report.state).toBe(whole === bytes.length ? "open" : "torn");
        if (whole === 0) return;
        writeFileSync(home.runLog(open), bytes);
        const { log, cutBytes } = reopenRunLog(home, { run: open, clock });
        log.append({ type: "checkpoint", data: { attempt: `${open}/sql:x/1` as never, name: "after" } });
        log.close();
        expect(cutBytes).toBe(bytes.length - whole);
        expect((await verifyHome(home)).logs.at(-1)).toMatchObject({ state: "open", events: log.events });
      }),
      { numRuns: RUNS },
    ));

  test("a change before its last line is found", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, change) => {
        const bytes = Buffer.from(bytesOf(open));
        const at = place % (bytes.lastIndexOf(10, bytes.length - 2) + 1);
        bytes[at] = (bytes[at] as number) ^ change;
        expect(await reportOf(open, bytes)).toMatchObject({
          state: "broken",
          broken: { line: lineAt(bytesOf(open), at) },
        });
      }),
      { numRuns: RUNS },
    ));
});

test("a sealed log that is gone is told", () =>
  withHome(async (other) => {
    const { run } = await writeSampleRun(other);
    rmSync(other.runLog(run));
    expect(await verifyHome(other)).toMatchObject({ isSound: false, logs: [{}, { log: run, state: "missing" }] });
  }));

test("a changed ledger is told, at its line", () =>
  withHome(async (other) => {
    await writeSampleRun(other, { number: 1 });
    await writeSampleRun(other, { number: 2 });
    writeFileSync(other.ledger, readFileSync(other.ledger, "utf8").replace('"skill":"sql"', '"skill":"sqm"'));
    const { isSound, logs } = await verifyHome(other);
    expect([isSound, logs[0]]).toMatchObject([false, { log: "ledger", state: "broken", broken: { line: 1 } }]);
    appendFileSync(other.ledger, "torn");
    expect((await verifyHome(other)).logs[0]?.broken?.line).toBe(1);
  }));
