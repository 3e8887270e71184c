import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { only } from "../../harness/setting.ts";
import { FIXTURES, folder, freshFolders, home, imported, importInto, SAMPLES } from "./setting.ts";

const SAMPLE = join(SAMPLES, "langfuse");

freshFolders();

type Values = Record<string, unknown>;

const AT = "2026-02-03T10:00:00.000Z";

async function importTrace(observations: Values[], trace: Values = {}) {
  const path = join(folder, "trace.json");
  const whole = observations.map((one, i) => ({ id: `o${i}`, startTime: AT, type: "GENERATION", name: "ask", ...one }));
  writeFileSync(
    path,
    JSON.stringify({ trace: { id: "t1", projectId: "p", timestamp: AT, ...trace }, observations: whole }),
  );
  const report = await importInto(home, path);
  return { report, ...(await imported(home, report)) };
}

async function importSample(name: string) {
  const report = await importInto(home, join(SAMPLE, name));
  return { report, ...(await imported(home, report)) };
}

describe("the download of a trace", () => {
  it("has a turn for each generation, the inner one where one stands around another", async () => {
    const { turns, report } = await importSample("trace-t-bake.json");
    expect(report).toMatchObject({ format: "langfuse", imported: [{ items: 1, attempts: 1, passed: 1 }] });
    expect(turns.map(({ role, response }) => [role, response?.content ?? null])).toEqual([
      ["baker", null],
      ["baker", "Baked."],
      ["baker", null],
      ["evaluator", "Yes."],
    ]);
  });

  it("has a generation's messages, tools and parameters out of their texts", async () => {
    const { turns, events } = await importSample("trace-t-bake.json");
    expect(turns[0]?.messages).toEqual([
      { role: "system", content: "You bake." },
      { role: "user", content: "Bake bread." },
    ]);
    expect(turns[0]?.response?.tool_calls).toEqual([
      { id: "c1", type: "function", function: { name: "oven", arguments: '{"heat":200}' } },
    ]);
    expect(turns[0]?.missing).toEqual([]);
    expect(only(events, "turn")[0]).toMatchObject({
      request: { temperature: 0.2, tool_choice: { type: "auto" } },
      usage: { promptTokens: 11, completionTokens: 5 },
      finishReason: "tool-calls",
      modelAnswered: "tiny-2",
      latencyMs: 1800,
    });
    expect(only(events, "tools").map(({ tools }) => tools.map((tool) => (tool.function as Values).name))).toEqual([
      ["oven"],
      ["timer"],
    ]);
  });

  it("has calls that were written into a message's text as calls of the assistant", async () => {
    const { turns } = await importSample("trace-t-bake.json");
    expect(turns[1]?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
    expect(turns[1]?.messages[1]?.tool_calls).toMatchObject([{ id: "c2", function: { name: "timer" } }]);
  });

  it("has an action for each tool, also where only the span's attributes say that it is one", async () => {
    const { events } = await importSample("trace-t-bake.json");
    expect(only(events, "action").map(({ call, stdout }) => [call, stdout])).toEqual([
      [{ name: "oven", arguments: { heat: 200 } }, "hot"],
      [{ name: "timer", arguments: { min: 30 } }, "rang"],
    ]);
  });

  it("has what failed as a failure with its message", async () => {
    const { events } = await importSample("trace-t-bake.json");
    expect(only(events, "failure")).toMatchObject([{ boundary: "model", message: "the oven is out" }]);
  });

  it("has its scores as verdicts, by who gave them, those of the whole trace last", async () => {
    const { events } = await importSample("trace-t-bake.json");
    const verdicts = only(events, "verdict").map(({ verdict }) => verdict);
    expect(verdicts.map(({ verifier, signalType, value, passed }) => [verifier.id, signalType, value, passed])).toEqual(
      [
        ["heat", "graded", 0.5, false],
        ["crisp", "binary", 1, true],
        ["toxicity", "judgment", 0.9, false],
        ["taste", "behavioral", 1, true],
      ],
    );
    expect(verdicts[0]?.evidence).toMatchObject({ observationId: "o3", configId: "k1", source: "API" });
    expect(verdicts[2]?.evidence).toMatchObject({ score: 0.1, isFault: true });
  });

  it("says of its item what it is about", async () => {
    const { events } = await importSample("trace-t-bake.json");
    expect(only(events, "items_scanned")[0]?.items).toMatchObject([
      {
        item: "langfuse:t-bake",
        task: "Bake bread.",
        detail: { name: "bake", environment: "kitchen", tags: ["bread"], metadata: { order: 7 } },
      },
    ]);
  });
});

describe("an answer of the API", () => {
  it("is read from the responses API's bodies, with their instructions and tools", async () => {
    const { turns, events } = await importSample("exports.jsonl");
    const brew = turns.find(({ messages }) => messages.length === 4);
    expect(brew?.messages).toEqual([
      { role: "system", content: "You brew." },
      { role: "user", content: "Brew tea." },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c3", type: "function", function: { name: "kettle", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "c3", content: "boiled" },
    ]);
    expect(brew?.response).toEqual({ role: "assistant", content: "Tea is ready." });
    expect(brew?.missing).toEqual([]);
    expect(only(events, "turn").map(({ usage }) => usage)).toContainEqual({ promptTokens: 8, completionTokens: 3 });
  });

  it("has the traces of a session as one item, and one without generations as what it was asked", async () => {
    const { turns } = await importSample("exports.jsonl");
    const visit = turns.filter(({ attempt }) => attempt.startsWith("langfuse:visit-1/"));
    expect(visit.map(({ attempt, response }) => [attempt.at(-1), response?.content])).toEqual([
      ["1", "Tea is ready."],
      ["2", "There is."],
    ]);
    expect(visit[1]?.missing).toEqual(["prompt", "system-prompt", "tools", "sampling"]);
  });

  it("that only names its observations has each of them rejected", async () => {
    const path = join(folder, "list.json");
    const trace = { id: "t1", projectId: "p", timestamp: AT, input: "Why?", output: "So.", scores: ["s1"] };
    writeFileSync(path, JSON.stringify({ data: [{ ...trace, observations: ["o1", "o2"] }] }));
    const report = await importInto(home, path);
    expect(report.rejected.map(({ reason, count }) => [reason, count])).toEqual([
      ["the observation is only named", 2],
      ["the score is only named", 1],
    ]);
  });
});

describe("the rows of an export", () => {
  it("are put together by trace, wherever they stand", async () => {
    const { turns, events, report } = await importSample("exports.jsonl");
    expect(report.imported).toMatchObject([{ items: 4, attempts: 5, passed: 2 }]);
    const wash = turns.find(({ attempt }) => attempt === "langfuse:t-wash/1");
    expect(wash?.response).toEqual({ role: "assistant", content: "Wash" });
    expect(wash?.missing).toEqual(["sampling"]);
    expect(only(events, "turn").map(({ finishReason }) => finishReason)).toContain("length");
    expect(only(events, "action")).toMatchObject([
      { call: { name: "sink", arguments: { input: "soap" } }, stdout: '{"clean":true}' },
    ]);
  });

  it("have a session's score as a verdict on the session", async () => {
    const { events } = await importSample("exports.jsonl");
    expect(only(events, "verdict").filter(({ attempt }) => attempt.includes("visit-2"))).toMatchObject([
      { verdict: { verifier: { id: "pleased" }, signalType: "behavioral", value: 0 } },
    ]);
  });

  it("have times that are UTC", async () => {
    const { events } = await importSample("exports.jsonl");
    expect(events.find(({ type }) => type === "turn")?.at).toBe("2026-02-03T12:00:03.250Z");
  });
});

describe("a generation", () => {
  it("whose input and output were not kept is a turn without prompt and answer", async () => {
    const { turns } = await importTrace([{ input: null, output: null }]);
    expect(turns).toMatchObject([{ messages: [], response: null }]);
    expect(turns[0]?.missing).toEqual(["prompt", "system-prompt", "tools", "answer", "sampling"]);
  });

  it("whose input was cut is not called whole", async () => {
    const { turns } = await importTrace([{ input: '[{"role":"user","content":"Wh', output: '{"a":' }]);
    expect(turns[0]).toMatchObject({ messages: [], response: { content: '{"a":' } });
    expect(turns[0]?.missing).toEqual(["prompt", "answer", "system-prompt", "tools", "sampling"]);
  });

  it("whose answer was parsed is not called whole, and one that is text is as it was", async () => {
    const { turns } = await importTrace([
      { input: "Why?", output: { a: 1 } },
      { input: "Why?", output: '{"a": 1}' },
    ]);
    expect(turns.map(({ response }) => response?.content)).toEqual(['{"a":1}', '{"a": 1}']);
    expect(turns.map(({ missing }) => missing.includes("answer"))).toEqual([true, false]);
  });

  it("below an agent whose name holds an id is the worker's", async () => {
    const { turns } = await importTrace([
      { id: "a", type: "AGENT", name: "run.6f8d2449-33ed-4c7c-82e7-5410e34ee4e6" },
      { parentObservationId: "a", input: "Why?", output: "So." },
    ]);
    expect(turns.map(({ role }) => role)).toEqual(["worker"]);
  });
});

describe("observations and scores beside", () => {
  const trace = (id: string) => ({ id, timestamp: AT, input: "Why?" });
  const observation = { id: "o", type: "GENERATION", startTime: AT, input: "Why?", output: "So." };
  const score = { name: "tests", source: "API", value: 1, dataType: "NUMERIC" };

  async function importDocument(document: Values) {
    const path = join(folder, "beside.json");
    writeFileSync(path, JSON.stringify(document));
    const report = await importInto(home, path);
    return { report, ...(await imported(home, report)) };
  }

  it("a trace are that trace's", async () => {
    const beside = { observations: [observation], scores: [score], corrections: [{ name: "output", value: 0 }] };
    const { report, turns } = await importDocument({ trace: trace("t1"), ...beside });
    expect(report).toMatchObject({ format: "langfuse", imported: [{ attempts: 1, passed: 1 }] });
    expect(turns.map(({ response }) => response?.content)).toEqual(["So."]);
    expect(report.rejected).toMatchObject([{ count: 1, reason: "a correction is a text and no verdict" }]);
  });

  it("several traces are those traces' that they name, and of none where they name none", async () => {
    const of = (traceId: string, values: Values) => ({ traceId, ...values });
    const { report, turns, events } = await importDocument({
      traces: [trace("t1"), trace("t2")],
      observations: [of("t1", observation), of("t2", { ...observation, id: "o2" })],
      scores: [of("t2", score), score],
    });
    expect(turns.map(({ attempt }) => attempt).sort()).toEqual(["langfuse:t1/1", "langfuse:t2/1"]);
    expect(only(events, "verdict").map(({ attempt }) => attempt.slice(-4))).toEqual(["t2/1"]);
    expect(report.rejected).toMatchObject([{ count: 1, where: [expect.stringContaining("/scores/1")] }]);
  });
});

describe("a score", () => {
  it("that no verdict can hold is rejected with its reason", async () => {
    const score = { traceId: "t1", source: "API", timestamp: AT };
    const scores = [
      { ...score, name: "stars", value: 4, dataType: "NUMERIC" },
      { ...score, name: "mood", value: 1, stringValue: "calm", dataType: "CATEGORICAL" },
      { ...score, name: "note", value: 0, stringValue: "Well.", dataType: "TEXT" },
    ];
    const corrections = [{ ...score, name: "output", value: 0, longStringValue: "Better.", source: "ANNOTATION" }];
    const { report, events } = await importTrace([{ input: "Why?", output: "So." }], { scores, corrections });
    expect(only(events, "verdict")).toEqual([]);
    expect(report.rejected.map(({ where }) => where[0]?.split(" ")[1])).toEqual([
      "(stars)",
      "(mood)",
      "(note)",
      "(output)",
    ]);
  });

  it("of a person does not lift a test that failed, whatever its place", async () => {
    const score = { traceId: "t1", timestamp: AT, dataType: "BOOLEAN" };
    const scores = [
      { ...score, name: "tests", value: 0, source: "API" },
      { ...score, name: "thumbs", value: 1, source: "ANNOTATION" },
    ];
    const { report } = await importTrace([{ input: "Why?", output: "So." }], { scores });
    expect(report.imported).toMatchObject([{ attempts: 1, passed: 0 }]);
  });

  describe("of one of several traces of a session", () => {
    const trace = (id: string, question: string, scores: Values[] = []) => ({
      ...{ id, projectId: "p", timestamp: AT, sessionId: "s", input: question, output: "So.", scores },
    });
    const given = (value: number) => ({ source: "API", name: "correct", value, dataType: "BOOLEAN", timestamp: AT });
    const pleased = { ...given(0), name: "pleased", sessionId: "s" };

    async function importTraces(traces: Values[], ...scores: Values[]) {
      const path = join(folder, "rows.jsonl");
      const first = (one: Values) => ({ ...one, scores: [] });
      const later = traces.flatMap((one) => (one.scores as Values[]).map((score) => ({ traceId: one.id, ...score })));
      const rows = [...traces.map(first), ...later.reverse(), ...scores];
      writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      const report = await importInto(home, path, { format: "langfuse" });
      const { events, turns } = await imported(home, report);
      const verdicts = only(events, "verdict").map(({ attempt, verdict }) => [attempt.at(-1), verdict.passed]);
      return { report, verdicts: verdicts.sort(), turns: turns.map(({ attempt }) => attempt.slice(-3)).sort() };
    }

    it("is of that trace alone, which is an attempt of its own, numbered as it came", async () => {
      const traces = [trace("t1", "2+2?", [given(0)]), trace("t2", "Peru?", [given(1)])];
      const { report, turns, verdicts } = await importTraces(traces, pleased);
      expect(turns).toEqual(["s/1", "s/2"]);
      expect(verdicts).toEqual([
        ["1", false],
        ["2", true],
      ]);
      expect(report.rejected).toMatchObject([{ count: 1, reason: expect.stringContaining("judged one by one") }]);
    });

    it("is none where the session itself is what was judged: then all are one attempt", async () => {
      const { report, turns, verdicts } = await importTraces([trace("t1", "2+2?"), trace("t2", "Peru?")], pleased);
      expect(turns).toEqual(["s/1", "s/1"]);
      expect(verdicts).toEqual([["1", false]]);
      expect(report.rejected).toEqual([]);
    });
  });

  it("of code that contradicts one of another name leaves the outcome open, of the same name takes its place", async () => {
    const score = (name: string, value: number, more: Values = {}) => ({
      ...{ traceId: "t1", source: "API", name, value, dataType: "NUMERIC" },
      ...more,
    });
    const flagsOf = async (...scores: Values[]) => {
      const { events } = await importTrace([{ input: "Why?", output: "So." }], { id: `t${scores.length}`, scores });
      return only(events, "verdict").map(({ verdict }) => [verdict.verifier.id, verdict.flags]);
    };
    expect(await flagsOf(score("tests_passed", 1), score("latency_s", 0.35))).toEqual([
      ["tests_passed", ["imported", "conflict"]],
      ["latency_s", ["imported", "conflict"]],
    ]);
    const step = score("step_ok", 0, { observationId: "o0" });
    expect(await flagsOf(score("tests_passed", 0), score("tests_passed", 1), step)).toEqual([
      ["step_ok", ["imported"]],
      ["tests_passed", ["imported"]],
      ["tests_passed", ["imported"]],
    ]);
  });

  it("of a source that is not known is an opinion", async () => {
    const scores = [{ traceId: "t1", source: "constructor", name: "good", value: 1, dataType: "NUMERIC" }];
    const { events } = await importTrace([{ input: "Why?", output: "So." }], { scores });
    expect(only(events, "verdict")).toMatchObject([{ verdict: { signalType: "judgment", confidence: 0.5 } }]);
  });
});

describe.skipIf(FIXTURES === null)("the files of other programs", () => {
  interface Raw {
    trace: { id: string; scores: { name: string; value: number; source: string }[] };
    observations: { id: string; type: string; name: string; parentObservationId: string | null; metadata: string }[];
  }
  const NAMES = ["claude-agent-2025-12-22", "koog-2025-08-26", "openai-agents-2025-09-30", "vercel-aisdk-2025-11-17"];
  const read = (name: string): Raw =>
    JSON.parse(readFileSync(join(FIXTURES as string, "langfuse", `${name}.trace.json`), "utf8"));

  it.each(NAMES)("have their generations, tools and scores imported: %s", async (name) => {
    const { trace, observations } = read(name);
    const report = await importInto(home, join(FIXTURES as string, "langfuse", `${name}.trace.json`));
    const { events, turns } = await imported(home, report);
    expect(report).toMatchObject({ format: "langfuse", rejected: [] });
    const generations = observations.filter(({ type }) => type === "GENERATION");
    const around = new Set(generations.map(({ parentObservationId }) => parentObservationId));
    expect(turns).toHaveLength(generations.filter(({ id }) => !around.has(id)).length);
    expect(turns.every(({ attempt }) => attempt === `langfuse:${trace.id}/1`)).toBe(true);
    const tools = observations.filter(({ type, metadata }) => type === "TOOL" || metadata.includes("gen_ai.tool.name"));
    expect(only(events, "action")).toHaveLength(tools.length);
    const verdicts = only(events, "verdict").map(({ verdict }) => verdict);
    expect(verdicts.map(({ verifier, evidence }) => [verifier.id, (evidence as Values).score])).toEqual(
      trace.scores.map((score) => [score.name, score.value]),
    );
    expect(verdicts.every(({ signalType }) => signalType === "judgment")).toBe(true);
  });

  it("have whole prompts where the program kept them", async () => {
    const path = join(FIXTURES as string, "langfuse", "openai-agents-2025-09-30.trace.json");
    const { turns } = await imported(home, await importInto(home, path));
    expect(turns.map(({ messages }) => messages.map(({ role }) => role))).toEqual([
      ["system", "user"],
      ["system", "user", "assistant", "tool"],
    ]);
    expect(turns.map(({ missing, role }) => [role, missing])).toEqual([
      ["hello-world", []],
      ["hello-world", []],
    ]);
  });
});
