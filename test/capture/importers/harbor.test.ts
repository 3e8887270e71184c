/** Harbor's jobs, trajectories in ATIF, and NeMo Gym's rows of Harbor trials. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { only } from "../../harness/setting.ts";
import {
  FIXTURES,
  folder,
  freshFolders,
  home,
  type Imported,
  imported,
  importInto,
  readImported,
  readWritten,
  SAMPLES,
} from "./setting.ts";

const SAMPLE = join(SAMPLES, "harbor");
const JOB = join(SAMPLE, "job");
const ALONE = join(SAMPLE, "alone.json");
const ROWS = join(SAMPLE, "rows.jsonl");

freshFolders();

const read = (path: string) => readImported(path, "atif");
const readFiles = (files: Record<string, unknown>) => readWritten(files, "atif");

type Events = Imported["events"];

const atif = (steps: unknown[], more = {}) => ({ schema_version: "ATIF-v1.7", agent: { name: "a" }, steps, ...more });
const user = (message: unknown) => ({ source: "user", message });
const agent = (message: unknown, more = {}) => ({ source: "agent", message, ...more });
const texts = (messages: Record<string, unknown>[]) => messages.map(({ content }) => content);
const callOf = (id: string, name: string, given: object) => ({
  ...{ id, type: "function", function: { name, arguments: JSON.stringify(given) } },
});
const actionsOf = (events: Events) =>
  only(events, "action").map(({ call, stdout }) => [call.name, call.arguments, stdout]);
const verdictsOf = (events: Events) =>
  only(events, "verdict").map(({ attempt, verdict }) => [attempt.slice(21), verdict.value, verdict.verifier]);
const rejectedIn = ({ report }: Imported) =>
  report.rejected
    .flatMap(({ reason, where }) => where.map((place) => [place.slice(folder.length + 1), reason]))
    .toSorted();

describe("a step of the agent", () => {
  it("is a turn with all steps before it as its prompt", async () => {
    const { turns } = await read(join(JOB, "net__1"));
    expect(turns[0]?.messages).toEqual([
      { role: "system", content: "Weave well." },
      { role: "user", content: "Mend the net." },
    ]);
    expect(turns[0]?.response).toEqual({
      ...{ role: "assistant", content: "I look.", reasoning_content: "Where is it?" },
      tool_calls: [callOf("a", "sh", { c: "ls" }), callOf("b", "sh", { c: "pwd" })],
    });
  });

  it("has the tools, the model, the parameters, the usage and the time that the file has", async () => {
    const { events } = await read(join(JOB, "net__1"));
    expect(only(events, "tools")[0]?.tools).toMatchObject([{ type: "function", function: { name: "sh" } }]);
    expect(only(events, "turn")[0]).toMatchObject({
      ...{ modelAnswered: "tiny-b", usage: { promptTokens: 12, completionTokens: 5 } },
      request: { model: "tiny-b", temperature: 0.7, top_p: 0.9, reasoning_effort: "low" },
    });
    expect(events.find(({ type }) => type === "turn")?.at).toBe("2026-03-01T10:00:03.000Z");
  });

  it("answers its calls with tool messages, and what answers none comes as the user's", async () => {
    const results = [{ source_call_id: "1", content: "one" }, { content: "screen" }];
    const calls = [{ tool_call_id: "1", function_name: "f", arguments: {} }];
    const { turns } = await readFiles({
      "t.json": atif([user("q"), agent("a", { tool_calls: calls, observation: { results } }), agent("b")]),
    });
    expect(turns[1]?.messages.slice(2)).toEqual([
      { role: "tool", tool_call_id: "1", content: "one" },
      { role: "user", content: "screen" },
    ]);
  });

  it("is an action for each call that something came of", async () => {
    const { events } = await read(join(JOB, "net__1"));
    expect(actionsOf(events)).toEqual([
      ["sh", { c: "ls" }, "hole"],
      ["sh", { c: "pwd" }, "/net"],
      ["keys", { keystrokes: "knot\n" }, "mended"],
    ]);
  });

  it("is no turn where no model was asked, and none of several calls' where more than one was", async () => {
    const { turns, events } = await read(ALONE);
    expect(turns.map(({ role, response }) => [role, response?.content])).toEqual([
      ["worker", ""],
      ["clerk", "yes"],
      ["worker", "He says yes."],
    ]);
    expect(texts(turns[2]?.messages ?? [])).toEqual(["Ask the clerk.", "", "yes", "Noted."]);
    expect(turns[2]?.missing).toEqual(["system-prompt", "tools", "sampling", "prompt", "answer"]);
    expect(only(events, "turn")[2]?.usage).toBeNull();
  });

  it("lacks what neither it nor its agent says", async () => {
    const calls = [{ tool_call_id: "1", function_name: "f", arguments: {} }];
    const { turns } = await readFiles({
      "t.json": atif([user("q"), agent("a", { tool_calls: calls })]),
      "u.json": atif([{ source: "system", message: "s" }, agent("a")], { agent: { extra: { temperature: 0 } } }),
    });
    expect(turns.map(({ missing }) => missing)).toEqual([["system-prompt", "tools", "sampling"], []]);
  });
});

describe("a trajectory that refers to others", () => {
  it("is told with what it goes on in, whose prompts are its own, and copied steps are no turns", async () => {
    const { turns, events } = await read(join(JOB, "net__1"));
    expect(turns.map(({ role, response }) => [role, response?.content])).toEqual([
      ["worker", "I look."],
      ["summer-up", "A hole."],
      ["worker", "Knot it."],
    ]);
    expect(texts(turns[2]?.messages ?? [])).toEqual(["Weave well.", "I look.", "hole", "Go on."]);
    expect(new Set(turns.map(({ attempt }) => attempt))).toEqual(new Set(["coding:net/1"]));
    expect(only(events, "run_started").length).toBe(1);
  });

  it("alone is one run with its chain, wherever that begins by name", async () => {
    const next = (ref: string) => ({ continued_trajectory_ref: ref });
    const { report, turns } = await readFiles({
      "b.json": atif([user("q"), agent("1")], next("/logs/agent/a.json")),
      "a.json": atif([user("q"), agent("2")], next("c.json")),
      "c.json": atif([user("q"), agent("3")]),
    });
    expect(report.imported.length).toBe(1);
    expect(turns.map(({ response }) => response?.content)).toEqual(["1", "2", "3"]);
  });

  it("in a circle is told once", async () => {
    const { report, turns } = await readFiles({
      "a.json": atif([user("q"), agent("1")], { continued_trajectory_ref: "b.json" }),
      "b.json": atif([user("q"), agent("2")], { continued_trajectory_ref: "a.json" }),
    });
    expect(report.imported.length).toBe(1);
    expect(turns.map(({ response }) => response?.content)).toEqual(["1", "2"]);
  });

  it("is told once where two refer to it", async () => {
    const { turns } = await readFiles({
      "a.json": atif([user("q"), agent("1")], { continued_trajectory_ref: "c.json" }),
      "b.json": atif([user("q"), agent("2")], { continued_trajectory_ref: "c.json" }),
      "c.json": atif([user("q"), agent("3")]),
    });
    expect(turns.map(({ response }) => response?.content).toSorted()).toEqual(["1", "2", "3"]);
  });

  it("says where that is not here, and never looks elsewhere", async () => {
    writeFileSync(join(dirname(folder), "outside.json"), JSON.stringify(atif([user("q"), agent("no")])));
    const refs = [{ trajectory_path: "gone.json" }, { trajectory_id: "nobody" }];
    const observation = { results: [{ content: "x", subagent_trajectory_ref: refs }] };
    const told = await readFiles({
      "a.json": atif([user("q"), agent("1", { observation })], { continued_trajectory_ref: "../outside.json" }),
    });
    rmSync(join(dirname(folder), "outside.json"));
    expect(texts(told.turns.map(({ response }) => response ?? {}))).toEqual(["1"]);
    expect(told.report.rejected.map(({ count, reason }) => [count, reason])).toEqual([
      [3, "the trajectory that it refers to is not here"],
    ]);
  });

  it("tells an embedded subagent of a copied step where the step itself was", async () => {
    const sub = atif([user("r"), agent("inner")], { agent: { name: "In" }, trajectory_id: "i" });
    const observation = { results: [{ content: "x", subagent_trajectory_ref: { trajectory_id: "i" } }] };
    const asked = [user("p"), agent("1", { observation })];
    const copied = asked.map((step) => ({ ...step, is_copied_context: true }));
    const { turns } = await readFiles({
      "a.json": atif(asked, { subagent_trajectories: [sub], continued_trajectory_ref: "b.json" }),
      "b.json": atif([...copied, agent("2")], { subagent_trajectories: [sub] }),
    });
    expect(turns.map(({ role, response }) => [role, response?.content])).toEqual([
      ["worker", "1"],
      ["in", "inner"],
      ["worker", "2"],
    ]);
  });

  it("tells embedded subagents that nothing refers to, too, and theirs", async () => {
    const inner = atif([user("r"), agent("inner")], { agent: { name: "In" }, trajectory_id: "i" });
    const outer = atif([user("q"), agent("outer")], { agent: {}, subagent_trajectories: [inner] });
    const { turns } = await readFiles({
      "a.json": atif([user("p"), agent("main")], { subagent_trajectories: [outer] }),
    });
    expect(turns.map(({ role, response }) => [role, response?.content])).toEqual([
      ["worker", "main"],
      ["subagent", "outer"],
      ["in", "inner"],
    ]);
  });
});

describe("a job", () => {
  it("is one run, and its trials are attempts in the order in which they began", async () => {
    const { report, events } = await read(JOB);
    expect(report.imported).toMatchObject([{ nativeId: "nets", items: 1, attempts: 1, passed: 1 }]);
    expect(only(events, "run_started")[0]?.config).toMatchObject({
      source: {
        model: "tiny",
        facts: {
          trials: [
            { item: "net", attempt: 1, trial_name: "net__1", n_input_tokens: 20, cost_usd: 0.1 },
            { item: "net", attempt: 2, trial_name: "net__2" },
          ],
        },
      },
    });
    expect(only(events, "items_scanned")[0]?.items[0]).toMatchObject({
      ...{ item: "coding:net", task: "Mend the net." },
      detail: { source: "nets", task_checksum: "c0ffee", path: "tasks/net" },
    });
  });

  it("has the verdict of the task's verifier, and none of a trial that broke", async () => {
    const { events } = await read(JOB);
    expect(verdictsOf(events)).toEqual([["coding:net/1", 1, { id: "net", version: "c0ffee" }]]);
    expect(only(events, "verdict")[0]?.verdict).toMatchObject({
      ...{ signalType: "binary", confidence: 1, evidence: { rewards: { speed: 0.2, reward: 1 } } },
    });
    expect(only(events, "failure")).toMatchObject([{ code: "AgentTimeoutError", message: "after 9 s" }]);
    expect(only(events, "failure")[0]?.attempt?.slice(21)).toBe("coding:net/2");
  });

  it("gives the tokens of its result to the agent's turns", async () => {
    const { events } = await read(JOB);
    expect(only(events, "turn").map(({ tokenIds }) => tokenIds)).toEqual([
      { prompt: [1, 2], completion: [7] },
      undefined,
      { prompt: [1, 2, 3], completion: [8, 9] },
    ]);
  });

  it("takes the first reward where none is called so", async () => {
    const result = (rewards: unknown) => ({ task_name: "t", trial_name: "t__1", verifier_result: { rewards } });
    const { events, report } = await readFiles({
      "1/t/result.json": result({ tests: 0.25, style: 1 }),
      "2/t/result.json": result({ reward: 7 }),
      "3/t/result.json": result(null),
    });
    expect(verdictsOf(events)).toEqual([["coding:t/1", 0.25, { id: "t", version: "unknown" }]]);
    expect(report.rejected).toMatchObject([{ count: 1, reason: "its reward is no number from 0 to 1" }]);
  });

  it("whose result is broken leaves its trajectories as runs of their own", async () => {
    cpSync(JOB, folder, { recursive: true });
    writeFileSync(join(folder, "net__1", "result.json"), '{"trial_name": "a", "task_name": ');
    const told = await read(folder);
    expect(told.report.imported.map(({ nativeId }) => nativeId).toSorted()).toEqual(["nets", "s1"]);
    expect(rejectedIn(told)).toEqual([["net__1/result.json", "it is not JSON"]]);
  });
});

describe("a row", () => {
  it("is an attempt whose turns are what was said from its input on", async () => {
    const { turns } = await read(ROWS);
    expect(turns.map(({ attempt, response }) => [attempt, response?.content])).toEqual([
      ["coding:one/1", "I count."],
      ["coding:one/1", "One."],
      ["coding:two/1", "Two."],
      ["coding:sums::three/1", "Three."],
    ]);
    expect(turns[0]?.messages).toEqual([
      { role: "system", content: "Count." },
      { role: "system", content: "Be brief." },
      { role: "user", content: "Count to one." },
      { role: "assistant", content: "An example." },
    ]);
    expect(turns[0]?.response).toEqual({
      ...{ role: "assistant", content: "I count.", reasoning_content: "One." },
      tool_calls: [callOf("c", "sh", { k: "1" })],
    });
    expect(turns[1]?.messages.at(-1)).toEqual({ role: "tool", tool_call_id: "c", content: "1" });
  });

  it("has its tools, parameters, tokens and actions", async () => {
    const { events } = await read(ROWS);
    expect(only(events, "tools")[0]?.tools).toMatchObject([{ function: { name: "sh" } }]);
    expect(only(events, "turn")[0]).toMatchObject({
      ...{ modelAnswered: "nano", tokenIds: { prompt: [1], completion: [2, 3] } },
      request: { temperature: 1, max_output_tokens: 50 },
    });
    expect(actionsOf(events)).toEqual([["sh", { k: "1" }, "1"]]);
  });

  it("has its verifier's reward before its own, and no verdict where it broke before", async () => {
    const { events } = await read(ROWS);
    expect(verdictsOf(events)).toEqual([
      ["coding:one/1", 0.5, { id: "one", version: "beef" }],
      ["coding:sums::three/1", 1, { id: "sums::three", version: "unknown" }],
    ]);
    expect(only(events, "failure")).toMatchObject([{ code: "DockerError", message: "gone" }]);
  });
});

it("says what it cannot read with its place", async () => {
  const told = await readFiles({
    "a.json": atif([user("q"), 3, { source: "robot" }, agent("a")], { subagent_trajectories: [4] }),
    "b.json": { schema_version: "ATIF-v1.2", agent: {} },
    "c.jsonl": `${JSON.stringify({ responses_create_params: { input: [1, {}] }, response: { output: "x" } })}\n{"a": 1}\n`,
  });
  expect(rejectedIn(told)).toEqual([
    ["a.json#/steps/1", "it is no object"],
    ["a.json#/steps/2", "its `source` is not system, user or agent"],
    ["a.json#/subagent_trajectories/0", "it is no object"],
    ["b.json", "it is no ATIF document with `steps`"],
    ["c.jsonl:1#/response/output", "it is no list"],
    ["c.jsonl:1#/responses_create_params/input/0", "it is no object"],
    ["c.jsonl:1#/responses_create_params/input/1", "it says neither its type nor who speaks"],
    ["c.jsonl:2", "it has no `responses_create_params` and `response`"],
  ]);
});

describe.skipIf(FIXTURES === null)("files of other programs", () => {
  const root = FIXTURES ?? "";
  const documents = FIXTURES === null ? [] : readdirSync(join(root, "atif")).filter((name) => name.endsWith(".json"));

  it.each(documents)("%s is a turn for each answer of a model", async (name) => {
    const path = join(root, "atif", name);
    const report = await importInto(home, path);
    expect(report).toMatchObject({ format: "harbor", rejected: [] });
    const { turns, events } = await imported(home, report);
    const raw = JSON.parse(readFileSync(path, "utf8"));
    const all = [raw, ...(raw.subagent_trajectories ?? [])].flatMap(({ steps }) => steps);
    const answers = all.filter(({ source }: { source: string }) => source === "agent");
    expect(turns.map(({ response }) => response?.content).toSorted()).toEqual(
      answers.map(({ message }: { message: string }) => message).toSorted(),
    );
    const calls = answers.flatMap(({ tool_calls = [] }: { tool_calls?: unknown[] }) => tool_calls);
    expect(only(events, "action").length).toBe(calls.length);
    expect(only(events, "verdict")).toEqual([]);
  });

  it("are told with the roles of their subagents", async () => {
    const { turns } = await read(join(root, "atif", "harbor_multiagent_v1_7.json"));
    expect(turns.map(({ role }) => role)).toEqual(["worker", "worker-1", "worker"]);
  });

  it("hold three trials of NeMo Gym with their rewards", async () => {
    const path = join(root, "harbor", "example_output.jsonl");
    const report = await importInto(home, path);
    expect(report).toMatchObject({ format: "harbor", rejected: [] });
    const { turns, events } = await imported(home, report);
    const rows = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const kinds = rows.flatMap(({ response }) => response.output.map(({ type }: { type: string }) => type));
    expect(turns.length).toBe(kinds.filter((type) => type === "message").length);
    expect(only(events, "verdict").map(({ verdict }) => verdict.value)).toEqual(rows.map(({ reward }) => reward));
    const answered = rows.flatMap(({ response: { output } }) => {
      const outputs = new Set(output.map(({ type, call_id }: Item) => type === "function_call_output" && call_id));
      return output.filter(({ type, call_id }: Item) => type === "function_call" && outputs.has(call_id));
    });
    expect(only(events, "action").length).toBe(answered.length);
  });
});

interface Item {
  type: string;
  call_id: string;
}
