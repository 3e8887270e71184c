/** Calls and answers that are JSON and yet no line of a log: both reach whom they are for, and the log says what they were. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/runs.ts";
import { verifyHome } from "../../src/store/verify.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { answered, asked, contentsOf, type Recording, startRecordingAt } from "./recording.ts";
import { chunks, type StubAnswer, type StubRequest } from "./stub-upstream.ts";

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

async function start(answer: (request: StubRequest) => StubAnswer): Promise<void> {
  recording = await startRecordingAt(home, answer);
}

const PLACE = "/r/a/v1/chat/completions";

async function recorded() {
  const [run] = await listRuns(home);
  return eventsOf(home, run?.run as never);
}

const NESTED = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;

it.each([
  ["half of a surrogate pair in a message", '{"model":"m","messages":[{"role":"user","content":"\\udc80"}]}'],
  ["half of a surrogate pair in its parameters", '{"model":"m\\ud83d","messages":[{"role":"user","content":"x"}]}'],
  ["half of a surrogate pair in a tool", JSON.stringify(asked("x", { tools: [{ type: "function\udc80" }] }))],
  ["a number beyond all bounds", '{"model":"m","messages":[{"role":"user","content":"x"}],"seed":1e999}'],
  ["what is nested too deeply", `{"model":"m","messages":[{"role":"user","content":${NESTED}}]}`],
])("a call with %s is passed on as it came, and recorded as one that cannot be read", async (_, body) => {
  await start(() => ({ pieces: [answered("fine")] }));
  const response = await recording.post(PLACE, body);
  expect([response.status, await response.text()]).toEqual([200, answered("fine")]);
  expect(recording.upstream.requests.map((request) => request.body)).toEqual([body]);
  await recording.post(PLACE, asked("next"));
  const events = await recorded();
  expect(only(events, "failure")).toMatchObject([{ boundary: "endpoint", code: "UNREADABLE_CALL", attempt: null }]);
  expect(only(events, "turn")).toHaveLength(1);
  expect(await (await recording.post("/r/a/finish")).json()).toMatchObject({ attempts: 1 });
});

const message = (content: string) => `{"choices":[{"index":0,"message":{"role":"assistant","content":${content}}}]}`;

it.each([
  ["half of a surrogate pair", message('"x\\udc80y"')],
  ["a number beyond all bounds", message('"x"').replace("}]}", ',"score":1e999}]}')],
  ["what is nested too deeply", message(NESTED)],
])("an answer with %s is passed on as it came, and recorded as it came", async (_, body) => {
  await start(() => ({ pieces: [body] }));
  const response = await recording.post(PLACE, asked("one"));
  expect([response.status, await response.text()]).toEqual([200, body]);
  const events = await recorded();
  expect(only(events, "failure").map(({ code }) => code)).toEqual(["UNREADABLE_ANSWER"]);
  const [turn] = only(events, "turn");
  expect([turn?.response, turn?.wire?.raw]).toEqual([null, body]);
  expect(contentsOf(events, turn?.messages ?? [])).toEqual(["one"]);
  expect(await (await recording.post("/r/a/finish")).json()).toMatchObject({ attempts: 1 });
  expect(await verifyHome(home)).toMatchObject({ isSound: true });
});

it("an error that is nested too deeply is passed on and recorded as it came, whole or in a stream", async () => {
  const error = `{"error":${NESTED}}`;
  await start(({ body }) =>
    body.includes("stream") ? { type: "text/event-stream", pieces: [`data: ${error}\n\n`] } : { pieces: [error] },
  );
  expect(await (await recording.post(PLACE, asked("one"))).text()).toBe(error);
  expect(await (await recording.post(PLACE, asked("two", { stream: true }))).text()).toBe(`data: ${error}\n\n`);
  const events = await recorded();
  expect(only(events, "failure").map(({ code }) => code)).toEqual(["FAILED_ANSWER", "STREAM_ERROR"]);
  expect(only(events, "turn").map(({ wire }) => wire?.raw)).toEqual([error, error]);
});

const delta = (content: string, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: { content }, finish_reason }],
});

it("a stream that halves a surrogate pair between two events is read whole, one that leaves a half is recorded as it came", async () => {
  const whole = chunks(delta("a\ud83d"), delta("\ude00b"), delta("", "stop"));
  const half = chunks(delta("a\ud83d"), delta("b"), delta("", "stop"));
  await start(({ body }) => ({ type: "text/event-stream", pieces: body.includes("half") ? half : whole }));
  for (const [text, pieces] of [["whole", whole] as const, ["half", half] as const]) {
    const response = await recording.post(PLACE, asked(text, { stream: true }));
    expect(await response.text()).toBe(pieces.join(""));
  }
  const events = await recorded();
  const [first, second] = only(events, "turn");
  expect(contentsOf(events, [first?.response ?? null, second?.response ?? null])).toEqual(["a😀b", null]);
  expect(second?.wire?.raw?.split("\n")).toEqual(half.map((piece) => piece.slice("data: ".length).trim()));
  expect(only(events, "failure").map(({ code }) => code)).toEqual(["UNREADABLE_ANSWER"]);
});

it("a call whose turn is no line of a log is answered, and the log says so", async () => {
  await start(() => ({ pieces: [answered("fine")] }));
  // Five characters of JSON stand for twenty-one: the call may have as many bytes, the log's line may not.
  const body = JSON.stringify(asked("one", { numbers: [] })).replace("[]}", `[${Array(4 << 20).fill("1e20")}]}`);
  const response = await recording.post(PLACE, body);
  expect([response.status, await response.text()]).toEqual([200, answered("fine")]);
  expect(only(await recorded(), "failure")).toMatchObject([{ boundary: "log", code: "EVENT_TOO_LARGE" }]);
  expect((await recording.post(PLACE, asked("two"))).status).toBe(200);
  expect(only(await recorded(), "turn")).toHaveLength(1);
});

it("an outcome whose evidence is no text is refused by name", async () => {
  await start(() => ({ pieces: [answered("fine")] }));
  await recording.post("/r/a/i/x/v1/chat/completions", asked("one"));
  const outcome = { value: 1, verifier: { id: "v", version: "1" }, evidence: "\udc80" };
  const response = await recording.post("/r/a/i/x/a/1/outcome", outcome);
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("BAD_OUTCOME")]);
});
