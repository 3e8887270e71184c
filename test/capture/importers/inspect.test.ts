/** What an Inspect log becomes: calls as turns, epochs as attempts, scores as verdicts; and what a hostile zip does not. */
import { readFileSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSampleMessages } from "../../../src/capture/inspect/messages.ts";
import { findFiles } from "../../../src/capture/source-files.ts";
import { sumOf } from "../../../src/foundation/sums.ts";
import type { LoggedEvent } from "../../../src/records/events.ts";
import { only } from "../../harness/setting.ts";
import { FIXTURES, folder, freshFolders, home, imported, importInto, SAMPLES } from "./setting.ts";
import { HAS_ZSTD, type ZipEntry, zipFile } from "./zip-files.ts";

const SAMPLE = join(SAMPLES, "inspect");
const NORTH = "orchard-count-plums:orchard/count_plums/north";
const SOUTH = "orchard-count-plums:orchard/count_plums/south";

freshFolders();

function fileOf(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const HEADER = { version: 2, status: "success", eval: { eval_id: "e1", task: "nuts", model: "m" } };

const member = (name: string, value: unknown, method: ZipEntry["method"] = 8): ZipEntry => ({
  ...{ name, method, text: typeof value === "string" ? value : JSON.stringify(value) },
});

const answered = (id: string, text: string, more: object = {}) => ({
  ...{ id, epoch: 1, input: "How many?", target: "1" },
  messages: [
    { role: "user", content: "How many?" },
    { role: "assistant", content: text },
  ],
  ...more,
});

/** A log of samples, imported. */
async function importSamples(...samples: object[]) {
  const report = await importInto(home, fileOf("nuts.json", JSON.stringify({ ...HEADER, samples })));
  return { report, ...(await imported(home, report)) };
}

function verdictsOf(events: LoggedEvent[], attempt: string) {
  return only(events, "verdict")
    .filter((verdict) => verdict.attempt.endsWith(attempt))
    .map(({ verdict }) => verdict);
}

describe("the sample", () => {
  it("has a turn for each call of a model, with the call's own prompt out of the pool", async () => {
    const { turns } = await imported(home, await importInto(home, join(SAMPLE, "plums.json")));
    const calls = turns.filter(({ attempt }) => attempt === `${NORTH}/1`);
    expect(calls.map(({ role, messages }) => [role, messages.map((message) => message.role)])).toEqual([
      ["worker", ["system", "user"]],
      ["worker", ["system", "user", "assistant", "tool"]],
      ["grader", ["user"]],
    ]);
    expect(calls[0]?.messages[0]?.content).toMatch(/^Count the plums of the tree/);
    expect(calls[0]?.response).toEqual({
      ...{ role: "assistant", content: null, reasoning_content: "I have to count." },
      tool_calls: [{ id: "c1", type: "function", function: { name: "count", arguments: '{"tree":"north"}' } }],
    });
    expect(calls.every(({ missing }) => missing.length === 0)).toBe(true);
  });

  it("keeps tools, sampling, usage, time and model of a call, and no header of it", async () => {
    const { events } = await imported(home, await importInto(home, join(SAMPLE, "plums.json")));
    const [turn] = only(events, "turn");
    expect(turn).toMatchObject({
      ...{ finishReason: "tool_calls", latencyMs: 250, modelAnswered: "tiny-2" },
      // 20 + 10 from the cache + 4 are the total of 34
      usage: { promptTokens: 30, completionTokens: 4 },
      request: { temperature: 0.5, max_tokens: 64, tool_choice: "auto" },
    });
    expect(only(events, "tools")[0]?.tools[0]).toMatchObject({
      function: { name: "count", description: "Counts the plums of a tree." },
    });
    expect(JSON.stringify(events)).not.toContain("not-to-be-kept");
  });

  it("has an action for each tool that was used", async () => {
    const { events } = await imported(home, await importInto(home, join(SAMPLE, "plums.json")));
    const [action] = only(events, "action");
    expect(action).toMatchObject({
      call: { name: "count", arguments: { tree: "north" } },
      ...{ stdout: "7", stderr: "", exitCode: null, durationMs: 500 },
    });
  });

  it("takes letters as numbers, and what a model scored as a judgment", async () => {
    const { events } = await imported(home, await importInto(home, join(SAMPLE, "plums.json")));
    expect(verdictsOf(events, `${NORTH}/1`)).toMatchObject([
      { value: 0.5, passed: false, signalType: "judgment", verifier: { id: "model_graded_qa" } },
      { value: 1, passed: true, signalType: "binary", confidence: 1, verifier: { id: "match", version: "0.3.250" } },
    ]);
  });

  it("makes an attempt of each epoch, and takes the conversation where no call was logged", async () => {
    const { turns } = await imported(home, await importInto(home, join(SAMPLE, "plums.json")));
    const second = turns.filter(({ attempt }) => attempt === `${NORTH}/2`);
    expect(second.map(({ messages }) => messages.length)).toEqual([4, 6]);
    expect(second.every(({ missing }) => missing.includes("tools") && missing.includes("sampling"))).toBe(true);
    // what was given as an example is no turn, and a tool's error is what the model was shown
    expect(second[0]?.messages[2]?.content).toBe("None");
    expect(second[1]?.messages[5]).toMatchObject({ role: "tool", content: "It took too long." });
  });

  it("flags what was invalidated, and records errors and limits", async () => {
    const { events } = await imported(home, await importInto(home, join(SAMPLE, "plums.json")));
    expect(verdictsOf(events, `${NORTH}/2`)[0]?.flags).toEqual(["environment-suspect", "imported"]);
    const flagged = only(events, "turn").filter(({ parseFlags }) => parseFlags.includes("invalidated"));
    expect(flagged.every(({ attempt }) => attempt.endsWith(`${NORTH}/2`))).toBe(true);
    expect(flagged).toHaveLength(2);
    expect(only(events, "failure").map(({ code, message }) => [code, message])).toEqual([
      ["TRY_FAILED", "the tree was not there"],
      ["LIMIT_REACHED", "token: 100"],
      ["INVALIDATED", "a gardener: the ladder was broken"],
      ["SAMPLE_FAILED", "the gate fell shut"],
    ]);
  });

  it("takes each value of a score that has several, and an edited one as a person's", async () => {
    const { events } = await imported(home, await importInto(home, join(SAMPLE, "plums.json")));
    expect(
      verdictsOf(events, `${SOUTH}/1`).map(({ verifier, value, signalType }) => [verifier.id, value, signalType]),
    ).toEqual([
      ["match", 1, "behavioral"],
      ["both.exact", 0, "binary"],
      ["both.near", 0.25, "graded"],
    ]);
  });

  it("takes an output without its conversation, and says that the prompt is missing", async () => {
    const { turns } = await imported(home, await importInto(home, join(SAMPLE, "plums.json")));
    const [turn] = turns.filter(({ attempt }) => attempt === `${SOUTH}/1`);
    expect(turn?.response?.content).toBe("2");
    expect(turn?.missing).toContain("prompt");
  });

  it("takes samples in chunks, and those of before 2025 with their transcript and one score", async () => {
    const { events, turns } = await imported(home, await importInto(home, join(SAMPLE, "pears.eval")));
    expect(turns).toMatchObject([
      {
        attempt: "count-pears:count_pears/1/1",
        messages: [{ role: "user", content: "How many pears are ripe?" }],
        response: { content: "One", reasoning_content: "One is." },
        missing: [],
      },
      { attempt: "count-pears:count_pears/a/b/1", messages: [{ content: "How many pears fell?" }], missing: [] },
    ]);
    expect(only(events, "items_scanned").map(({ items }) => items[0]?.family)).toEqual([
      "count_pears/1",
      "farm/orchard",
    ]);
    expect(only(events, "verdict").map(({ verdict }) => [verdict.verifier.id, verdict.value])).toEqual([
      ["match", 0],
      ["match", 1],
    ]);
    expect(only(events, "turn")[0]?.finishReason).toBe("length");
  });
});

describe("a log", () => {
  it.skipIf(!HAS_ZSTD)("may be compressed with zstd, in several frames", async () => {
    const text = JSON.stringify(answered("1", "x".repeat(100_000)));
    const entries: ZipEntry[] = [
      { ...member("header.json", HEADER, 93), frames: 2 },
      { ...member("samples/1_epoch_1.json", text, 93), frames: 3 },
    ];
    const file = fileOf("nuts.eval", zipFile(entries));
    expect((await findFiles(folder, "auto")).format).toBe("inspect");
    const report = await importInto(home, file);
    expect(report.rejected).toEqual([]);
    expect((await imported(home, report)).turns[0]?.response?.content).toHaveLength(100_000);
  });

  it("that was cut short has the header of its start", async () => {
    const entries = [member("_journal/start.json", HEADER), member("samples/1_epoch_1.json", answered("1", "one"))];
    const report = await importInto(home, fileOf("nuts.eval", zipFile(entries)));
    expect(report.imported).toMatchObject([{ nativeId: "e1", attempts: 1 }]);
  });

  it("has its facts, and says which of them are too long for a run's", async () => {
    const header = { ...HEADER, eval: { ...HEADER.eval, metadata: "m".repeat(60_000), tags: ["t".repeat(80_000)] } };
    const text = JSON.stringify({ ...header, samples: [answered("1", "one")] });
    const report = await importInto(home, fileOf("nuts.json", text));
    const { events } = await imported(home, report);
    expect(only(events, "run_started")[0]?.config.source).toMatchObject({
      facts: { task: "nuts", metadata: header.eval.metadata },
    });
    expect(report.rejected).toMatchObject([
      { count: 1, reason: expect.stringContaining("`tags` has 80004 characters") },
    ]);
    expect(only(events, "failure")).toMatchObject([{ boundary: "import", code: "REJECTED" }]);
  });

  it("of summaries alone is rejected", async () => {
    const report = await importInto(home, fileOf("nuts.json", JSON.stringify({ ...HEADER, samples: [] })));
    expect(report.imported).toEqual([]);
    expect(report.rejected).toMatchObject([{ reason: "the log holds no samples" }]);
  });

  it("keeps the samples beside one that cannot be unpacked", async () => {
    const whole = member("samples/1_epoch_1.json", answered("1", "one"));
    const cases: [ZipEntry, RegExp][] = [
      [{ ...member("samples/2_epoch_1.json", "{}"), claims: { crc32: 1 } }, /checksum/],
      [{ ...member("samples/2_epoch_1.json", "{}"), claims: { sizeBytes: 99 } }, /the directory says 99/],
      [{ ...member("samples/2_epoch_1.json", "{}"), claims: { flags: 1 } }, /encrypted/],
      [{ ...member("samples/2_epoch_1.json", "{}"), claims: { method: 12 } }, /zip method 12/],
      [{ ...member("samples/2_epoch_1.json", "{}"), claims: { sizeBytes: 2 ** 31 } }, /more than 67108864/],
      [member("samples/2_epoch_1.json", Buffer.alloc(65 << 20).toString()), /more than 67108864/],
      [member("samples/2_epoch_1.json", "{"), /not JSON/],
    ];
    for (const [i, [broken, reason]] of cases.entries()) {
      const header = { ...HEADER, eval: { ...HEADER.eval, eval_id: `e${i}` } };
      const file = fileOf(`${i}.eval`, zipFile([member("header.json", header), broken, whole]));
      const report = await importInto(home, file);
      expect(report.imported).toMatchObject([{ attempts: 1 }]);
      expect(report.rejected).toMatchObject([{ count: 1, where: [`${file}#samples/2_epoch_1.json`] }]);
      expect(report.rejected[0]?.reason).toMatch(reason);
    }
  });

  it("is unpacked no further than a member may be", async () => {
    const bomb: ZipEntry = { ...member("samples/1_epoch_1.json", "1".repeat(65 << 20)), claims: { sizeBytes: 10 } };
    const report = await importInto(home, fileOf("nuts.eval", zipFile([member("header.json", HEADER), bomb])));
    expect(report.rejected[0]?.reason).toMatch(/cannot be unpacked: .*67108864/);
  });

  it("names its members as it likes, and none of them is a path", async () => {
    const name = "samples/../../../../etc/x_epoch_1.json";
    const entries = [member("header.json", HEADER), member(name, answered("/etc/x", "one"))];
    const report = await importInto(home, fileOf("nuts.eval", zipFile(entries)));
    expect(report.imported).toMatchObject([{ attempts: 1 }]);
  });
});

describe("a sample", () => {
  it("without a score has no verdict", async () => {
    const { events, report } = await importSamples(answered("1", "one", { scores: {} }));
    expect(only(events, "verdict")).toEqual([]);
    expect(report.imported).toMatchObject([{ attempts: 1, passed: 0, unjudged: 1 }]);
  });

  it("whose scorer could not say anything (NaN) has no verdict either", async () => {
    const text = JSON.stringify({
      ...HEADER,
      samples: [answered("1", 'NaN is "NaN"', { scores: { s: { value: 0 } } })],
    });
    const report = await importInto(home, fileOf("nuts.json", text.replace('"value":0', '"value":NaN')));
    const { events, turns } = await imported(home, report);
    expect(only(events, "verdict")).toEqual([]);
    expect(turns[0]?.response?.content).toBe('NaN is "NaN"');
  });

  it("scored on another scale keeps its turns, and the score is rejected", async () => {
    const { report, events } = await importSamples(answered("1", "one", { scores: { far: { value: 42.7 } } }));
    expect(only(events, "verdict")).toEqual([]);
    expect(report.rejected).toMatchObject([{ reason: expect.stringContaining('"far" is neither C, I, P, N') }]);
  });

  it("that a scorer of any name called a model for has a judgment", async () => {
    const call = (span_id: string) => ({
      ...{ event: "model", span_id, model: "m", input: [{ role: "user", content: "?" }], tools: [], config: {} },
      output: { choices: [{ message: { role: "assistant", content: "yes" } }] },
    });
    const events = [
      { event: "span_begin", id: "a", type: "scorer", name: "pkg/taste" },
      call("a"),
      { event: "span_begin", id: "b", type: "solver", name: "generate" },
      call("b"),
    ];
    const scores = { taste: { value: 1 }, size: { value: 1 } };
    const sample = await importSamples(answered("1", "yes", { events, scores }));
    expect(sample.turns.map(({ role }) => role)).toEqual(["scorer", "worker"]);
    expect(only(sample.events, "verdict").map(({ verdict }) => [verdict.verifier.id, verdict.signalType])).toEqual([
      ["size", "binary"],
      ["taste", "judgment"],
    ]);
  });

  it("has a role for an agent that a tool started", async () => {
    const begin = (id: string, type: string, parent_id: string | null) => ({
      ...{ event: "span_begin", id, type, name: id, parent_id },
    });
    const call = (span_id: string) => ({
      ...{ event: "model", span_id, model: "m", input: [{ role: "user", content: "?" }], tools: [], config: {} },
      output: { choices: [{ message: { role: "assistant", content: span_id } }] },
    });
    const events = [
      ...[begin("main", "agent", null), call("main"), begin("ask", "tool", "main"), begin("helper", "agent", "ask")],
      ...[call("helper"), { event: "tool", span_id: "main", function: "ask", arguments: {}, result: "done", id: "t" }],
    ];
    const { turns } = await importSamples(answered("1", "x", { events }));
    expect(turns.map(({ role, response }) => [role, response?.content])).toEqual([
      ["worker", "main"],
      ["helper", "helper"],
    ]);
  });

  it("whose attachment or pool is lost says what is missing", async () => {
    const call = (more: object) => ({
      ...{ event: "model", model: "m", tools: [], config: {} },
      output: { choices: [{ message: { role: "assistant", content: "attachment://gone" } }] },
      ...more,
    });
    const events = [
      call({ input: [{ role: "user", content: "attachment://gone" }] }),
      call({ input: [], input_refs: [[0, 3]] }),
      call({ input: [{ role: "user", content: "?" }], tools: null, config: null, output: {} }),
    ];
    const { turns } = await importSamples(answered("1", "x", { events, events_data: { messages: [] } }));
    expect(turns.map(({ missing }) => missing)).toEqual([
      ["prompt", "answer"],
      ["prompt", "answer"],
      ["tools", "sampling", "answer"],
    ]);
  });

  it("whose call failed has a turn without an answer, and the failure", async () => {
    const event = { event: "model", model: "m", input: [{ role: "user", content: "?" }], tools: [], config: {} };
    const { turns, events } = await importSamples(answered("1", "x", { events: [{ ...event, error: "429" }] }));
    expect(turns).toMatchObject([{ response: null, missing: [] }]);
    expect(only(events, "failure")).toMatchObject([{ code: "CALL_FAILED", message: "429" }]);
  });

  it("keeps a redacted reasoning's summary, flagged", async () => {
    const content = [
      { type: "reasoning", reasoning: "Zm9v", summary: "thinking", redacted: true },
      { type: "text", text: "one" },
    ];
    const messages = [
      { role: "user", content: "?" },
      { role: "assistant", content },
    ];
    const { turns, events } = await importSamples(answered("1", "", { messages }));
    expect(turns[0]?.response).toEqual({ role: "assistant", content: "one", reasoning_content: "thinking" });
    expect(only(events, "turn")[0]?.parseFlags).toEqual(["reasoning-redacted"]);
  });

  it("has a turn for each choice of a call, the one that it goes on from last", async () => {
    const choices = ["a", "b", "c"].map((content) => ({ message: { role: "assistant", content } }));
    const event = { event: "model", model: "m", input: [{ role: "user", content: "?" }], tools: [], config: {} };
    const { turns } = await importSamples(answered("1", "x", { events: [{ ...event, output: { choices } }] }));
    expect(turns.map(({ response }) => response?.content)).toEqual(["c", "b", "a"]);
  });

  it("has a tool's call as failed where its event has an error", async () => {
    const used = { event: "tool", function: "count", arguments: {}, result: "" };
    const events = [
      { ...used, error: { type: "timeout", message: "It took too long." } },
      { ...used, error: null },
    ];
    const call = { event: "model", model: "m", input: [{ role: "user", content: "?" }], tools: [], config: {} };
    const { events: logged } = await importSamples(answered("1", "x", { events: [call, ...events] }));
    expect(only(logged, "action").map(({ stderr, isError }) => [stderr, isError])).toEqual([
      ["It took too long.", true],
      ["", undefined],
    ]);
  });

  it("that is there twice is taken once", async () => {
    const { report, turns } = await importSamples(answered("1", "one"), answered("1", "two"));
    expect(turns.map(({ response }) => response?.content)).toEqual(["one"]);
    expect(report.rejected).toMatchObject([{ reason: "a sample of this id and epoch came before it" }]);
  });

  it("may refer to its pool of messages so often and no more", async () => {
    const event = { event: "model", model: "m", input: [], tools: [], config: {} };
    const output = { choices: [{ message: { role: "assistant", content: "x" } }] };
    const messages = Array.from({ length: 1000 }, (_, i) => ({ role: "user", content: `${i}` }));
    const refs = Array.from({ length: 10_001 }, () => [0, 1000]);
    const sample = answered("1", "x", { events: [{ ...event, input_refs: refs, output }], events_data: { messages } });
    const { report, turns } = await importSamples(sample);
    expect(turns).toEqual([]);
    expect(report.rejected).toMatchObject([{ reason: "its prompts come to more than 10000000 messages" }]);
  });

  it("is no larger for referring to one text again and again", () => {
    const messages = openSampleMessages({ a: "x".repeat(100) }, 1000);
    const user = (text: string) => ({
      role: "user",
      content: [text, "attachment://a"].map((text) => ({ type: "text", text })),
    });
    const read = Array.from({ length: 20 }, (_, i) => messages.read(user(`${i % 15}`)));
    expect(read.map((message) => message?.isWhole)).toEqual(Array.from({ length: 20 }, (_, i) => i % 15 < 10));
    expect(messages.isSpent).toBe(true);
  });
});

describe.skipIf(FIXTURES === null)("Inspect's own logs", () => {
  const logs = join(FIXTURES ?? "", "inspect");
  /** Scored samples and calls, counted by their words in the JSON of a log's samples. */
  const COUNTS: Record<string, { attempts: number; turns: number; verdicts: number; passed: number }> = {
    "2025-02-11T15-17-00-05-00_popularity_dPiJifoWeEQBrfWsAopzWr.eval": {
      attempts: 10,
      turns: 10,
      verdicts: 0,
      passed: 0,
    },
    "2025-05-12T20-28-13-04-00_popularity.json": { attempts: 3, turns: 3, verdicts: 3, passed: 2 },
    "log_formats.eval": { attempts: 1, turns: 1, verdicts: 1, passed: 0 },
    "log_formats.json": { attempts: 1, turns: 1, verdicts: 1, passed: 0 },
    "log_message_deduplication.eval": { attempts: 1, turns: 6, verdicts: 1, passed: 0 },
    "log_tool_call_error.json": { attempts: 0, turns: 0, verdicts: 0, passed: 0 },
  };

  it("are all told apart and read, with the calls and scores that are in them", async () => {
    const names = (await readdir(logs)).filter((name) => !name.endsWith(".md"));
    expect(names.toSorted()).toEqual(Object.keys(COUNTS).toSorted());
    for (const name of names) {
      const report = await importInto(home, join(logs, name));
      expect(report.format).toBe("inspect");
      const reasons = report.rejected.map(({ reason }) => reason);
      expect(reasons).toEqual(COUNTS[name]?.turns === 0 ? ["no answer of a model is in the sample"] : []);
      const { events, turns } = await imported(home, report);
      expect({
        attempts: report.imported[0]?.attempts,
        ...{ turns: turns.length, verdicts: only(events, "verdict").length, passed: report.imported[0]?.passed },
      }).toEqual(COUNTS[name]);
      expect(turns.every(({ missing }) => missing.length === 0)).toBe(true);
      expect(JSON.stringify(turns)).not.toMatch(/attachment:\/\/|tc:\/\//);
    }
  });

  it("that say the same as JSON and as zip become the same turns", async () => {
    const said = async (name: string) => {
      const { turns } = await imported(home, await importInto(home, join(logs, name)));
      return turns.map(({ messages, response }) => ({ messages, response }));
    };
    expect(await said("log_formats.eval")).toEqual(await said("log_formats.json"));
  });

  it("count as many calls, tools and choices as their own JSON", async () => {
    const file = join(logs, "2025-05-12T20-28-13-04-00_popularity.json");
    const raw = readFileSync(file, "utf8");
    const { events } = await imported(home, await importInto(home, file));
    expect(only(events, "turn")).toHaveLength([...raw.matchAll(/"event": "model"/g)].length);
    const tokens = sumOf(only(events, "turn"), ({ usage }) => usage?.promptTokens ?? 0);
    expect(tokens).toBe(JSON.parse(raw).stats.model_usage["openai/gpt-4o-mini"].input_tokens);
  });
});
