import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { canonicalJson } from "../../src/foundation/canonical-json.ts";
import { steppingClock } from "../../src/foundation/clock.ts";
import { Failure } from "../../src/foundation/errors.ts";
import { hashJson, hashText, ZERO_HASH } from "../../src/foundation/hashing.ts";
import type { LoggedEvent, RunEvent } from "../../src/records/events.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Message } from "../../src/records/message.ts";
import type { Home } from "../../src/store/home.ts";
import { createRunLog, reopenRunLog } from "../../src/store/run-log.ts";
import { listRuns, readRunLog, sealRun } from "../../src/store/runs.ts";
import { sampleRunId, withHome, writeSampleRun } from "./sample-run.ts";

const run = sampleRunId(1);
const clock = steppingClock(new Date("2026-11-01T12:00:00.000Z"), 7);
const note = (message: string): RunEvent => ({
  type: "failure",
  data: { boundary: "test", code: "NOTE", message, attempt: null },
});
const refusal = (code: string) => expect.objectContaining({ code });

async function eventsOf(home: Home, of: RunId = run): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for await (const event of readRunLog(home, of)) events.push(event);
  return events;
}

test("every line is canonical JSON and holds the hash of the line before it", () =>
  withHome(async (home) => {
    const { head } = await writeSampleRun(home);
    const lines = readFileSync(home.runLog(run), "utf8").trimEnd().split("\n");
    let prev: string = ZERO_HASH;
    for (const [seq, line] of lines.entries()) {
      const event = JSON.parse(line) as LoggedEvent;
      expect(line).toBe(canonicalJson(event));
      expect([event.seq, event.prev]).toEqual([seq, prev]);
      prev = hashText(line);
    }
    expect(head).toBe(prev);
  }));

test("events read back as they were appended", () =>
  withHome(async (home) => {
    const texts = ["plain", 'quoted "\\" \n\t\u0000\u2028', "ünïcode ☃ 🙂", "x".repeat(3 << 20)];
    const log = createRunLog(home, { run, clock });
    for (const text of texts) log.append(note(text));
    log.close();
    const events = await eventsOf(home);
    expect(events.map(({ data }) => (data as { message: string }).message)).toEqual(texts);
    expect(events[1]?.at).toMatch(/^2026-11-01T12:00:00\.\d{3}Z$/);
  }));

test("a message and a list of tools are written once a run, under their hash, also after reopening", () =>
  withHome(async (home) => {
    const message: Message = { role: "user", content: "How many?" };
    const tools = [{ type: "function" as const, function: { name: "run_sql" } }];
    const log = createRunLog(home, { run, clock });
    const hash = log.message(message);
    expect(hash).toBe(hashJson(message));
    expect(log.message({ content: "How many?", role: "user" })).toBe(hash);
    expect(log.tools(tools)).toBe(log.tools(tools));
    log.close();
    const { log: reopened } = reopenRunLog(home, { run, clock });
    expect(reopened.message(message)).toBe(hash);
    expect(reopened.tools(tools)).toBe(hashJson(tools));
    expect(reopened.events).toBe(2);
    reopened.close();
    expect((await eventsOf(home)).map(({ type }) => type)).toEqual(["message", "tools"]);
  }));

test("a reopened log goes on where it ended, and its events are handed out in order", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { isUnfinished: true });
    const before = await eventsOf(home);
    const seen: LoggedEvent[] = [];
    const { log, cutBytes } = reopenRunLog(home, { run, clock, onEvent: (event) => seen.push(event) });
    log.append(note("resumed"));
    expect([cutBytes, log.events]).toEqual([0, before.length + 1]);
    log.close();
    expect(seen).toEqual(before);
    expect((await eventsOf(home)).at(-1)).toMatchObject({
      seq: before.length,
      prev: expect.not.stringMatching(/^0+$/),
    });
  }));

test("a torn last line is cut off, told, and goes on from the last whole one", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { isUnfinished: true });
    const whole = (await eventsOf(home)).length;
    const path = home.runLog(run);
    const wholeBytes = statSync(path).size;
    for (const [i, tail] of ['{"at":"2026', "garbage\n", "\0".repeat(5000)].entries()) {
      appendFileSync(path, tail);
      const { log, cutBytes } = reopenRunLog(home, { run, clock });
      log.close();
      expect(cutBytes).toBe(tail.length);
      const events = await eventsOf(home);
      expect(events).toHaveLength(whole + 1 + i);
      expect(events.at(-1)?.data).toMatchObject({ boundary: "log", code: "TORN_TAIL" });
    }
    expect(statSync(path).size).toBeGreaterThan(wholeBytes);
  }));

test("a last line with its end but not all of its middle is a torn one", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { isUnfinished: true });
    const path = home.runLog(run);
    const bytes = readFileSync(path);
    const lastLine = bytes.lastIndexOf(10, bytes.length - 2) + 1;
    bytes.fill(0, lastLine + 40, lastLine + 80);
    writeFileSync(path, bytes);
    const { log, cutBytes } = reopenRunLog(home, { run, clock });
    log.close();
    expect(cutBytes).toBe(bytes.length - lastLine);
  }));

