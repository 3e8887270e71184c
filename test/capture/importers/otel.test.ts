import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { only } from "../../harness/setting.ts";
import { FIXTURES, folder, freshFolders, home, imported, importInto, SAMPLES } from "./setting.ts";

const SAMPLE = join(SAMPLES, "otel");
const TRACE = "0123456789abcdef0123456789abcdef";
const START_MS = Date.UTC(2026, 0, 5);

freshFolders();

type Values = Record<string, unknown>;

/** A span as the JavaScript SDK prints it; times are seconds. */
function span(id: string, attributes: Values, more: Values = {}): Values {
  const { parent, trace = TRACE, from = 0, to = 1, ...rest } = more;
  return {
    name: "",
    spanContext: { traceId: trace, spanId: id },
    ...(parent !== undefined && { parentSpanId: parent }),
    startTime: [START_MS / 1000 + Number(from), 0],
    endTime: [START_MS / 1000 + Number(to), 0],
    attributes,
    ...rest,
  };
}

const message = (role: string, content: string) => ({ role, parts: [{ type: "text", content }] });
const call = (more: Values = {}): Values => ({ "gen_ai.operation.name": "chat", ...more });
const asked = (prompt: string, answer: string, more: Values = {}): Values =>
  call({
    "gen_ai.input.messages": JSON.stringify([message("user", prompt)]),
    "gen_ai.output.messages": JSON.stringify([message("assistant", answer)]),
    ...more,
  });

async function importSpans(...spans: Values[]) {
  const path = join(folder, "spans.json");
  writeFileSync(path, JSON.stringify(spans));
  const report = await importInto(home, path, { format: "otel" });
  return { report, ...(await imported(home, report)) };
}

async function importSample(name: string) {
  const report = await importInto(home, join(SAMPLE, name), { format: "otel" });
  return { report, ...(await imported(home, report)) };
}

