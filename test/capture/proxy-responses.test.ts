/** The responses API through the proxy: an answer that a later call goes on from, and what an answer's message holds. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { responses } from "../../src/capture/wire/responses.ts";
import type { LoggedEvent } from "../../src/records/events.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { listRuns } from "../../src/store/runs.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { type Recording, startRecordingAt } from "./recording.ts";

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

const text = (value: string) => ({ type: "output_text", text: value, annotations: [] });
const spoken = (...content: object[]) => ({ type: "message", id: "m-1", role: "assistant", content });

/** Answers each call with the output that stands next in a list, under the ids `resp-1`, `resp-2` and so on. */
async function start(...outputs: object[][]): Promise<void> {
  let count = 0;
  recording = await startRecordingAt(home, () => {
    const output = outputs[count++] ?? [spoken(text("ok"))];
    const told = { id: `resp-${count}`, object: "response", status: "completed", model: "m-1", output };
    return { pieces: [JSON.stringify(told)] };
  });
}

const ask = (place: string, more: object = {}) =>
  recording.post(`${place}/v1/responses`, { model: "m", input: "go", ...more });

async function recorded(): Promise<LoggedEvent[]> {
  const runs = await listRuns(home);
  return (await Promise.all(runs.map(({ run }) => eventsOf(home, run)))).flat();
}

function messagesIn(events: LoggedEvent[], hashes: readonly (string | null)[] = []): unknown[] {
  const byHash = new Map(only(events, "message").map(({ hash, message }) => [hash as string, message]));
  return hashes.map((hash) => byHash.get(hash ?? ""));
}

describe("a call that goes on from an answer", () => {
  it("of a run that is sealed is an attempt of its own run, and hears what was said before", async () => {
    await start();
    await ask("/r/mine");
    await recording.post("/r/mine/finish");
    await ask("/r/mine", { input: "and now?", previous_response_id: "resp-1" });
    expect(await (await recording.post("/r/mine/finish")).json()).toMatchObject({ items: 1, attempts: 1 });
    const events = await recorded();
    const runs = new Set((await listRuns(home)).map(({ run }) => run as string));
    expect(new Set(only(events, "turn").map(({ attempt }) => attempt.slice(0, 20)))).toEqual(runs);
    const later = only(events, "turn").find(({ messages }) => messages.length === 3);
    expect(messagesIn(events, later?.messages)).toMatchObject([{ content: "go" }, { content: "ok" }, { role: "user" }]);
    const lake = await openLake(home);
    const [row] = await lake.query("SELECT count(*) AS turns, count(DISTINCT turn) AS ids FROM turns");
    lake.close();
    expect(row).toEqual({ turns: 2, ids: 2 });
  });

  it("at another item is of the item that the call names", async () => {
    await start();
    await ask("/r/mine/i/a");
    await ask("/r/mine/i/b", { previous_response_id: "resp-1" });
    await ask("/r/mine/i/a", { previous_response_id: "resp-1" });
    const places = only(await recorded(), "turn").map(({ turn }) => turn.slice(26));
    expect(places).toEqual(["a/1#1", "b/1#1", "a/1#2"]);
  });
});

describe("an answer", () => {
  const thought = {
    type: "reasoning",
    id: "r",
    summary: [],
    content: [{ type: "reasoning_text", text: "It is red." }],
  };
  const patch = { type: "custom_tool_call", call_id: "c", name: "apply_patch", input: "*** Begin" };
  const search = { type: "web_search_call", id: "w", status: "completed" };
  const heldBack = { type: "reasoning", id: "r", summary: [], encrypted_content: "gAAA" };
  const more = { role: "user", content: "more" };
  const patching = { name: "apply_patch", arguments: '{"input":"*** Begin"}' };

  it.each([
    ["a thought", [thought, spoken(text("red"))], { content: "red", reasoning_content: "It is red." }],
    ["a refusal", [spoken({ type: "refusal", refusal: "No." })], { content: null, refusal: "No." }],
    [
      "a call of a tool that takes text",
      [patch],
      { content: null, tool_calls: [{ id: "c", type: "function", function: patching }] },
    ],
  ])("with %s is one message with it, sent back as it came too, and whole", async (_, output, message) => {
    await start(output);
    await ask("/r/mine");
    await ask("/r/mine", { input: [{ role: "user", content: "go" }, ...output, more] });
    const events = await recorded();
    const [first, second] = only(events, "turn");
    expect(messagesIn(events, [first?.response ?? null])).toEqual([{ role: "assistant", ...message }]);
    expect(second?.messages[1]).toBe(first?.response);
    expect(second?.attempt).toBe(first?.attempt);
    expect([first, second].map((turn) => turn?.missing)).toEqual([undefined, undefined]);
  });

  it.each([
    ["what the server did", search],
    ["a thought that the server keeps to itself", heldBack],
  ])("with %s is not whole, and neither is a prompt that goes on from it", async (_, item) => {
    const output = [item, spoken(text("red"))];
    await start(output, output);
    await ask("/r/mine");
    await ask("/r/mine", { input: [more], previous_response_id: "resp-1" });
    await ask("/r/mine", { input: [{ role: "user", content: "go" }, ...output, more] });
    await ask("/r/mine");
    const events = await recorded();
    const turns = only(events, "turn");
    expect(turns.map(({ missing }) => missing)).toEqual([["answer"], ["prompt", "answer"], ["prompt"], undefined]);
    const said = { role: "assistant", content: "red", responses_items: [item] };
    expect(messagesIn(events, [turns[0]?.response ?? null, turns[2]?.messages[1] ?? null])).toEqual([said, said]);
    expect(turns.map(({ attempt }) => attempt.slice(-2))).toEqual(["/1", "/1", "/1", "/2"]);
  });

  it("whose stream broke off before any item was begun is what its deltas add up to", () => {
    const stream = responses.openStream(1);
    const delta = (type: string, output_index: number, delta: string, place: object = {}) =>
      stream.take({ type: `response.${type}.delta`, output_index, delta, ...place });
    for (const part of ["It is ", "red."]) delta("reasoning_text", 0, part, { content_index: 0 });
    delta("output_text", 1, "red", { content_index: 0 });
    for (const part of ["*** ", "Begin"]) delta("custom_tool_call_input", 2, part);
    const message = responses.readAnswer(stream.body() ?? {})?.message;
    expect(message).toMatchObject({ content: "red", reasoning_content: "It is red." });
    expect(message?.tool_calls).toMatchObject([{ function: { arguments: patching.arguments } }]);
  });
});
