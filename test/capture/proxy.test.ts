/** The recording proxy before a real server on a real port, asked by OpenAI's own client and by plain fetch. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { request } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { foreignStart } from "../../src/capture/foreign-item.ts";
import { type RecordOptions, type RunningProxy, startRecording } from "../../src/capture/index.ts";
import type { SealedRecording } from "../../src/capture/recorded-run.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { LoggedEvent } from "../../src/records/events.ts";
import { newRunId } from "../../src/records/ids.ts";
import { plainSplits } from "../../src/skills/skill-splits.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { listRuns } from "../../src/store/runs.ts";
import { verifyHome } from "../../src/store/verify.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { chunks, type StubAnswer, type StubRequest, type StubUpstream, startStubUpstream } from "./stub-upstream.ts";

let home: Home;
let remove: () => void;
let upstream: StubUpstream;
let proxy: RunningProxy;
const bugs: unknown[] = [];

beforeEach(() => {
  ({ home, remove } = temporaryHome());
  bugs.length = 0;
});

afterEach(async () => {
  await proxy?.close();
  await upstream?.close();
  remove();
  expect(bugs).toEqual([]);
});

async function start(
  answer: (request: StubRequest) => StubAnswer,
  changes: Partial<RecordOptions> = {},
): Promise<void> {
  upstream = await startStubUpstream(answer);
  proxy = await startRecording({
    ...{
      home,
      upstream: upstream.url,
      host: "127.0.0.1",
      port: 0,
      skill: "mine",
      splits: plainSplits("mine"),
      codeVersion: "test",
      config: {},
    },
    ...{ clock: systemClock, durability: "kernel", verify: null, idleMs: 3_600_000, timeoutMs: 5000 },
    ...{ onSealed: () => {}, onBug: (error) => bugs.push(error), ...changes },
  });
}

const post = (path: string, body: unknown, init: RequestInit = {}) =>
  fetch(`${proxy.url}${path}`, {
    ...{ method: "POST", body: JSON.stringify(body) },
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });

async function codeIn(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

const user = (content: string) => ({ role: "user", content });
const said = (content: string) => ({ role: "assistant", content });
const completion = (content: string, more: object = {}) => ({
  ...{ id: "c-1", object: "chat.completion", created: 1, model: "m-1", system_fingerprint: "f" },
  choices: [
    { index: 0, message: { role: "assistant", content, refusal: null }, finish_reason: "stop", logprobs: null },
  ],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  ...more,
});

async function recorded(): Promise<LoggedEvent[]> {
  const [run] = await listRuns(home);
  return run === undefined ? [] : eventsOf(home, run.run);
}

function messagesOf(events: LoggedEvent[], hashes: readonly (string | null)[]): unknown[] {
  const byHash = new Map(only(events, "message").map(({ hash, message }) => [hash as string, message]));
  return hashes.map((hash) => (hash === null ? null : byHash.get(hash)));
}

describe("a call through the proxy", () => {
  const body = JSON.stringify(completion("SELECT 1"), null, 1);

  it.each([
    ["a length", new Uint8Array((64 << 20) + 1)],
    ["no length", ReadableStream.from(Array.from({ length: 65 }, () => new Uint8Array(1 << 20)))],
  ])("of too many bytes is refused where it says %s", async (_, given) => {
    await start(() => ({ pieces: [body] }));
    const answer = await fetch(`${proxy.url}/v1/chat/completions`, {
      ...{ method: "POST", body: given, duplex: "half", headers: { "content-type": "application/json" } },
    } as RequestInit);
    expect([answer.status, await codeIn(answer)]).toEqual([413, "BODY_TOO_LARGE"]);
    expect(upstream.requests).toEqual([]);
  });

  it("sends a header that came twice on as it came", async () => {
    await start(() => ({ pieces: [body] }));
    const headers = ["content-type", "application/json", "x-of-agent", "one", "x-of-agent", "two"];
    const sent = JSON.stringify({ model: "m", messages: [user("one")] });
    const answer = await request(`${proxy.url}/v1/chat/completions`, { method: "POST", headers, body: sent });
    await answer.body.dump();
    expect(upstream.requests[0]?.headers["x-of-agent"]).toBe("one, two");
  });

  it("is answered byte for byte as the server did, and recorded whole at its place", async () => {
    await start(() => ({ pieces: [body] }));
    const place = "/r/exp%203/i/task%2F7/a/2/role/planner/v1/chat/completions";
    const tools = [{ type: "function", function: { name: "bash", parameters: { type: "object" } } }];
    const sent = {
      model: "m",
      messages: [{ role: "system", content: "s" }, user("one")],
      tools,
      temperature: 0.5,
      seed: 3,
    };
    const response = await post(place, sent, { headers: { authorization: "Bearer sk-secret" } });
    expect(await response.text()).toBe(body);
    expect(response.headers.get("x-of-upstream")).toBe("yes");
    expect(JSON.parse(upstream.requests[0]?.body ?? "")).toEqual(sent);
    expect(upstream.requests[0]?.headers.authorization).toBe("Bearer sk-secret");
    const events = await recorded();
    const [turn] = only(events, "turn");
    expect(turn).toMatchObject({
      ...{
        role: "planner",
        finishReason: "stop",
        modelAnswered: "m-1",
        usage: { promptTokens: 7, completionTokens: 3 },
      },
      request: { model: "m", temperature: 0.5, seed: 3 },
      wire: { api: "chat", status: 200, response: { system_fingerprint: "f", choices: [{ logprobs: null }] } },
    });
    expect(turn?.attempt).toMatch(/\/mine:task\/7\/2$/);
    expect(messagesOf(events, [...(turn?.messages ?? []), turn?.response ?? null])).toEqual([
      ...sent.messages,
      { role: "assistant", content: "SELECT 1" },
    ]);
    expect(only(events, "tools")[0]?.tools).toEqual(tools);
    expect(only(events, "run_started")[0]?.config.label).toBe("exp 3");
    expect(JSON.stringify(events)).not.toContain("sk-secret");
  });

  it.each([
    ["UTF-8", "utf8"],
    ["Latin-1", "latin1"],
  ] as const)("is at the item that its header names in %s, and so is its outcome", async (_, encoding) => {
    await start(() => ({ pieces: [body] }));
    const item = Buffer.from("größe", encoding).toString("latin1");
    await post(
      "/r/x/v1/chat/completions",
      { model: "m", messages: [user("one")] },
      { headers: { "X-Tracemill-Item": item } },
    );
    const judged = await post("/outcome", { run: "x", item: "größe", value: 1, verifier: { id: "v", version: "1" } });
    expect(await judged.json()).toEqual({ attempt: expect.stringMatching(/mine:größe\/1$/) });
  });

  it.each(["/r/x/v1//chat/completions", "/r/x/v1/chat/completions/"])("of %s is recorded, too", async (path) => {
    await start(() => ({ pieces: [body] }));
    await post(path, { model: "m", messages: [user("one")] });
    expect(upstream.requests.map((request) => request.path)).toEqual([path.slice("/r/x".length)]);
    expect(only(await recorded(), "turn")).toHaveLength(1);
  });

  it("goes on from an earlier one where its messages do, and is else a new attempt", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("A"))] }));
    const ask = (...messages: object[]) => post("/v1/chat/completions", { model: "m", messages });
    await ask(user("one"));
    await ask(user("one"), { ...said("A"), annotations: [] }, user("more"));
    await ask(user("two"));
    await ask(user("one"));
    const turns = only(await recorded(), "turn").map(({ turn }) => turn.slice(21));
    const [one, again, two, fresh] = turns.map((turn) => turn.replace(/conversation-\w+/, ""));
    expect([one, again, two, fresh]).toEqual(["mine:/1#1", "mine:/1#2", "mine:/1#1", "mine:/2#1"]);
    expect(new Set(turns.map((turn) => turn.split("/")[0])).size).toBe(2);
  });

  it("goes on from the answer that it sends back, where others asked the same and a thought is left out", async () => {
    const thoughts = ["<think>First,\nthis.</think>\n\nA", "<think>Rather that.</think>\n\nB", "next", "next"];
    await start(() => ({ pieces: [JSON.stringify(completion(thoughts.shift() ?? ""))] }));
    const ask = (...messages: object[]) => post("/r/x/i/a/v1/chat/completions", { model: "m", messages });
    await ask(user("one"));
    await ask(user("one"));
    await ask(user("one"), said("A"), user("more"));
    await ask(user("one"), said("\nB\n"), user("more"));
    const places = only(await recorded(), "turn").map(({ turn }) => turn.slice(28));
    expect(places).toEqual(["1#1", "2#1", "1#2", "2#2"]);
  });

  it("begins a new attempt where it may go on from several, and continues the one that nobody went on with", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("an answer"))] }));
    const ask = (...messages: object[]) => post("/r/x/i/a/v1/chat/completions", { model: "m", messages });
    await ask(user("one"));
    await ask(user("one"));
    await ask(user("one"), user("in other words: x"));
    await ask(user("one"), said("an answer"), user("more"));
    await ask(user("one"), user("in other words: y"));
    const places = only(await recorded(), "turn").map(({ turn }) => turn.slice(28));
    expect(places).toEqual(["1#1", "2#1", "3#1", "2#2", "1#2"]);
  });

  it("goes on in an attempt of its own where another agent asked the same and was answered the same", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("A"))] }));
    const ask = (...messages: object[]) => post("/v1/chat/completions", { model: "m", messages });
    const begun = [user("one"), said("A")];
    await Promise.all([ask(user("one")), ask(user("one"))]);
    await ask(...begun, user("of x"));
    await ask(...begun, user("of y"));
    await ask(...begun, user("of x"), said("A"), user("more of x"));
    await ask(...begun, user("of y"), said("A"), user("more of y"));
    const places = only(await recorded(), "turn").map(({ turn }) => turn.slice(turn.lastIndexOf("/") + 1));
    expect(places).toEqual(["1#1", "2#1", "2#2", "1#2", "2#3", "1#3"]);
  });

  it("that is asked again because it got no answer is of the same attempt, and so is an outcome that names none", async () => {
    const answers: StubAnswer[] = [
      { status: 500, pieces: ["no"] },
      { status: 503, pieces: ["no"] },
      ...["A", "B", "C"].map((text) => ({ pieces: [JSON.stringify(completion(text))] })),
    ];
    await start(() => answers.shift() ?? { pieces: [] });
    const ask = (...messages: object[]) => post("/r/x/i/a/v1/chat/completions", { model: "m", messages });
    const judge = () => post("/r/x/i/a/outcome", { value: 1, verifier: { id: "v", version: "1" } });
    await ask(user("one"));
    await post("/r/x/i/a/a/2/v1/chat/completions", { model: "m", messages: [user("two")] });
    await ask(user("two"));
    expect(await (await judge()).json()).toEqual({ attempt: expect.stringMatching(/\/2$/) });
    await ask(user("one"));
    const several = await judge();
    const { error } = (await several.json()) as { error: object };
    expect([several.status, error]).toMatchObject([
      400,
      { code: "ATTEMPT_NOT_NAMED", message: expect.stringContaining("got attempts 1, 2") },
    ]);
    await ask(user("one"));
    const places = only(await recorded(), "turn").map(({ turn }) => turn.slice(28));
    expect(places).toEqual(["1#1", "2#1", "2#2", "1#2", "3#1"]);
  });

  it("with images, or of the responses API, is recorded as far as chat has words for it, and whole beside that", async () => {
    const output = [
      { type: "reasoning", id: "r", summary: [] },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "hello" }] },
      { type: "function_call", call_id: "c", name: "ls", arguments: "{}" },
    ];
    const answer = {
      id: "resp-1",
      object: "response",
      status: "completed",
      model: "m-1",
      output,
      usage: { input_tokens: 2, output_tokens: 5 },
    };
    await start(({ path }) => ({
      pieces: [JSON.stringify(path.endsWith("responses") ? answer : completion("a cat"))],
    }));
    const image = [
      { type: "text", text: "what?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
    ];
    await post("/r/a/v1/chat/completions", { model: "m", messages: [{ role: "user", content: image }] });
    await post("/r/a/v1/responses", { model: "m", instructions: "be kind", input: "hi" });
    await post("/r/a/v1/responses", {
      model: "m",
      previous_response_id: "resp-1",
      input: [{ type: "function_call_output", call_id: "c", output: "a.txt" }],
    });
    const events = await recorded();
    const [cat, first, second] = only(events, "turn");
    expect(messagesOf(events, cat?.messages ?? [])).toEqual([{ role: "user", content: image }]);
    const hello = {
      role: "assistant",
      content: "hello",
      tool_calls: [{ id: "c", type: "function", function: { name: "ls", arguments: "{}" } }],
    };
    expect(messagesOf(events, [first?.response ?? null])).toEqual([hello]);
    expect(first?.wire?.response).toEqual(answer);
    expect(messagesOf(events, second?.messages ?? [])).toEqual([
      user("hi"),
      hello,
      { role: "tool", tool_call_id: "c", content: "a.txt" },
    ]);
    expect(second?.turn).toBe(first?.turn.replace(/#1$/, "#2"));
  });
});

describe("a stream through the proxy", () => {
  const head = { id: "c-2", object: "chat.completion.chunk", created: 1, model: "m-1" };
  const delta = (value: object, finish_reason: string | null = null) => ({
    ...head,
    choices: [{ index: 0, delta: value, finish_reason }],
  });
  const call = (index: number, part: object) => delta({ tool_calls: [{ index, ...part }] });
  const pieces = chunks(
    delta({ role: "assistant", content: "" }),
    delta({ content: "Let me " }),
    delta({ content: "look. ü" }),
    call(0, { id: "t-0", type: "function", function: { name: "bash", arguments: "" } }),
    call(0, { function: { arguments: '{"cmd":' } }),
    call(0, { function: { arguments: '"ls"}' } }),
    call(1, { id: "t-1", type: "function", function: { name: "done", arguments: "{}" } }),
    delta({}, "tool_calls"),
    { ...head, choices: [], usage: { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 } },
  );
  const whole = {
    role: "assistant",
    content: "Let me look. ü",
    tool_calls: [
      { id: "t-0", type: "function", function: { name: "bash", arguments: '{"cmd":"ls"}' } },
      { id: "t-1", type: "function", function: { name: "done", arguments: "{}" } },
    ],
  };

  const response = { id: "r-1", object: "response", status: "completed", model: "m-1", output: [] };
  const responsePieces = [
    { type: "response.created", response: { ...response, status: "in_progress" } },
    { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Let me" },
    { type: "response.completed", response },
  ].map((event) => `data: ${JSON.stringify(event)}\n\n`);

  it("reaches OpenAI's own client as it came, and is recorded as one message before its end is passed on", async () => {
    const bytes = Buffer.from(pieces.join(""));
    // Cut anywhere, in the middle of a letter too.
    const cut = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(7 * i, 7 * i + 7));
    await start(() => ({ type: "text/event-stream", pieces: cut }));
    const client = new OpenAI({ baseURL: `${proxy.url}/r/s/v1`, apiKey: "none" });
    const stream = await client.chat.completions.create({
      model: "m",
      messages: [{ role: "user", content: "go" }],
      stream: true,
    });
    let text = "";
    let turnsAtEnd = -1;
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? "";
      if (choices[0]?.finish_reason) turnsAtEnd = only(await recorded(), "turn").length;
    }
    expect(text).toBe("Let me look. ü");
    expect(turnsAtEnd).toBe(1);
    const events = await recorded();
    const [turn] = only(events, "turn");
    expect(messagesOf(events, [turn?.response ?? null])).toEqual([whole]);
    expect(turn).toMatchObject({
      finishReason: "tool_calls",
      usage: { promptTokens: 5, completionTokens: 9 },
      parseFlags: [],
    });
  });

  it("is the same message as of a call that is answered whole", async () => {
    const usage = { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 };
    const choices = [{ index: 0, message: whole, finish_reason: "tool_calls" }];
    await start(({ body }) =>
      JSON.parse(body).stream
        ? { type: "text/event-stream", pieces }
        : { pieces: [JSON.stringify({ ...head, object: "chat.completion", choices, usage })] },
    );
    for (const stream of [true, false]) {
      const asked = { model: "m", stream, messages: [user("go")] };
      await (await post("/r/x/v1/chat/completions", asked)).text();
    }
    const [streamed, plain] = only(await recorded(), "turn");
    expect(streamed?.response).toBe(plain?.response);
    expect(streamed?.wire?.response).toEqual(plain?.wire?.response);
    expect([streamed?.usage, streamed?.finishReason]).toEqual([plain?.usage, plain?.finishReason]);
  });

  it.each([
    ["the same index each", [0, 0]],
    ["an index of its own each", [0, 1]],
  ])("whose calls have %s, its end told twice, is read as what it says", async (_, [first = 0, second = 0]) => {
    const part = (index: number, id: string, given: object) => call(index, { id, type: "function", function: given });
    const told = chunks(
      delta({ role: "assistant", content: "" }),
      part(first, "c1", { name: "ls", arguments: '{"p":' }),
      part(first, "c1-again", { arguments: '"a"}' }),
      part(second, "c2", { name: "cat", arguments: '{"p":' }),
      call(second, { function: { arguments: '"b"}' } }),
      delta({}, "tool_calls"),
      delta({}, "stop"),
    );
    await start(() => ({ type: "text/event-stream", pieces: told }));
    await (await post("/r/x/v1/chat/completions", { model: "m", stream: true, messages: [user("go")] })).text();
    const events = await recorded();
    const [turn] = only(events, "turn");
    expect(turn?.finishReason).toBe("stop");
    expect(messagesOf(events, [turn?.response ?? null])).toMatchObject([
      {
        tool_calls: [
          { id: "c1", function: { name: "ls", arguments: '{"p":"a"}' } },
          { id: "c2", function: { name: "cat", arguments: '{"p":"b"}' } },
        ],
      },
    ]);
  });

  it("that breaks off or is no JSON is passed on as it is, and recorded so", async () => {
    await start(({ body }) =>
      body.includes("garbage")
        ? { type: "text/event-stream", pieces: ["data: {oops\n\n", ...pieces] }
        : { type: "text/event-stream", pieces: pieces.slice(0, 3), end: "close", delayMs: 5 },
    );
    const ask = (content: string) =>
      post("/r/x/v1/chat/completions", { model: "m", stream: true, messages: [user(content)] });
    expect(await (await ask("garbage")).text()).toBe(`data: {oops\n\n${pieces.join("")}`);
    await expect((await ask("cut")).text()).rejects.toThrow();
    const events = await recorded();
    expect(only(events, "failure").map(({ code }) => code)).toEqual(["MALFORMED_STREAM", "STREAM_CUT"]);
    const [garbled, cut] = only(events, "turn");
    expect(garbled?.wire?.raw).toBe("{oops");
    expect(garbled).toMatchObject({ parseFlags: ["malformed-stream"], missing: ["answer"] });
    expect(cut?.wire).not.toHaveProperty("raw");
    expect(cut).toMatchObject({ finishReason: null, parseFlags: ["stream-cut"], missing: ["answer"] });
    expect(messagesOf(events, [cut?.response ?? null])).toEqual([said("Let me look. ü")]);
  });

  const error = { message: "out of memory", code: 500 };
  it.each([
    ["under its own key", { error }],
    ["as vLLM long had it", { object: "error", type: "InternalServerError", param: null, ...error }],
  ])("that the server ends with an error, %s, is no whole answer, for the lake either", async (_, last) => {
    const [begun, half] = [pieces[0] ?? "", pieces[1] ?? ""];
    await start(() => ({ type: "text/event-stream", pieces: [begun, half, ...chunks(last)] }));
    await (await post("/r/x/v1/chat/completions", { model: "m", stream: true, messages: [user("go")] })).text();
    const events = await recorded();
    expect(only(events, "failure")).toMatchObject([
      { code: "STREAM_ERROR", message: expect.stringContaining("out of memory") },
    ]);
    const [turn] = only(events, "turn");
    expect(messagesOf(events, [turn?.response ?? null])).toEqual([said("Let me ")]);
    expect(turn).toMatchObject({ parseFlags: ["stream-error"], missing: ["answer"] });
    await post("/r/x/finish", {});
    const lake = await openLake(home);
    const rows = await lake.query("SELECT has_full_prompt, has_full_answer FROM turns");
    lake.close();
    expect(rows).toEqual([{ has_full_prompt: true, has_full_answer: false }]);
  });

  it.each([
    ["chat", "/r/x/v1/chat/completions", { messages: [user("go")] }, pieces],
    ["responses", "/r/x/v1/responses", { input: "go" }, responsePieces],
  ])("of %s that the server leaves open after its last event is over with that", async (_, path, asked, told) => {
    await start(() => ({ type: "text/event-stream", pieces: told, end: "hang" }), { timeoutMs: 60_000 });
    const response = await post(path, { model: "m", stream: true, ...asked });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (text !== told.join("")) text += (await reader?.read())?.value ?? "";
    const events = await recorded();
    expect(only(events, "turn")).toMatchObject([{ response: expect.any(String), parseFlags: [] }]);
    await reader?.cancel();
    await post("/r/x/finish", {});
    expect(only(await recorded(), "turn")).toHaveLength(1);
    expect(only(await recorded(), "failure")).toEqual([]);
  });

  it("whose server breaks the connection after the last event is whole, and broken for the client, too", async () => {
    await start(() => ({ type: "text/event-stream", pieces, end: "close", delayMs: 2 }));
    const response = await post("/r/x/v1/chat/completions", { model: "m", stream: true, messages: [user("go")] });
    await expect(response.text()).rejects.toThrow();
    const events = await recorded();
    expect(only(events, "turn")).toMatchObject([{ finishReason: "tool_calls", parseFlags: [] }]);
    expect(only(events, "failure")).toEqual([]);
  });

  it("that says of each event that it ended for no reason ends where it says one", async () => {
    const told = chunks(delta({ content: "Let " }, ""), delta({ content: "me" }, ""), delta({}, "stop"));
    await start(({ body }) => ({ type: "text/event-stream", pieces: told.slice(0, body.includes("cut") ? 2 : 4) }));
    for (const content of ["cut", "whole"]) {
      const asked = { model: "m", stream: true, messages: [user(content)] };
      await (await post("/r/x/v1/chat/completions", asked)).text();
    }
    const events = await recorded();
    expect(only(events, "turn")).toMatchObject([
      { parseFlags: ["stream-cut"], missing: ["answer"] },
      { parseFlags: [], finishReason: "stop" },
    ]);
  });

  it("whose client goes away is recorded as far as it came", async () => {
    await start(() => ({ type: "text/event-stream", pieces: pieces.slice(0, 3), end: "hang" }));
    const gone = new AbortController();
    const response = await post(
      "/r/x/v1/chat/completions",
      { model: "m", stream: true, messages: [user("go")] },
      { signal: gone.signal },
    );
    const reader = response.body?.getReader();
    await reader?.read();
    gone.abort();
    await expect.poll(async () => only(await recorded(), "turn").length).toBe(1);
    const events = await recorded();
    const gap = { parseFlags: ["client-gone"], missing: ["answer"] };
    expect(only(events, "turn")[0]).toMatchObject({ finishReason: null, ...gap });
    expect(only(events, "failure")[0]?.code).toBe("CLIENT_GONE");
  });
});

describe("what a server tells of tokens", () => {
  const logprobs = (...tokens: string[]) => ({
    content: tokens.map((token) => ({ token, logprob: -0.5, top_logprobs: [] })),
  });
  const told = { prompt: [1, 2, 3], completion: [7, 8] };

  it("is kept, ids and log probabilities, of a stream as of a whole answer", async () => {
    const head = { id: "c", object: "chat.completion.chunk", created: 1, model: "m-1" };
    const choice = {
      index: 0,
      message: said("ab"),
      finish_reason: "stop",
      logprobs: logprobs("a", "b"),
      token_ids: [7, 8],
    };
    const streamed = chunks(
      { ...head, prompt_token_ids: told.prompt, choices: [{ index: 0, delta: { role: "assistant", content: "" } }] },
      { ...head, choices: [{ index: 0, delta: { content: "a" }, logprobs: logprobs("a"), token_ids: [7] }] },
      {
        ...head,
        choices: [
          { index: 0, delta: { content: "b" }, logprobs: logprobs("b"), token_ids: [8], finish_reason: "stop" },
        ],
      },
    );
    const whole = completion("", { prompt_token_ids: told.prompt, choices: [choice] });
    await start(({ body }) =>
      JSON.parse(body).stream ? { type: "text/event-stream", pieces: streamed } : { pieces: [JSON.stringify(whole)] },
    );
    for (const stream of [true, false]) {
      await (await post("/r/x/v1/chat/completions", { model: "m", stream, messages: [user("go")] })).text();
    }
    const turns = only(await recorded(), "turn");
    expect(turns.map(({ tokenIds }) => tokenIds)).toEqual([told, told]);
    expect(turns.map(({ response }) => response)).toEqual([turns[0]?.response, turns[0]?.response]);
    for (const { wire } of turns) {
      expect(wire?.response).toMatchObject({ choices: [{ logprobs: logprobs("a", "b") }] });
    }
  });
});

describe("a text completion", () => {
  const head = { id: "c", object: "text_completion", created: 1, model: "m-1" };
  const usage = { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 };

  it("is recorded with its prompt as a user's message, as a stream or whole", async () => {
    const streamed = chunks(
      { ...head, choices: [{ index: 0, text: "SELECT", finish_reason: null }] },
      { ...head, choices: [{ index: 0, text: " 1", finish_reason: "length" }] },
      { ...head, choices: [], usage },
    );
    const whole = { ...head, choices: [{ index: 0, text: "SELECT 1", finish_reason: "length" }], usage };
    await start(({ body }) =>
      JSON.parse(body).stream ? { type: "text/event-stream", pieces: streamed } : { pieces: [JSON.stringify(whole)] },
    );
    for (const stream of [true, false]) {
      await (await post("/r/x/v1/completions", { model: "m", stream, prompt: "one", max_tokens: 2 })).text();
    }
    const events = await recorded();
    for (const turn of only(events, "turn")) {
      expect(messagesOf(events, [...turn.messages, turn.response])).toEqual([user("one"), said("SELECT 1")]);
      expect(turn).toMatchObject({ finishReason: "length", wire: { api: "completions" }, request: { max_tokens: 2 } });
      expect(turn.usage).toEqual({ promptTokens: 2, completionTokens: 2 });
    }
  });
});

it("a text completion of several prompts is not whole, for the lake either, and one of a single prompt in a list is", async () => {
  const choices = [" one", " two"].map((text, index) => ({ index, text, finish_reason: "stop" }));
  await start(({ body }) => {
    const answers = choices.slice(0, JSON.parse(body).prompt.length);
    return { pieces: [JSON.stringify({ object: "text_completion", model: "m-1", choices: answers })] };
  });
  for (const prompt of [["say one", "say two"], ["say one"]]) await post("/r/x/v1/completions", { model: "m", prompt });
  const events = await recorded();
  const [several, single] = only(events, "turn");
  expect([several?.missing, single?.missing]).toEqual([["prompt", "answer"], undefined]);
  expect(several?.wire?.response).toMatchObject({ choices: [{ index: 0 }, { index: 1, text: " two" }] });
  await post("/r/x/finish", {});
  const lake = await openLake(home);
  const rows = await lake.query(
    "SELECT wire_api, has_full_prompt, has_full_answer FROM turns ORDER BY len(messages) DESC",
  );
  lake.close();
  expect(rows.map((row) => Object.values(row))).toEqual([
    ["completions", false, false],
    ["completions", true, true],
  ]);
});

it("an answer of several choices is not whole, streamed or not, and whoever goes on from any of them is in the same attempt", async () => {
  const choices = ["one", "two", "three"].map((text, index) => ({ index, message: said(text), finish_reason: "stop" }));
  const streamed = chunks(
    ...choices.map(({ index, message }) => ({ choices: [{ index, delta: message, finish_reason: "stop" }] })),
  );
  await start(({ body }) => {
    const { stream, n = 1 } = JSON.parse(body);
    return stream
      ? { type: "text/event-stream", pieces: streamed }
      : { pieces: [JSON.stringify({ choices: choices.slice(0, n) })] };
  });
  const ask = async (text: string, body: object) =>
    (await post("/r/x/v1/chat/completions", { model: "m", messages: [user(text)], ...body })).text();
  for (const stream of [true, false]) await ask(`pick ${stream}`, { stream, n: 3 });
  await ask("go on", { messages: [user("pick false"), said("three"), user("go on")] });
  const turns = only(await recorded(), "turn");
  expect(turns.map(({ turn, missing }) => [turn.slice(-4), missing])).toEqual([
    ["/1#1", ["answer"]],
    ["/1#1", ["answer"]],
    ["/1#2", undefined],
  ]);
  expect(turns[2]?.attempt).toBe(turns[1]?.attempt);
  for (const { wire } of turns.slice(0, 2)) {
    expect(wire?.response).toMatchObject({ choices: [{ index: 0 }, ...choices.slice(1)] });
  }
});

describe("a call of the responses API", () => {
  const told = (status: string, output: object[], more: object = {}) => ({
    ...{ id: "resp-1", object: "response", status, model: "m-1", output, ...more },
  });
  const text = (value: string) => ({
    type: "message",
    role: "assistant",
    content: [{ type: "output_text", text: value }],
  });
  const call = { type: "function_call", call_id: "c", name: "ls", arguments: '{"path":"."}' };
  const ask = async (more: object = {}) =>
    (await post("/r/x/v1/responses", { model: "m", input: "go", ...more })).text().catch(() => "broken off");
  const at = (output_index: number, type: string, more: object) => ({
    type: `response.${type}`,
    output_index,
    ...more,
  });
  const events = [
    { type: "response.created", response: told("in_progress", []) },
    at(0, "output_item.added", { item: { type: "message", role: "assistant", content: [] } }),
    at(0, "content_part.added", { content_index: 0, part: { type: "output_text", text: "" } }),
    at(0, "output_text.delta", { content_index: 0, delta: "Let me " }),
    at(0, "output_text.delta", { content_index: 0, delta: "look." }),
    at(1, "output_item.added", { item: { ...call, arguments: "" } }),
    at(1, "function_call_arguments.delta", { delta: '{"path":' }),
    at(1, "function_call_arguments.delta", { delta: '"."}' }),
  ];
  const stream = (...given: { type?: string }[]) =>
    given.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);

  it("that was cut off at its token limit ends as chat's does", async () => {
    const limit = { incomplete_details: { reason: "max_output_tokens" } };
    await start(() => ({ pieces: [JSON.stringify(told("incomplete", [text("half")], limit))] }));
    await ask();
    expect(only(await recorded(), "turn")).toMatchObject([{ finishReason: "length" }]);
  });

  it("as a stream is the message that its last event holds; one that broke off what its deltas add up to", async () => {
    const end = { type: "response.completed", response: told("completed", [text("Let me look."), call]) };
    await start(({ body }) =>
      body.includes("whole")
        ? { type: "text/event-stream", pieces: stream(...events, end) }
        : { type: "text/event-stream", pieces: stream(...events), end: "close", delayMs: 5 },
    );
    await ask({ stream: true, input: "whole" });
    await ask({ stream: true, input: "cut" });
    const logged = await recorded();
    const [whole, cut] = only(logged, "turn");
    expect(messagesOf(logged, [whole?.response ?? null])).toEqual([
      {
        ...said("Let me look."),
        tool_calls: [{ id: "c", type: "function", function: { name: "ls", arguments: '{"path":"."}' } }],
      },
    ]);
    expect(cut?.response).toBe(whole?.response);
    expect([whole?.finishReason, cut?.finishReason]).toEqual(["completed", null]);
    expect(cut).toMatchObject({ parseFlags: ["stream-cut"], modelAnswered: "m-1" });
  });

  it.each([
    ["an error", { type: "error", code: "server_error", message: "gone", param: null }, "gone"],
    ["its failure", { type: "response.failed", response: told("failed", [], { error: { code: "oom" } }) }, "oom"],
  ])(
    "as a stream that ends with %s is no whole answer, and no whole prompt of what goes on from it",
    async (_, end, why) => {
      await start(({ body }) =>
        JSON.parse(body).stream
          ? { type: "text/event-stream", pieces: stream(...events, end) }
          : { pieces: [JSON.stringify({ ...told("completed", [text("hello")]), id: "resp-2" })] },
      );
      await ask({ stream: true });
      await ask({ previous_response_id: "resp-1" });
      const logged = await recorded();
      expect(only(logged, "failure")).toMatchObject([{ code: "STREAM_ERROR", message: expect.stringContaining(why) }]);
      const [broken, next] = only(logged, "turn");
      expect(broken).toMatchObject({ parseFlags: ["stream-error"], missing: ["answer"] });
      expect(messagesOf(logged, [broken?.response ?? null])).toMatchObject([{ content: "Let me look." }]);
      expect(next).toMatchObject({ attempt: broken?.attempt, missing: ["prompt"] });
    },
  );

  it("that failed is recorded as a failure with what came, where it came whole, too", async () => {
    const failed = JSON.stringify(told("failed", [text("half")], { error: { code: "oom" } }));
    await start(() => ({ pieces: [failed] }));
    expect(await ask()).toBe(failed);
    const logged = await recorded();
    expect(only(logged, "failure")).toMatchObject([{ code: "FAILED_ANSWER", message: expect.stringContaining("oom") }]);
    expect(only(logged, "turn")).toMatchObject([{ response: null, wire: { status: 200, raw: failed } }]);
  });

  it("with deltas at places that cannot be is recorded without them", async () => {
    const odd = at(0, "output_text.delta", { content_index: 4e9, delta: "far" });
    const first = at(0, "output_text.delta", { content_index: 0, delta: "near" });
    await start(() => ({ type: "text/event-stream", pieces: stream(odd, first), end: "close", delayMs: 5 }));
    await ask({ stream: true });
    const logged = await recorded();
    expect(messagesOf(logged, [only(logged, "turn")[0]?.response ?? null])).toEqual([said("near")]);
  });

  it("that goes on from an answer is heard under its own instructions, never under those of the call before", async () => {
    let asked = 0;
    await start(() => ({
      pieces: [JSON.stringify({ ...told("completed", [text(`answer ${++asked}`)]), id: `resp-${asked}` })],
    }));
    const system = (content: string) => ({ role: "system", content });
    await ask({ instructions: "be kind", input: "one" });
    await ask({ instructions: "be brief", input: "two", previous_response_id: "resp-1" });
    await ask({ input: "three", previous_response_id: "resp-2" });
    const logged = await recorded();
    const turns = only(logged, "turn");
    expect(turns.map(({ messages }) => messagesOf(logged, messages))).toEqual([
      [system("be kind"), user("one")],
      [system("be brief"), user("one"), said("answer 1"), user("two")],
      [user("one"), said("answer 1"), user("two"), said("answer 2"), user("three")],
    ]);
    expect(new Set(turns.map(({ attempt }) => attempt)).size).toBe(1);
  });

  it("whose earlier answer another process gave, or that names what only the server has, lacks its prompt", async () => {
    await start(() => ({ pieces: [JSON.stringify(told("completed", [text("hello")]))] }));
    await ask();
    await ask({ previous_response_id: "resp-1" });
    await ask({ conversation: "conv_1" });
    await proxy.close();
    await upstream.close();
    await start(() => ({ pieces: [JSON.stringify({ ...told("completed", [text("hello")]), id: "resp-2" })] }));
    await ask({ previous_response_id: "resp-1" });
    await ask({ previous_response_id: "resp-2" });
    await ask({ input: [{ type: "item_reference", id: "msg_1" }, user("go")] });
    const missing = only(await recorded(), "turn").map((turn) => turn.missing ?? []);
    expect(missing).toEqual([[], [], ["prompt"], ["prompt"], ["prompt"], ["prompt"]]);
    await post("/r/x/finish", {});
    const lake = await openLake(home);
    const rows = await lake.query("SELECT count(*) AS n FROM turns WHERE NOT has_full_prompt");
    lake.close();
    expect(rows).toEqual([{ n: 4 }]);
  });
});

describe("what goes wrong", () => {
  it("on the server's side is passed on unchanged and recorded as the endpoint's", async () => {
    await start(({ body }) => {
      if (body.includes("busy")) return { status: 503, type: "text/plain", pieces: [busyBody] };
      return body.includes("odd") ? { pieces: ["[]"] } : { pieces: ["x"], end: "close" };
    });
    const busyBody = `try later ${"x".repeat(5000)}`;
    const ask = (content: string) => post("/r/x/v1/chat/completions", { model: "m", messages: [user(content)] });
    const busy = await ask("busy");
    expect([busy.status, await busy.text()]).toEqual([503, busyBody]);
    expect(await (await ask("odd")).text()).toBe("[]");
    expect((await ask("close")).status).toBe(502);
    const events = await recorded();
    expect(only(events, "failure").map(({ code }) => code)).toEqual(["HTTP_503", "MALFORMED_ANSWER", "CONNECTION"]);
    expect(only(events, "turn").map(({ response }) => response)).toEqual([null, null, null]);
    expect(only(events, "turn").map(({ wire }) => wire?.raw)).toEqual([busyBody, "[]", undefined]);
  });

  it("on the client's side, in the middle of an answer that is no stream, is recorded as the client's", async () => {
    await start(() => ({ pieces: ['{"choices":'], end: "hang" }));
    const gone = new AbortController();
    const calling = post("/r/x/v1/chat/completions", { model: "m", messages: [user("go")] }, { signal: gone.signal });
    await expect.poll(() => upstream.requests.length).toBe(1);
    gone.abort();
    await expect(calling).rejects.toThrow();
    await expect.poll(async () => only(await recorded(), "turn").length).toBe(1);
    const events = await recorded();
    expect(only(events, "turn")[0]).toMatchObject({ response: null, parseFlags: ["client-gone"] });
    expect(only(events, "failure")[0]?.code).toBe("CLIENT_GONE");
  });

  it("where the server is silent for too long is a time-out, before its answer as in the middle of one", async () => {
    const begun = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "half" } }] })}\n\n`;
    await start(
      ({ body }) => {
        if (body.includes("stream-me")) return { type: "text/event-stream", pieces: [begun], end: "hang" };
        return { pieces: body.includes("begin") ? ['{"choices":'] : [], end: "hang" };
      },
      { timeoutMs: 300 },
    );
    const ask = (content: string, stream = false) =>
      post("/r/x/v1/chat/completions", { model: "m", stream, messages: [user(content)] });
    for (const content of ["never", "begin"]) {
      const answer = await ask(content);
      expect([answer.status, await codeIn(answer)]).toEqual([504, "TIMEOUT"]);
    }
    await expect((await ask("stream-me", true)).text()).rejects.toThrow();
    const events = await recorded();
    expect(only(events, "failure").map(({ code }) => code)).toEqual(["TIMEOUT", "TIMEOUT", "TIMEOUT"]);
    const turns = only(events, "turn");
    expect(turns.map(({ parseFlags }) => parseFlags)).toEqual([[], [], ["stream-cut"]]);
    expect(turns.map(({ wire }) => wire?.raw)).toEqual([undefined, '{"choices":', undefined]);
    expect(messagesOf(events, [turns[2]?.response ?? null])).toEqual([said("half")]);
  });

  it("with an answer of more bytes than a record may have is said, and the answer passed on whole", async () => {
    const piece = Buffer.alloc(1 << 20, "x");
    await start(() => ({ pieces: Array(65).fill(piece) }));
    const answer = await post("/r/x/v1/chat/completions", { model: "m", messages: [user("go")] });
    expect(answer.status).toBe(200);
    expect((await answer.arrayBuffer()).byteLength).toBe(65 << 20);
    const events = await recorded();
    expect(only(events, "failure").map(({ code }) => code)).toEqual(["ANSWER_TOO_LARGE"]);
    expect(only(events, "turn")[0]?.wire?.raw).toHaveLength(8 << 20);
  });

  it("with a server that is not there is a 502, and a recorded failure", async () => {
    await start(() => ({ pieces: [] }));
    await upstream.close();
    const response = await post("/v1/chat/completions", { model: "m", messages: [user("x")] });
    expect(response.status).toBe(502);
    expect(only(await recorded(), "failure")[0]?.code).toBe("CONNECTION");
  });

  it.each([
    ["/r/x/i/y/outcome", { value: 2, verifier: { id: "v", version: "1" } }, ["from 0 to 1", "value"]],
    ["/r/x/i/y/outcome", { value: 1, verifier: "pytest" }, ["verifier {id, version}", "at verifier"]],
    ["/outcome", { run: "x", itme: "y", value: 1, verifier: { id: "v", version: "1" } }, ["run, item", '"itme"']],
    ["/outcome", "no object", ["run, item", "expected object"]],
    ["/role/Worker/v1/chat/completions", {}, ["small letters", "got Worker"]],
    ["/elsewhere", {}, ["nothing at /elsewhere"]],
  ])("that the proxy refuses says what was expected and what came: %s %j", async (path, body, words) => {
    await start(() => ({ pieces: [] }));
    const { error } = (await (await post(path, body)).json()) as { error: { message: string } };
    for (const word of words) expect(error.message).toContain(word);
  });

  it("with a place that cannot be is refused by name; other paths are passed on and not recorded", async () => {
    await start(() => ({ pieces: ['{"object":"list"}'] }));
    const refused = await post("/r/x/i/y/a/none/v1/chat/completions", { model: "m", messages: [user("x")] });
    expect([refused.status, await codeIn(refused)]).toEqual([400, "BAD_PLACE"]);
    expect(await (await fetch(`${proxy.url}/v1/models`)).json()).toEqual({ object: "list" });
    expect(await listRuns(home)).toEqual([]);
  });
});

describe("a recorded run", () => {
  const ask = (item: string, n: number) =>
    post(`/r/nightly/i/${item}/a/${n}/v1/chat/completions`, { model: "m", messages: [user(item)] });
  const verifier = { id: "pytest", version: "8" };

  it("takes outcomes, is sealed on demand, and is found in the lake with them", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    await ask("a", 1);
    await ask("a", 2);
    await ask("b", 1);
    expect((await post("/outcome", { run: "nightly", item: "a", attempt: 1, value: 0, verifier })).status).toBe(200);
    await post("/r/nightly/i/a/a/2/outcome", { value: 1, confidence: 0.9, verifier, evidence: { log: "2 passed" } });
    const unknown = await post("/outcome", { run: "nightly", item: "c", value: 1, verifier });
    expect([unknown.status, await codeIn(unknown)]).toEqual([404, "UNKNOWN_ATTEMPT"]);
    expect(await codeIn(await post("/outcome", { item: "a", value: 2 }))).toBe("BAD_OUTCOME");
    const sealed = await (await post("/r/nightly/finish", {})).json();
    expect(sealed).toMatchObject({ items: 2, attempts: 3, passed: 1, unjudged: 1 });
    expect(only(await recorded(), "item_finished").map(({ item, state }) => [item, state])).toEqual([
      ["mine:a", "solved"],
      ["mine:b", "unjudged"],
    ]);
    expect(await verifyHome(home)).toMatchObject({ isSound: true });
    const lake = await openLake(home);
    const rows = await lake.query(
      "SELECT item, attempt_number, eval_passed, confidence FROM mine.attempts ORDER BY 1, 2",
    );
    await lake.close();
    expect(rows.map((row) => Object.values(row))).toEqual([
      ["mine:a", 1, false, 1],
      ["mine:a", 2, true, 0.9],
      ["mine:b", 1, null, null],
    ]);
  });

  it("is gone on with where the proxy was stopped, and begun anew under its name once it is sealed", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    await post("/r/n/v1/chat/completions", { model: "m", messages: [user("one")] });
    await proxy.close();
    await upstream.close();
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    await post("/r/n/v1/chat/completions", { model: "m", messages: [user("one"), said("fix"), user("two")] });
    expect(await listRuns(home)).toHaveLength(1);
    expect(only(await recorded(), "turn").map(({ turn }) => turn.slice(-4))).toEqual(["/1#1", "/1#2"]);
    await post("/r/n/finish", {});
    await post("/r/n/v1/chat/completions", { model: "m", messages: [user("three")] });
    expect((await listRuns(home)).map(({ isSealed }) => isSealed).toSorted()).toEqual([false, true]);
  });

  it("has a command of the user's judge each attempt when it is sealed, unless someone else did", async () => {
    const command = 'read answer; test "$answer" = "right $TRACEMILL_ITEM/$TRACEMILL_ATTEMPT" || exit 3; echo fine';
    const verify = { command, timeoutMs: 5000, signal: new AbortController().signal };
    await start(
      ({ body }) => ({ pieces: [JSON.stringify(completion(body.includes("first") ? "wrong" : "right a/2"))] }),
      {
        verify,
      },
    );
    const at = (place: string, text: string) =>
      post(`/r/v/i/${place}/v1/chat/completions`, { model: "m", messages: [user(text)] });
    await at("a/a/1", "first");
    await at("a/a/2", "second");
    await at("b/a/1", "first");
    await post("/outcome", { run: "v", item: "b", attempt: 1, value: 1, verifier });
    await post("/r/v/finish", {});
    const verdicts = only(await recorded(), "verdict");
    const told = verdicts.map(({ attempt, verdict }) => [attempt.slice(26), verdict.passed, verdict.verifier.id]);
    expect(told.toSorted()).toEqual([
      ["a/1", false, "verify-cmd"],
      ["a/2", true, "verify-cmd"],
      ["b/1", true, "pytest"],
    ]);
    const failed = verdicts.find(({ attempt }) => attempt.endsWith("a/1"));
    expect(failed?.verdict.evidence).toMatchObject({ exitCode: 3 });
  });

  it("records a verifier that cannot be run as its failure, not the agent's, and says so when it is sealed", async () => {
    const verify = { command: "no-such-program-here", timeoutMs: 5000, signal: new AbortController().signal };
    await start(() => ({ pieces: [JSON.stringify(completion("x"))] }), { verify });
    await ask("a", 1);
    await ask("b", 1);
    expect(await (await post("/r/nightly/finish", {})).json()).toMatchObject({
      ...{ attempts: 2, unjudged: 2 },
      notVerified: { attempts: 2, reason: expect.stringContaining("no-such-program-here") },
    });
    const failure = { boundary: "verifier", code: "VERIFIER_NOT_STARTED" };
    expect(only(await recorded(), "failure")).toMatchObject([failure, failure]);
  });

  it("that nobody called in takes no outcome and is not begun by one", async () => {
    await start(() => ({ pieces: [] }));
    const unknown = await post("/outcome", { run: "nightly", item: "a", value: 1, verifier });
    expect([unknown.status, await codeIn(unknown)]).toEqual([404, "NOT_RECORDING"]);
    expect(await listRuns(home)).toEqual([]);
  });

  it("is not sealed by the end of one of its attempts", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    await ask("a", 1);
    const refused = await post("/r/nightly/i/a/a/1/finish", {});
    expect([refused.status, await codeIn(refused)]).toEqual([400, "BAD_PLACE"]);
    expect((await listRuns(home)).map(({ isSealed }) => isSealed)).toEqual([false]);
  });

  it("that is sealed is said to be so where it is finished once more by its name", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    await ask("a", 1);
    const { run } = (await (await post("/r/nightly/finish", {})).json()) as { run: string };
    const again = await post("/r/nightly/finish", {});
    const { error } = (await again.json()) as { error: object };
    expect([again.status, error]).toMatchObject([
      409,
      { code: "RUN_SEALED", message: expect.stringContaining(`Run ${run} is sealed`) },
    ]);
  });

  it("that is sealed still takes outcomes: the ledger says them, and they decide", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    await ask("a", 1);
    await post("/outcome", { run: "nightly", item: "a", attempt: 1, value: 0, verifier });
    const { run } = (await (await post("/r/nightly/finish", {})).json()) as { run: string };
    const log = readFileSync(home.runLog(run));
    expect((await post("/outcome", { run: "nightly", item: "a", value: 1, verifier })).status).toBe(200);
    const nowhere = await post("/outcome", { run, item: "b", value: 1, verifier });
    expect([nowhere.status, await codeIn(nowhere)]).toEqual([404, "UNKNOWN_ATTEMPT"]);
    const unknown = await post("/outcome", { run, item: "a", attempt: 9, value: 1, verifier });
    expect([unknown.status, await codeIn(unknown)]).toEqual([404, "UNKNOWN_ATTEMPT"]);
    expect(readFileSync(home.runLog(run))).toEqual(log);
    const lake = await openLake(home);
    expect(await lake.query("SELECT eval_passed FROM mine.attempts")).toEqual([{ eval_passed: true }]);
    lake.close();
    expect(await verifyHome(home)).toMatchObject({ isSound: true });
  });

  it("is sealed on demand also by a proxy that was started after its calls, by name or by id", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    await ask("a", 1);
    await post("/r/weekly/i/a/v1/chat/completions", { model: "m", messages: [user("a")] });
    const runs = await listRuns(home);
    await proxy.close();
    await upstream.close();
    await start(() => ({ pieces: [] }));
    const byName = (await (await post("/r/nightly/finish", {})).json()) as { run: string };
    const other = runs.find(({ run }) => run !== byName.run)?.run;
    expect(await (await post(`/r/${other}/finish`, {})).json()).toMatchObject({ run: other, attempts: 1 });
    expect((await listRuns(home)).every(({ isSealed }) => isSealed)).toBe(true);
  });

  it("is one run under its id and its name", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    await ask("a", 1);
    const [run] = await listRuns(home);
    await post(`/r/${run?.run}/i/b/v1/chat/completions`, { model: "m", messages: [user("b")] });
    expect(await listRuns(home)).toHaveLength(1);
    expect(await (await post("/r/nightly/finish", {})).json()).toMatchObject({ items: 2 });
  });

  it("is not sealed while a call is being answered", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))], delayMs: 300 }));
    const calling = ask("a", 1);
    await expect.poll(() => upstream.requests.length).toBe(1);
    const refused = await post("/r/nightly/finish", {});
    expect([refused.status, await codeIn(refused)]).toEqual([409, "CALLS_OPEN"]);
    await calling;
    expect((await post("/r/nightly/finish", {})).status).toBe(200);
  });

  it("is none of tracemill's own: calls that name one are refused", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    const run = newRunId(systemClock);
    const log = createRunLog(home, { run, clock: systemClock });
    log.append({
      type: "run_started",
      data: { ...foreignStart({ run, skill: "mine", codeVersion: "t", config: {} }) },
    });
    log.close();
    const refused = await post(`/r/${run}/v1/chat/completions`, { model: "m", messages: [user("x")] });
    expect([refused.status, await codeIn(refused)]).toEqual([409, "NOT_RECORDED"]);
    expect(upstream.requests).toEqual([]);
  });

  it("is sealed after so long without a call", async () => {
    const sealed: string[] = [];
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }), {
      idleMs: 200,
      onSealed: ({ run }) => sealed.push(run),
    });
    await ask("a", 1);
    await expect.poll(() => sealed.length, { timeout: 5000 }).toBe(1);
    expect((await listRuns(home))[0]).toMatchObject({ run: sealed[0], isSealed: true });
  });

  it("is sealed once, whoever asks for it while its attempts are being judged", async () => {
    const sealed: string[] = [];
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }), {
      ...{ idleMs: 100, onSealed: ({ run }) => sealed.push(run) },
      verify: { command: "sleep 0.5", timeoutMs: 5000, signal: new AbortController().signal },
    });
    await ask("a", 1);
    await sleep(200); // the time of quiet is over: it is being judged already
    const finish = async () => (await post("/r/nightly/finish", {})).json() as Promise<SealedRecording>;
    const [one, other] = await Promise.all([finish(), finish()]);
    expect(one).toMatchObject({ items: 1, passed: 1 });
    expect(other).toEqual(one);
    await expect.poll(() => sealed).toEqual([one.run]);
    expect(only(await eventsOf(home, one.run), "run_finished")).toHaveLength(1);
  });

  it("loses no call that comes while it is being sealed: it is in this run or in the next", async () => {
    await start(() => ({ pieces: [JSON.stringify(completion("fix"))] }));
    const rounds = 20;
    const statuses: number[] = [];
    for (let n = 0; n < rounds; n++) {
      const { status } = await ask(`i${n}`, 1);
      const [, beside] = await Promise.all([post("/r/nightly/finish", {}), sleep(n % 4).then(() => ask(`i${n}`, 2))]);
      statuses.push(status, beside.status);
    }
    expect(statuses).toEqual(Array(2 * rounds).fill(200));
    await expect.poll(async () => (await post("/r/nightly/finish", {})).status).not.toBe(409);
    const runs = await listRuns(home);
    expect(runs.length).toBeGreaterThan(1);
    const events = await Promise.all(runs.map(({ run }) => eventsOf(home, run)));
    expect(events.map((one) => one.at(-1)?.type)).toEqual(runs.map(() => "run_finished"));
    expect(events.flatMap((one) => only(one, "turn"))).toHaveLength(2 * rounds);
    expect(await verifyHome(home)).toMatchObject({ isSound: true });
  });
});
