import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunResult, runHarness } from "../../src/harness/index.ts";
import type { LoggedEvent } from "../../src/records/events.ts";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type ScriptedModel, type ScriptedReply, startScriptedModel } from "../fixtures/scripted-model.ts";
import { coin, eventsOf, itemsOf, only, runOptions, temporaryHome } from "./setting.ts";

const GOOD: ScriptedReply = { content: "an a" };

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(async () => {
  await model.close();
  remove();
});

/** One attempt at one item, answered by the script. */
async function oneAttempt(replies: ScriptedReply[]): Promise<{ result: RunResult; events: LoggedEvent[] }> {
  model = await startScriptedModel({ replies });
  const patience = { timeoutMs: 150, tries: 3, backoffMs: 1 };
  const options = await runOptions(
    { home, url: model.url },
    { items: await itemsOf("train", 1), attempts: 1, patience },
  );
  const result = await runHarness(options);
  return { result, events: await eventsOf(home, result.run) };
}

function codesOf(events: LoggedEvent[]): string[] {
  return only(events, "failure").map(({ boundary, code }) => `${boundary} ${code}`);
}

describe("a try that fails is recorded as the endpoint's failure and made again", () => {
  it.each([
    ["a server error", { status: 503, body: "busy" }, "HTTP_503"],
    ["a full queue", { status: 429, body: "later", headers: { "retry-after": "0" } }, "HTTP_429"],
    ["an answer that is not JSON", { status: 200, body: "<html>" }, "MALFORMED_ANSWER"],
    ["an answer of another shape", { status: 200, body: '{"choices":[]}' }, "MALFORMED_ANSWER"],
    ["tool calls of another shape", { content: "a", tool_calls: [{ function: 7 }] }, "MALFORMED_ANSWER"],
    [
      "a message that is not the assistant's",
      { status: 200, body: '{"choices":[{"message":{"role":"user"}}]}' },
      "MALFORMED_ANSWER",
    ],
    ["a server that never answers", "hang", "TIMEOUT"],
    ["a connection that breaks off", "close", "CONNECTION"],
  ] as [string, ScriptedReply, string][])("%s", async (_, reply, code) => {
    const { result, events } = await oneAttempt([reply, reply, GOOD]);
    expect(codesOf(events)).toEqual([`endpoint ${code}`, `endpoint ${code}`]);
    expect(result).toMatchObject({ attempts: 1, passed: 1, failures: 0, isComplete: true });
    expect(only(events, "turn")).toHaveLength(1);
  });

  it("sends the same request each time", async () => {
    await oneAttempt([{ status: 500, body: "" }, GOOD]);
    expect(model.requests).toHaveLength(2);
    expect(model.requests[1]).toEqual(model.requests[0]);
  });
});

describe("a call that is given up", () => {
  it("is a turn without a response, leaves the attempt without a verdict and the run resumable", async () => {
    const { result, events } = await oneAttempt(Array(3).fill({ status: 500, body: "broken" }));
    expect(result).toMatchObject({ attempts: 0, failures: 1, isComplete: false, stoppedBy: "lost-calls" });
    expect(only(events, "turn")).toMatchObject([{ response: null, finishReason: null, usage: null }]);
    expect(only(events, "verdict")).toEqual([]);
    expect(only(events, "item_finished")).toEqual([]);
    expect(await listRuns(home)).toMatchObject([{ run: result.run, isSealed: false }]);
  });

  it("is not tried again where another try cannot help", async () => {
    const { result } = await oneAttempt([{ status: 401, body: "who are you?" }, GOOD]);
    expect(model.requests).toHaveLength(1);
    expect(result).toMatchObject({ failures: 1, isComplete: false });
  });

  it("does not follow a redirect, which could lead off the host", async () => {
    const elsewhere = await startScriptedModel({ replies: [GOOD] });
    const location = `${elsewhere.url}/chat/completions`;
    const { events } = await oneAttempt([{ status: 307, body: "", headers: { location } }]);
    expect(codesOf(events)).toEqual(["endpoint HTTP_307"]);
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  it("ends only its item where the server refuses the request itself", async () => {
    const { result, events } = await oneAttempt([{ status: 400, body: "prompt too long" }]);
    expect(result).toMatchObject({ attempts: 0, failures: 1, isComplete: true });
    expect(only(events, "failure")).toMatchObject([{ code: "HTTP_400", message: "prompt too long" }]);
    expect(only(events, "item_finished")).toMatchObject([{ state: "failed", attempts: 0 }]);
  });

  it("ends only its item where the answer cannot be written as Unicode", async () => {
    const body = '{"choices":[{"message":{"role":"assistant","content":"\\ud800 a"}}]}';
    const { result, events } = await oneAttempt([{ status: 200, body }]);
    expect(codesOf(events)).toEqual(["log NOT_UNICODE"]);
    expect(result).toMatchObject({ failures: 1, isComplete: true });
  });
});

describe("an outage in the middle", () => {
  it("stops the run, and resuming makes just what is missing", async () => {
    let answersLeft = 9;
    model = await startScriptedModel({ replies: (request) => (answersLeft-- > 0 ? coin(request) : "close") });
    const options = await runOptions({ home, url: model.url }, { items: await itemsOf("train", 20), attempts: 2 });
    const stopped = await runHarness(options);
    expect(stopped).toMatchObject({ isComplete: false, stoppedBy: "outage" });
    expect(stopped.attempts).toBe(9);
    expect(only(await eventsOf(home, stopped.run), "turn").length).toBeLessThan(20);

    answersLeft = Number.POSITIVE_INFINITY;
    const resumed = await runHarness({ ...options, resume: stopped.run });
    const verdicts = only(await eventsOf(home, stopped.run), "verdict").map((v) => v.attempt);
    expect(resumed).toMatchObject({ run: stopped.run, attempts: 40, isComplete: true, failures: 0 });
    expect(verdicts).toHaveLength(40);
    expect(new Set(verdicts).size).toBe(40);
  });
});