test("a log with a changed line is not reopened", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { isUnfinished: true });
    const path = home.runLog(run);
    writeFileSync(path, readFileSync(path, "utf8").replace("count(*) FROM t WHERE", "count(1) FROM t WHERE"));
    expect(() => reopenRunLog(home, { run, clock })).toThrow(refusal("LOG_BROKEN"));
    expect(existsSync(join(home.runFolder(run), "lock"))).toBe(false);
  }));

test("a log whose first line is torn has nothing to resume", () =>
  withHome(async (home) => {
    createRunLog(home, { run, clock }).close();
    appendFileSync(home.runLog(run), '{"at":');
    expect(() => reopenRunLog(home, { run, clock })).toThrow(refusal("LOG_EMPTY"));
    expect(readFileSync(home.runLog(run), "utf8")).toBe('{"at":');
  }));

test("nothing is added to a run that is sealed, finished, unknown, there already or in use", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { number: 1 });
    const finished = createRunLog(home, { run: sampleRunId(2), clock });
    finished.append({ type: "run_finished", data: { items: 0, attempts: 0, passed: 0, failures: 0 } });
    expect(() => finished.append(note("late"))).toThrow("Bug: append of failure to a log that is finished");
    expect(() => reopenRunLog(home, { run: sampleRunId(2), clock })).toThrow(refusal("LOCKED"));
    finished.close();
    expect(() => finished.append(note("later"))).toThrow("closed");
    expect(() => reopenRunLog(home, { run: sampleRunId(1), clock })).toThrow(refusal("RUN_SEALED"));
    expect(() => reopenRunLog(home, { run: sampleRunId(2), clock })).toThrow(refusal("RUN_FINISHED"));
    expect(() => reopenRunLog(home, { run: sampleRunId(3), clock })).toThrow(refusal("UNKNOWN_RUN"));
    expect(() => createRunLog(home, { run: sampleRunId(1), clock })).toThrow(refusal("RUN_EXISTS"));
  }));

test("the lock of a process that died is taken over", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { isUnfinished: true });
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(join(home.runFolder(run), "lock"), `${pid}\n`);
    reopenRunLog(home, { run, clock }).log.close();
    expect(existsSync(join(home.runFolder(run), "lock"))).toBe(false);
  }));

test("an event that cannot be written as it is leaves the log as it was", () =>
  withHome(async (home) => {
    const log = createRunLog(home, { run, clock });
    log.append(note("before"));
    const { head } = log;
    expect(() => log.append(note("x".repeat(65 << 20)))).toThrow(refusal("EVENT_TOO_LARGE"));
    expect(() => log.message({ role: "user", content: "half \ud83d" })).toThrow(Failure);
    expect([log.head, log.events]).toEqual([head, 1]);
    log.append(note("after"));
    log.close();
    expect(await eventsOf(home)).toHaveLength(2);
  }));

test("sealing names the head once; a run that has not finished is not sealed", () =>
  withHome(async (home) => {
    const { head } = await writeSampleRun(home, { number: 1 });
    const ledger = readFileSync(home.ledger, "utf8");
    expect(await sealRun(home, sampleRunId(1), clock)).toBe(head);
    expect(readFileSync(home.ledger, "utf8")).toBe(ledger);
    await writeSampleRun(home, { number: 2, isUnfinished: true });
    await expect(sealRun(home, sampleRunId(2), clock)).rejects.toThrow(refusal("RUN_NOT_FINISHED"));
    await expect(sealRun(home, sampleRunId(3), clock)).rejects.toThrow(refusal("UNKNOWN_RUN"));
    truncateSync(home.runLog(sampleRunId(2)), 100);
    await expect(sealRun(home, sampleRunId(2), clock)).rejects.toThrow(refusal("RUN_NOT_FINISHED"));
  }));

test("a list of runs tells what each is, however far it came", () =>
  withHome(async (home) => {
    expect(await listRuns(home)).toEqual([]);
    const { head } = await writeSampleRun(home, { number: 1, items: 1, attemptsPerItem: 1 });
    await writeSampleRun(home, { number: 2, split: "test", memory: "none", isUnfinished: true });
    createRunLog(home, { run: sampleRunId(3), clock }).close();
    appendFileSync(home.runLog(sampleRunId(2)), "torn");
    const [sealed, open, ...others] = await listRuns(home);
    expect(sealed).toMatchObject({ run: sampleRunId(1), skill: "sql", split: "train", isSealed: true, head });
    expect(sealed?.events).toBe((await eventsOf(home, sampleRunId(1))).length);
    expect(open).toMatchObject({ run: sampleRunId(2), split: "test", memory: "none", isSealed: false, head: null });
    expect(open?.events).toBe((await eventsOf(home, sampleRunId(2))).length);
    expect(others).toEqual([]);
  }));
