/** What a proxy does with the runs that an earlier process left: goes on with them, judges and seals them. */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { foreignStart } from "../../src/capture/foreign-item.ts";
import { giveOutcome, type RecordOptions, readOutcome, sealLeftRun } from "../../src/capture/index.ts";
import { type Clock, systemClock } from "../../src/foundation/clock.ts";
import { Failure } from "../../src/foundation/errors.ts";
import type { RunEvent } from "../../src/records/events.ts";
import { newRunId, type RunId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { withLake } from "../../src/store/lake.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { listRuns } from "../../src/store/runs.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { answered, asked, type Recording, said, startRecordingAt, user } from "./recording.ts";

let home: Home;
let remove: () => void;
let recording: Recording;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(async () => {
  await recording.close();
  remove();
  expect(recording.bugs).toEqual([]);
});

async function start(changes: Partial<RecordOptions> = {}): Promise<void> {
  recording = await startRecordingAt(
    home,
    ({ body }) => {
      if (body.includes("broken")) return { status: 500, pieces: ["no"] };
      return { pieces: [answered(body.includes("wrong") ? "wrong" : "right")] };
    },
    changes,
  );
}

async function restart(changes: Partial<RecordOptions> = {}): Promise<void> {
  await recording.close();
  await start(changes);
}

const ask = (place: string, text = "one", more: object = {}) =>
  recording.post(`${place}/v1/chat/completions`, asked(text, more));

const eventsIn = async (label: string | null) => {
  const run = (await listRuns(home)).find((one) => one.label === label);
  return eventsOf(home, run?.run as never);
};

const COMMAND = 'read answer; test "$answer" = right';
const verify = { command: COMMAND, timeoutMs: 5000, signal: new AbortController().signal };

describe("a verifier's command", () => {
  const verdictsIn = async (label: string) =>
    Object.fromEntries(
      only(await eventsIn(label), "verdict").map(({ attempt, verdict }) => [attempt.slice(26), verdict.passed]),
    );

  it("reads the last answer of an attempt that an earlier process heard, whatever it is asked on", async () => {
    await start();
    await ask("/r/v/i/a/a/1");
    await ask("/r/v/i/b/a/1");
    await restart({ verify });
    await ask("/r/v/i/a/a/2");
    await recording.post("/r/v/finish");
    expect(await verdictsIn("v")).toEqual({ "a/1": true, "b/1": true, "a/2": true });
  });

  it("reads what the worker was answered last where other roles speak after it, and theirs where there is no worker", async () => {
    await start({ verify });
    const says = (item: string, role: string, text: string) => ask(`/r/v/i/${item}/a/1/role/${role}`, text);
    await says("a", "architect", "plan: wrong");
    await says("a", "worker", "work");
    await says("a", "reflector", "lesson: wrong");
    await says("b", "architect", "plan");
    await says("b", "worker", "work: wrong");
    await says("c", "planner", "plan: wrong");
    await says("c", "coder", "code");
    await says("d", "worker", "broken");
    await says("d", "reflector", "lesson");
    await restart({ verify });
    await recording.post("/r/v/finish");
    expect(await verdictsIn("v")).toEqual({ "a/1": true, "b/1": false, "c/1": true, "d/1": false });
    const verdicts = only(await eventsIn("v"), "verdict");
    const suspects = verdicts.filter(({ verdict }) => verdict.flags.includes("environment-suspect"));
    expect(suspects.map(({ attempt }) => attempt.slice(26))).toEqual(["d/1"]);
  });

  it("judges attempts at one item that were made at once by how each of them ended", async () => {
    await start({ verify });
    for (const place of ["/r/v/i/a/a/1", "/r/v/i/a/a/2"]) await ask(place, "first: wrong");
    for (const place of ["/r/v/i/a/a/1", "/r/v/i/a/a/2"]) await ask(place, "last");
    await recording.post("/r/v/finish");
    expect(only(await eventsIn("v"), "verdict")).toHaveLength(2);
    expect(await verdictsIn("v")).toEqual({ "a/1": true, "a/2": true });
  });

  it("judges an attempt once more that went on after the command had judged it, or while it does", async () => {
    await start();
    const verifier = { id: "verify-cmd", version: "1" };
    await ask("/r/v/i/a/a/1", "first: wrong");
    await recording.post("/outcome", { run: "v", item: "a", value: 0, verifier });
    await ask("/r/v/i/a/a/1", "last");
    await ask("/r/v/i/b/a/1", "first: wrong");
    await restart({ verify: { ...verify, command: `sleep 1; ${COMMAND}` } });
    const sealing = recording.post("/r/v/finish");
    await sleep(500);
    await ask("/r/v/i/b/a/1", "last");
    expect(await (await sealing).json()).toMatchObject({ attempts: 2, passed: 2 });
    const told = only(await eventsIn("v"), "verdict").map(({ attempt, verdict }) => [attempt.slice(26), verdict.value]);
    expect(told).toEqual([
      ["a/1", 0],
      ["a/1", 1],
      ["b/1", 1],
    ]);
  });

  it("is run by `tracemill seal` too, which takes the agent's own name", async () => {
    await start();
    await ask("/r/nightly/i/a/a/1");
    await recording.close();
    const { stdout, exitCode } = await tracemill(home, "seal", "nightly", "--verify-cmd", COMMAND);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^Sealed \S+: 1 attempt at 1 item, 1 passed$/)]);
    expect(await verdictsIn("nightly")).toEqual({ "a/1": true });
    const unknown = await tracemill(home, "seal", "nightl");
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining("nightly")]);
  });

  it("that the shell does not find leaves the run as it was, for another", async () => {
    await start();
    await ask("/r/v/i/a/a/1");
    await recording.close();
    const [run] = await listRuns(home);
    const sealed = (command: string) =>
      sealLeftRun({ home, clock: systemClock, run: run?.run as never, verify: { ...verify, command } });
    await expect(sealed("./nope.sh")).rejects.toMatchObject({
      ...{ code: "VERIFIER_NOT_STARTED", message: expect.stringContaining("./nope.sh: not found") },
    });
    expect((await eventsIn("v")).map(({ type }) => type)).not.toContain("failure");
    const told = await sealed(COMMAND);
    expect(told).toMatchObject({ attempts: 1, passed: 1 });
    expect(told.notVerified).toBeUndefined();
  });

  it("that says nothing of some attempts has them told, and `label` has another judge them and none besides", async () => {
    await start();
    for (const item of ["a", "b", "c"]) await ask(`/r/v/i/${item}/a/1`);
    const verifier = { id: "pytest", version: "8" };
    await recording.post("/outcome", { run: "v", item: "c", value: 0, verifier });
    await recording.close();
    const halting = `test $TRACEMILL_ITEM = a && ${COMMAND} || echo '{"value":2}'`;
    const { stdout, exitCode } = await tracemill(home, "seal", "v", "--verify-cmd", halting);
    expect([exitCode, stdout]).toEqual([3, expect.stringContaining("not judged: 1 attempt: The verifier's last line")]);
    const again = await tracemill(home, "seal", "v", "--verify-cmd", COMMAND);
    expect(again.stderr).toContain("tracemill label");
    const labelled = await tracemill(home, "label", "v", "--verify-cmd", COMMAND);
    expect([labelled.exitCode, labelled.stdout.split("\n")]).toEqual([
      0,
      [
        expect.stringMatching(/^1 attempt of \S+ has a verdict now$/),
        "2 attempts left alone, as a check judged them before",
      ],
    ]);
    const columns = "SELECT item, eval_passed AS passed, verifier_id AS by FROM mine.attempts ORDER BY item";
    expect(await withLake(home, (lake) => lake.query(columns))).toEqual([
      { item: "mine:a", passed: true, by: "verify-cmd" },
      { item: "mine:b", passed: true, by: "verify-cmd" },
      { item: "mine:c", passed: false, by: "pytest" },
    ]);
  });

  it("that is stopped leaves the run as it was, and is no bug", async () => {
    const stopping = new AbortController();
    await start({ verify: { command: "sleep 60", timeoutMs: 60_000, signal: stopping.signal } });
    await ask("/r/v/i/a");
    const finished = recording.post("/r/v/finish");
    await sleep(300);
    stopping.abort(new Failure({ boundary: "user", code: "INTERRUPTED", message: "stopped by SIGINT" }));
    const { status } = await finished;
    expect([status, (await listRuns(home)).map(({ isSealed }) => isSealed)]).toEqual([503, [false]]);
  });

  it("judges an attempt too that is made while others are being judged", async () => {
    await start({ verify: { ...verify, command: `sleep 1; ${COMMAND}` } });
    await ask("/r/v/i/a/a/1");
    const sealing = recording.post("/r/v/finish");
    await sleep(200);
    await ask("/r/v/i/b/a/1");
    expect(await (await sealing).json()).toMatchObject({ attempts: 2, passed: 2, unjudged: 0 });
    expect(await verdictsIn("v")).toEqual({ "a/1": true, "b/1": true });
  });

  it("says nothing of the environment where the attempt was answered, and doubts it where every call failed", async () => {
    await start({ verify });
    await ask("/r/v/i/a/a/1");
    await ask("/r/v/i/b/a/1", "broken");
    await recording.post("/r/v/finish");
    const flags = only(await eventsIn("v"), "verdict").map(({ verdict }) => [verdict.passed, ...verdict.flags]);
    expect(flags.toSorted()).toEqual([[false, "environment-suspect"], [true]]);
  });
});

