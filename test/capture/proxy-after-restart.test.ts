/** What a proxy does with the runs that an earlier process left: goes on with them, judges and seals them. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RecordOptions } from "../../src/capture/index.ts";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/run-log.ts";
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
    ({ body }) => (body.includes("broken") ? { status: 500, pieces: ["no"] } : { pieces: [answered("right")] }),
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
    await expect.poll(() => verdictsIn("v")).toEqual({ "a/1": true });
    await recording.post("/r/v/finish");
    expect(await verdictsIn("v")).toEqual({ "a/1": true, "b/1": true, "a/2": true });
  });

  it("is run by `tracemill seal` too, which takes the agent's own name", async () => {
    await start();
    await ask("/r/nightly/i/a/a/1");
    await recording.close();
    const { stdout, exitCode } = await tracemill(home, "seal", "nightly", "--verify-cmd", COMMAND);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^Sealed \S+: 1 attempts at 1 items, 1 passed$/)]);
    expect(await verdictsIn("nightly")).toEqual({ "a/1": true });
    const unknown = await tracemill(home, "seal", "nightl");
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining("nightly")]);
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