describe("a call", () => {
  it("has its system text, messages, reasoning, tools and parameters from the GenAI conventions", async () => {
    const { turns, events } = await importSample("export.jsonl");
    const [turn] = turns.filter(({ role }) => role === "librarian");
    expect(turn?.messages).toEqual([
      { role: "system", content: "You know the shelves." },
      { role: "user", content: "Which shelf holds the atlas?" },
    ]);
    expect(turn?.response).toEqual({
      role: "assistant",
      content: null,
      reasoning_content: "I should look.",
      tool_calls: [{ id: "k1", type: "function", function: { name: "find_book", arguments: '{"title":"atlas"}' } }],
    });
    expect(turn?.missing).toEqual([]);
    expect(only(events, "turn").find(({ role }) => role === "librarian")).toMatchObject({
      finishReason: "tool_call",
      usage: { promptTokens: 31, completionTokens: 9 },
      request: { model: "tiny", temperature: 0.2, max_tokens: 64 },
      modelAnswered: "tiny-2",
      latencyMs: 1000,
    });
  });

  it("has what an event that was logged for it says", async () => {
    const { turns } = await importSample("export.jsonl");
    const [, second] = turns.filter(({ role }) => role === "librarian");
    expect(second?.messages.at(-1)).toEqual({ role: "tool", tool_call_id: "k1", content: "shelf 7" });
    expect(second?.response).toEqual({ role: "assistant", content: "On shelf 7." });
  });

  it("is read from flattened lists and from an event a message, as both were before", async () => {
    const { turns } = await importSample("export.jsonl");
    const [flat, evented, failed] = turns.filter(({ role }) => role === "ask");
    expect(flat?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(flat?.response?.tool_calls).toMatchObject([{ id: "k2", function: { name: "clock", arguments: "{}" } }]);
    expect(evented?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
    expect(evented?.messages.at(-1)).toEqual({ role: "tool", tool_call_id: "k2", content: "ten" });
    expect(evented?.response).toEqual({ role: "assistant", content: "At ten." });
    expect(failed?.response).toBeNull();
  });

  it.each([
    [
      "blocks in the events of Strands",
      {
        events: [
          { name: "gen_ai.user.message", attributes: { content: '[{"text":"Which?"}]' } },
          { name: "gen_ai.choice", attributes: { finish_reason: "end_turn", message: '[{"text":"That."}]' } },
        ],
      },
    ],
    [
      "bodies in one attribute of an event",
      {
        events: [
          { name: "gen_ai.user.message", attributes: { "gen_ai.event.content": '{"content":"Which?"}' } },
          { name: "gen_ai.choice", attributes: { "gen_ai.event.content": '{"message":{"content":"That."}}' } },
        ],
      },
    ],
    [
      "a list of events in one attribute",
      {
        attributes: call({
          events: JSON.stringify([
            { "event.name": "gen_ai.user.message", content: "Which?", role: "user" },
            { "event.name": "gen_ai.choice", message: { role: "assistant", content: "That." } },
          ]),
        }),
      },
    ],
    [
      "one text of each on events",
      {
        events: [
          { name: "gen_ai.content.prompt", attributes: { "gen_ai.prompt": "Which?" } },
          { name: "gen_ai.content.completion", attributes: { "gen_ai.completion": "That." } },
        ],
      },
    ],
    [
      "the bodies of the request and the answer",
      {
        attributes: {
          "openinference.span.kind": "LLM",
          "input.value": '{"messages":[{"role":"user","content":"Which?"}]}',
          "output.value": '{"choices":[{"message":{"role":"assistant","content":"That."}}]}',
        },
      },
    ],
    [
      "one prompt of text completion",
      {
        attributes: {
          "openinference.span.kind": "LLM",
          "llm.prompts.0.prompt.text": "Which?",
          "llm.choices.0.completion.text": "That.",
        },
      },
    ],
  ])("is read from %s", async (_, { attributes = call(), ...more }: Values) => {
    const { turns } = await importSpans(span("a1", attributes as Values, more));
    expect(turns).toMatchObject([{ messages: [{ role: "user", content: "Which?" }] }]);
    expect(turns[0]?.response).toEqual({ role: "assistant", content: "That." });
  });

  it("that failed has no answer, and says why", async () => {
    const { events, turns } = await importSample("export.jsonl");
    expect(only(events, "failure")).toMatchObject([
      { boundary: "model", code: "timeout", message: "no answer in 1 s", attempt: turns[0] && expect.any(String) },
    ]);
    expect(turns.filter(({ response }) => response === null).map(({ missing }) => missing)).toEqual([
      ["prompt", "system-prompt", "tools", "sampling"],
    ]);
  });

  it("is read from OpenInference with its tools and parameters", async () => {
    const { turns, events } = await importSample("export.jsonl");
    const turn = turns.find(({ role }) => role === "counter");
    expect(turn?.messages).toEqual([
      { role: "system", content: "Count." },
      { role: "user", content: "How many maps?" },
    ]);
    expect(turn?.missing).toEqual([]);
    expect(only(events, "turn").find(({ role }) => role === "counter")).toMatchObject({
      request: { model: "tiny", top_p: 0.9 },
      usage: { promptTokens: 12, completionTokens: 3 },
    });
  });

  it("of the Vercel AI SDK is the inner one, with its tools, and not the function around it too", async () => {
    const { turns, events } = await importSample("printed.json");
    expect(turns).toHaveLength(1);
    expect(turns[0]?.messages).toEqual([
      { role: "system", content: "Lend books." },
      { role: "user", content: "Lend me the atlas." },
    ]);
    expect(turns[0]?.response?.tool_calls).toMatchObject([
      { function: { name: "lend", arguments: '{"title":"atlas"}' } },
    ]);
    expect(only(events, "tools")[0]?.tools).toMatchObject([{ function: { name: "lend" } }]);
    expect(only(events, "action")).toMatchObject([
      { call: { name: "lend", arguments: { title: "atlas" } }, stdout: '{"until":"Friday"}', durationMs: 300 },
    ]);
  });

  it("whose content was not captured is a turn without prompt and answer", async () => {
    const { turns } = await importSpans(span("a1", call({ "gen_ai.usage.input_tokens": 3 })));
    expect(turns).toMatchObject([{ messages: [], response: null }]);
    expect(turns[0]?.missing).toEqual(["prompt", "system-prompt", "tools", "answer", "sampling"]);
  });

  it("with a text that was cut is not called whole", async () => {
    const { turns } = await importSpans(
      span("a1", asked("Which?", "That.", { "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"te' })),
    );
    expect(turns[0]?.messages).toEqual([]);
    expect(turns[0]?.missing).toContain("prompt");
    expect(turns[0]?.response?.content).toBe("That.");
  });

  it("of which attributes were dropped is not called whole where its lists are flattened", async () => {
    const attributes = {
      "openinference.span.kind": "LLM",
      "llm.input_messages.0.message.role": "user",
      "llm.input_messages.0.message.content": "Which?",
      "llm.output_messages.0.message.content": "That.",
    };
    const { turns } = await importSpans(span("a1", attributes, { droppedAttributesCount: 4 }));
    expect(turns[0]?.missing).toEqual(["prompt", "answer", "tools", "sampling"]);
  });

  it("with tools that cannot be read says that they are missing", async () => {
    const { turns } = await importSpans(span("a1", asked("Which?", "That.", { "gen_ai.tool.definitions": '[{"name' })));
    expect(turns[0]?.missing).toContain("tools");
  });

  it("that asked for several choices is a turn for each", async () => {
    const { turns, events } = await importSample("export.jsonl");
    const choices = turns.filter(({ attempt }) => attempt === `otel:${"f6".repeat(16)}/1`);
    expect(choices.map(({ response }) => response?.content)).toEqual(["Mercator.", "Peters."]);
    expect(only(events, "turn").flatMap(({ parseFlags }) => parseFlags)).toEqual(["choice-2"]);
    expect(choices[0]?.messages[0]?.content).toEqual([
      { type: "text", text: "Name a map." },
      { type: "uri", modality: "image", uri: "file:map.png" },
    ]);
  });

  it("that asked for one has the messages that it was answered with as one", async () => {
    const output = [message("assistant", "One, "), message("assistant", "two.")];
    const { turns } = await importSpans(span("a1", asked("Count.", "", { "gen_ai.output.messages": output })));
    expect(turns.map(({ response }) => response?.content)).toEqual(["One, two."]);
  });

  it("that was recorded inside of another one without its texts has those of the outer", async () => {
    const { turns } = await importSpans(
      span("a1", asked("Which?", "That."), { parent: "a0", to: 3 }),
      span("a2", call({ "gen_ai.response.model": "tiny-2" }), { parent: "a1", from: 1, to: 2 }),
      span("a0", { "openinference.span.kind": "AGENT", "agent.name": "Clerk" }, { to: 4 }),
    );
    expect(turns).toMatchObject([{ role: "clerk", messages: [{ content: "Which?" }], response: { content: "That." } }]);
  });

  it("that two programs recorded side by side is one, as the server's id tells", async () => {
    const id = { "gen_ai.response.id": "r1" };
    const { turns } = await importSpans(span("a1", call(id)), span("a2", asked("Which?", "That.", id), { from: 0.5 }));
    expect(turns.map(({ response }) => response?.content)).toEqual(["That."]);
  });

  it("of a tool that asks a model itself is a turn beside that of the caller", async () => {
    const { turns } = await importSpans(
      span("a1", asked("Outer?", "Yes."), { to: 9 }),
      span("a2", { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "ask" }, { parent: "a1", from: 2 }),
      span("a3", asked("Inner?", "No."), { parent: "a2", from: 3, to: 4 }),
    );
    expect(turns.map(({ response }) => response?.content)).toEqual(["Yes.", "No."]);
  });
});

describe("an agent", () => {
  it("of whose calls nothing was recorded is a turn that says so", async () => {
    const attributes = { ...asked("Book it.", "Done."), "gen_ai.operation.name": "invoke_agent" };
    const { turns } = await importSpans(span("a1", { ...attributes, "gen_ai.agent.name": "Travel Agent" }));
    expect(turns).toMatchObject([{ role: "travel-agent", response: { content: "Done." } }]);
    expect(turns[0]?.missing).toEqual(["prompt", "system-prompt", "tools", "sampling"]);
  });

  it("is the role of the calls below it, and an evaluator of the judge's", async () => {
    const { turns } = await importSample("export.jsonl");
    expect(new Set(turns.map(({ role }) => role))).toEqual(
      new Set(["ask", "librarian", "counter", "evaluator", "worker"]),
    );
  });

  it("that stands around itself is still read", async () => {
    const { turns, report } = await importSpans(
      span("a1", asked("One?", "1"), { parent: "a2" }),
      span("a2", asked("Two?", "2"), { parent: "a1", from: 2 }),
    );
    expect(report.rejected).toEqual([]);
    expect(turns).toHaveLength(1);
  });
});

describe("a tool", () => {
  it("is an action after the turn that asked for it, once, whatever recorded it beside", async () => {
    const { events } = await importSample("export.jsonl");
    const actions = only(events, "action").filter(({ call: { name } }) => name === "find_book");
    expect(actions).toMatchObject([{ call: { arguments: { title: "atlas" } }, stdout: "shelf 7", exitCode: null }]);
    expect(actions[0]?.turn).toMatch(/#1$/);
  });

  it("without a span of its own is told by the prompt of a later turn", async () => {
    const { events } = await importSample("export.jsonl");
    expect(only(events, "action").filter(({ call: { name } }) => name === "clock")).toMatchObject([{ stdout: "ten" }]);
  });

  it("of which neither arguments nor result were recorded is rejected", async () => {
    const { report, events } = await importSpans(
      span("a1", asked("Which?", "That.")),
      span("a2", { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look" }, { from: 2 }),
    );
    expect(only(events, "action")).toEqual([]);
    expect(report.rejected).toMatchObject([{ count: 1, reason: expect.stringContaining("were not recorded") }]);
  });

  it("that failed says why", async () => {
    const { events } = await importSpans(
      span("a1", asked("Which?", "That.")),
      span(
        "a2",
        { "openinference.span.kind": "TOOL", "tool.name": "look", "input.value": "at it" },
        { from: 2, status: { code: 2, message: "blind" } },
      ),
    );
    expect(only(events, "action")).toMatchObject([
      { call: { name: "look", arguments: { input: "at it" } }, stdout: "", stderr: "blind", isError: true },
    ]);
  });
});

describe("a score", () => {
  it("counts as far as it says who gave it", async () => {
    const { events } = await importSample("export.jsonl");
    const verdicts = only(events, "verdict").map(({ verdict }) => verdict);
    expect(verdicts.map(({ verifier, signalType, value, passed }) => [verifier.id, signalType, value, passed])).toEqual(
      [
        ["relevance", "judgment", 0.75, false],
        ["exact", "binary", 1, true],
        ["hallucination", "judgment", 0.75, false],
        ["helpful", "behavioral", 1, true],
      ],
    );
    expect(verdicts[0]?.evidence).toMatchObject({ score: 0.75, label: "relevant", response: "r2" });
    expect(verdicts[2]?.evidence).toMatchObject({
      score: 0.25,
      isFault: true,
      scope: "trace",
      metadata: { rubric: 1 },
    });
  });

  it("that no verdict can hold is rejected with its place", async () => {
    const scores = {
      "annotations.0.annotation.name": "stars",
      "annotations.0.annotation.score": 4,
      "annotations.1.annotation.name": "mood",
      "annotations.1.annotation.label": "cheerful",
      "annotations.2.annotation.name": "exact",
      "annotations.2.annotation.label": "incorrect",
      "annotations.2.annotation.annotator_kind": "CODE",
    };
    const { events, report } = await importSpans(span("a1", asked("Which?", "That.", scores)));
    expect(only(events, "verdict")).toMatchObject([{ verdict: { value: 0, passed: false, signalType: "binary" } }]);
    expect(report.rejected.map(({ where }) => where[0]?.replace(folder, ""))).toEqual([
      "/spans.json:1#0 (stars)",
      "/spans.json:1#0 (mood)",
    ]);
  });

  it("of one of several traces of a session is of that trace alone, which is an attempt of its own", async () => {
    const other = "f".repeat(32);
    const score = (scope: string, name: string, value: number) => ({
      [`${scope}annotations.0.annotation.name`]: name,
      [`${scope}annotations.0.annotation.score`]: value,
      [`${scope}annotations.0.annotation.annotator_kind`]: "CODE",
    });
    const first = { "session.id": "s", ...score("", "correct", 0) };
    const second = { "session.id": "s", ...score("trace.", "correct", 1), ...score("session.", "done", 0) };
    const { turns, events, report } = await importSpans(
      span("a1", asked("2+2?", "5", first)),
      span("b1", asked("Peru?", "Lima", second), { trace: other, from: 2 }),
    );
    expect(turns.map(({ attempt }) => attempt)).toEqual(["otel:s/1", "otel:s/2"]);
    expect(only(events, "verdict").map(({ attempt, verdict }) => [attempt.at(-1), verdict.passed])).toEqual([
      ["1", false],
      ["2", true],
    ]);
    expect(report.rejected).toMatchObject([{ count: 1, reason: expect.stringContaining("judged one by one") }]);
  });

  it("that stands under both of its names is there once", async () => {
    const fields = { name: "exact", score: 1, annotator_kind: "CODE" };
    const both = ["annotations.0.annotation", "evaluations.0.evaluation"].flatMap((prefix) =>
      Object.entries(fields).map(([key, value]) => [`${prefix}.${key}`, value]),
    );
    const { events } = await importSpans(span("a1", asked("Which?", "That.", Object.fromEntries(both))));
    expect(only(events, "verdict")).toHaveLength(1);
  });
});

describe("a file", () => {
  it("is a run with an item for each trace or session that tells something", async () => {
    const { events, report } = await importSample("export.jsonl");
    const items = only(events, "items_scanned").flatMap(({ items: [item] }) => item ?? []);
    expect(items.map(({ item, task }) => [item, task])).toEqual([
      ["otel:visit-2", "When does it open?"],
      ["otel:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1", "Which shelf holds the atlas?"],
      ["otel:visit-3", "How many maps?"],
      [`otel:${"f6".repeat(16)}`, expect.stringContaining("Name a map.")],
      [expect.stringMatching(/^otel:question-[0-9a-f]{12}$/), "Is it open?"],
    ]);
    expect(items[2]?.detail).toMatchObject({ service: "library", name: "count maps", tags: ["maps"] });
    expect(report.imported).toMatchObject([{ nativeId: "export.jsonl", items: 5, attempts: 6, passed: 1 }]);
  });

  it("of spans without traces has an attempt for each at its question", async () => {
    const { turns } = await importSample("export.jsonl");
    const attempts = turns.map(({ attempt }) => attempt).filter((attempt) => attempt.includes("question"));
    expect(attempts.map((attempt) => attempt.replace(/-[0-9a-f]{12}/, ""))).toEqual([
      "otel:question/1",
      "otel:question/2",
    ]);
  });

  it("of log records alone has their calls and scores", async () => {
    const value = (text: string) => ({ stringValue: text });
    const record = (eventName: string, attributes: Values) => ({
      ...{ eventName, timeUnixNano: `${START_MS}000000`, traceId: TRACE, spanId: "a1" },
      attributes: Object.entries(attributes).map(([key, given]) => ({ key, value: given })),
    });
    const logRecords = [
      record("gen_ai.client.inference.operation.details", {
        "gen_ai.operation.name": value("chat"),
        "gen_ai.conversation.id": value("visit-9"),
        "gen_ai.input.messages": value(JSON.stringify([message("user", "Which?")])),
        "gen_ai.usage.input_tokens": { intValue: "7" },
        "gen_ai.usage.output_tokens": { intValue: "1" },
      }),
      record("gen_ai.evaluation.result", {
        "gen_ai.evaluation.name": value("clear"),
        "gen_ai.evaluation.score.value": { doubleValue: 1 },
      }),
    ];
    const path = join(folder, "logs.json");
    writeFileSync(path, JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }));
    const { turns, events } = await imported(home, await importInto(home, path));
    expect(turns).toMatchObject([
      { attempt: "otel:visit-9/1", messages: [{ role: "user", content: "Which?" }], response: null },
    ]);
    expect(only(events, "turn")[0]?.usage).toEqual({ promptTokens: 7, completionTokens: 1 });
    expect(only(events, "verdict")).toMatchObject([{ verdict: { verifier: { id: "clear" }, signalType: "judgment" } }]);
  });

  it("that begins as an export is known as one, however long it is", async () => {
    const spans = Array.from({ length: 300 }, (_, i) => span(`b${i}`, asked(`${i}?`.padEnd(300), "Yes."), { from: i }));
    mkdirSync(join(folder, "long"));
    writeFileSync(join(folder, "long", "spans.json"), JSON.stringify(spans, null, 2));
    const report = await importInto(home, join(folder, "long"));
    expect(report).toMatchObject({ format: "otel", rejected: [] });
    expect((await imported(home, report)).turns).toHaveLength(300);
  });

  it("without anything of a model is no run", async () => {
    const { report } = await importSpans(span("a1", { "http.route": "/" }));
    expect(report.imported).toEqual([]);
    expect(report.rejected).toMatchObject([{ count: 1, reason: expect.stringContaining("no span of a model's call") }]);
  });

  it("has what is no span rejected, and the rest imported", async () => {
    const path = join(folder, "mixed.jsonl");
    const lines = [span("a1", asked("Which?", "That.")), { note: 1 }, { resourceSpans: [{ scopeSpans: [7] }] }];
    writeFileSync(path, [...lines.map((line) => JSON.stringify(line)), "{"].join("\n"));
    const report = await importInto(home, path, { format: "otel" });
    expect((await imported(home, report)).turns).toHaveLength(1);
    expect(report.rejected.map(({ reason, where }) => [reason, where[0]?.replace(folder, "")])).toEqual([
      ["it is no span", "/mixed.jsonl:2"],
      ["it is no object", "/mixed.jsonl:3/resourceSpans/0/scopeSpans/0"],
      ["it is not JSON", "/mixed.jsonl:4"],
    ]);
  });
});

describe.skipIf(FIXTURES === null)("the files of other programs", () => {
  const read = (path: string) => JSON.parse(readFileSync(join(FIXTURES as string, path), "utf8"));

  it.each(["ai-generateText", "ai-generateText-doGenerate", "ai-streamText-doStream"])(
    "of the Vercel AI SDK are imported: %s",
    async (name) => {
      const path = join("otel-genai", "vercel-v6-spans", `${name}.json`);
      const spans: { attributes: Record<string, unknown>; spanContext: { traceId: string } }[] = read(path);
      const report = await importInto(home, join(FIXTURES as string, path));
      const { turns, events } = await imported(home, report);
      expect(report).toMatchObject({ format: "otel", rejected: [] });
      expect(turns.map(({ response }) => response?.content)).toEqual(
        spans.map(({ attributes }) => attributes["ai.response.text"]),
      );
      expect(turns.map(({ attempt }) => attempt)).toEqual(
        spans.map(({ spanContext }) => `otel:${spanContext.traceId}/1`),
      );
      const [first] = only(events, "turn");
      const usage = spans[0]?.attributes ?? {};
      expect(first?.usage?.promptTokens).toBe(usage["ai.usage.promptTokens"] ?? usage["ai.usage.inputTokens"]);
      expect(first?.latencyMs).toBeGreaterThan(1000);
    },
  );

  it("say the same of a call in the GenAI conventions and in OpenInference", async () => {
    const paths = [
      "otel-genai/otel_genai_client_span_tool_calls",
      "openinference/openinference_client_span_tool_calls",
    ];
    const told = [];
    for (const path of paths) {
      const report = await importInto(home, join(FIXTURES as string, `${path}.json`));
      expect(report.rejected).toEqual([]);
      told.push((await imported(home, report)).turns[0]);
    }
    expect(told[0]?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
    expect(told[0]?.response?.content).toBe("The weather in Paris is currently rainy with a temperature of 57°F.");
    expect([told[1]?.messages, told[1]?.response]).toEqual([told[0]?.messages, told[0]?.response]);
    expect(told.map((turn) => turn?.missing)).toEqual([["tools"], ["tools"]]);
  });

  it("tell what a tool did that stands alone", async () => {
    const path = join(FIXTURES as string, "otel-genai", "otel_genai_tool_execution_span.json");
    const report = await importInto(home, path);
    expect(report).toMatchObject({ format: "otel", rejected: [], imported: [{ items: 1, attempts: 1 }] });
    const [action] = only((await imported(home, report)).events, "action");
    expect(action?.call).toEqual({ name: "get_weather", arguments: { city: "New York" } });
    expect(JSON.parse(action?.stdout ?? "")).toMatchObject({ status: "success" });
  });
});