describe("calls without a name", () => {
  const turnsIn = async () => only(await eventsIn(null), "turn").map(({ turn }) => turn.replace(/.*-\w+\//, ""));
  const more = { messages: [user("one"), said("right"), user("two")] };

  it("go on in the run that an earlier process left, in the same attempt where their messages do", async () => {
    await start();
    await ask("");
    await restart();
    await Promise.all([ask("", "one", more), ask("", "other")]);
    const runs = await listRuns(home);
    expect(runs).toHaveLength(1);
    expect((await turnsIn()).toSorted()).toEqual(["1#1", "1#1", "1#2"]);
    await ask(`/r/${runs[0]?.run}`, "named by its id");
    await restart();
    expect(await (await recording.post("/finish")).json()).toMatchObject({ run: runs[0]?.run, attempts: 3 });
  });

  it("begin another run where it is of another skill, before another server, or in the hands of another proxy", async () => {
    await start();
    await ask("");
    await restart({ skill: "other" });
    await ask("");
    await restart({ config: { upstream: "http://127.0.0.1:1/v1" } });
    await ask("");
    expect(await listRuns(home)).toHaveLength(3);
    await restart();
    await ask("", "again");
    const beside = await startRecordingAt(home, () => ({ pieces: [answered("right")] }));
    expect((await beside.post("/v1/chat/completions", asked("one"))).status).toBe(200);
    await beside.close();
    expect(await listRuns(home)).toHaveLength(4);
  });
});

describe("calls under a name", () => {
  it("repeat the attempt of an earlier process whose call got no answer", async () => {
    await start();
    await ask("/r/v/i/a", "broken");
    await ask("/r/v/i/a", "one");
    await restart();
    await ask("/r/v/i/a", "broken");
    await ask("/r/v/i/a", "one");
    const places = only(await eventsIn("v"), "turn").map(({ turn }) => turn.slice(28));
    expect(places).toEqual(["1#1", "2#1", "1#2", "3#1"]);
  });

  it("begin another run where that of the name is of another skill, and are refused where its id is", async () => {
    await start();
    await ask("/r/v/i/one");
    const [mine] = await listRuns(home);
    await restart({ skill: "other" });
    expect((await ask("/r/v/i/one")).status).toBe(200);
    const refused = await ask(`/r/${mine?.run}/i/one`);
    expect([refused.status, await refused.json()]).toMatchObject([409, { error: { code: "OTHER_SKILL" } }]);
    expect((await recording.post("/r/v/finish")).status).toBe(200);
    const runs = await listRuns(home);
    expect(runs.map(({ label, skill, isSealed }) => [label, skill, isSealed]).toSorted()).toEqual([
      ["v", "mine", false],
      ["v", "other", true],
    ]);
    await restart();
    await ask(`/r/${mine?.run}/i/two`);
    const items = only(await eventsOf(home, mine?.run as never), "items_scanned").flatMap((one) => one.items);
    expect(items.map(({ item }) => item)).toEqual(["mine:one", "mine:two"]);
  });
});

it("a run that a proxy has open is not sealed or judged from outside: it is said how the proxy does", async () => {
  await start();
  await ask("/r/night 7/i/a");
  await ask("");
  const outcome = { item: "a", value: 1, verifier: { id: "v", version: "1" } };
  for (const { run, label } of await listRuns(home)) {
    const place = label === null ? "" : "/r/night%207";
    const fix = `POST ${place}/outcome says an outcome, and POST ${place}/finish seals the run`;
    const refused = { code: "LOCKED", details: { fix: expect.stringContaining(fix) } };
    await expect(sealLeftRun({ home, clock: systemClock, run, verify: null })).rejects.toMatchObject(refused);
    await expect(giveOutcome({ home, clock: systemClock }, readOutcome({ run, ...outcome }))).rejects.toMatchObject(
      refused,
    );
    expect(await (await recording.post(`${place}/finish`)).json()).toMatchObject({ run });
  }
});

describe("the time of quiet", () => {
  const sealedHere = () => {
    const runs: string[] = [];
    return { runs, changes: { idleMs: 400, onSealed: ({ run }: { run: string }) => void runs.push(run) } };
  };

  it("seals runs that an earlier process left, the attempts judged, and those alone that are of its skill", async () => {
    await start({ skill: "other" });
    await ask("/r/else");
    await restart();
    await ask("/r/v/i/a/a/1");
    await ask("");
    const { runs, changes } = sealedHere();
    await restart({ ...changes, verify });
    await expect.poll(() => runs.length, { timeout: 5000 }).toBe(2);
    const seals = (await listRuns(home)).map(({ label, isSealed }) => [label, isSealed]);
    expect(seals.toSorted()).toEqual(
      [
        [null, true],
        ["else", false],
        ["v", true],
      ].toSorted(),
    );
    expect(only(await eventsIn("v"), "verdict").map(({ verdict }) => verdict.passed)).toEqual([true]);
  });

  it("leaves a run to the proxy that has it, and seals it once that has gone", async () => {
    await start();
    await ask("/r/v");
    const { runs, changes } = sealedHere();
    const beside = await startRecordingAt(home, () => ({ pieces: [answered("right")] }), changes);
    await sleep(1000);
    expect(runs).toEqual([]);
    await recording.close();
    await expect.poll(() => runs.length, { timeout: 5000 }).toBe(1);
    recording = beside;
  });

  function leftRun(clock: Clock, last: RunEvent): RunId {
    const run = newRunId(clock);
    const log = createRunLog(home, { run, clock });
    const config = { command: "record", label: "v" };
    log.append({ type: "run_started", data: foreignStart({ run, skill: "mine", codeVersion: "t", config }) });
    log.append(last);
    log.close();
    return run;
  }

  it("says each run that it seals, also where it cannot go on with the one after it", async () => {
    const failure = { boundary: "endpoint", code: "TIMEOUT", message: "no answer", attempt: null };
    const at = (hour: number) => () => new Date(Date.UTC(2026, 0, 1, hour));
    const [first, broken, last] = [1, 2, 3].map((hour) => leftRun(at(hour), { type: "failure", data: failure }));
    const path = home.runLog(broken as RunId);
    writeFileSync(path, readFileSync(path, "utf8").replace('"codeVersion":"t"', '"codeVersion":"u"'));
    const { runs, changes } = sealedHere();
    const faults: unknown[] = [];
    await start({ ...changes, onBug: (error) => void faults.push(error) });
    await expect.poll(() => runs, { timeout: 5000 }).toEqual([first, last]);
    expect(faults).toMatchObject([{ code: "LOG_BROKEN" }]);
  });

  it("seals a run whose log was ended and never sealed", async () => {
    const counts = { items: 0, attempts: 0, passed: 0, failures: 0 };
    const run = leftRun(systemClock, { type: "run_finished", data: counts });
    const { runs, changes } = sealedHere();
    await start(changes);
    await expect.poll(() => runs, { timeout: 5000 }).toEqual([run]);
    expect((await listRuns(home))[0]).toMatchObject({ isSealed: true });
  });
});
