/** mini-swe-agent's files, in the shapes that they had over time. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
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

const SAMPLE = join(SAMPLES, "mini-swe-agent");
const THREE = join(SAMPLE, "eve__loom-3", "eve__loom-3.traj.json");
const FOUR = join(SAMPLE, "eve__loom-4", "eve__loom-4.traj.json");
const BARE = join(SAMPLE, "bare.traj.json");

freshFolders();

const read = (path: string) => readImported(path, "mini-swe-agent");
const readFiles = (files: Record<string, unknown>) => readWritten(files, "mini-swe-agent");

const texts = (messages: Record<string, unknown>[]) => messages.map(({ content }) => content);
const actionsOf = (events: Imported["events"]) =>
  only(events, "action").map(({ call, exitCode, stdout, stderr }) => [
    call.arguments.command,
    exitCode,
    stdout,
    stderr,
  ]);

describe("an answer", () => {
  it("of the responses API that was cut off at its limit ends as chat's does", async () => {
    const answer = {
      ...{ object: "response", status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "half" }] }],
    };
    const messages = [{ role: "user", content: "q" }, answer];
    const { events } = await readFiles({ "a.traj.json": { trajectory_format: "mini-swe-agent-1.1", messages } });
    expect(only(events, "turn").map(({ finishReason }) => finishReason)).toEqual(["length"]);
  });

  it("is a turn with all before it as its prompt", async () => {
    const { turns } = await read(THREE);
    const told = ["Weave.", "The warp is torn.", null, "<returncode>0</returncode>\n<output>\nx</output>"];
    expect(turns.map(({ messages }) => texts(messages))).toEqual([
      told.slice(0, 2),
      [...told, "<exception>slow</exception>"],
      [...told, "<exception>slow</exception>", "Call one tool.", "User command: pwd"],
    ]);
  });

  it("has its calls and thoughts in a chat's shape, and none of what the agent kept", async () => {
    const { turns } = await read(THREE);
    expect(turns[0]?.response).toEqual({
      ...{ role: "assistant", content: null, reasoning_content: "List it." },
      tool_calls: [
        { id: "c1", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } },
        { id: "c2", type: "function", function: { name: "bash", arguments: '{"command":"cat x"}' } },
      ],
    });
    expect(turns[1]?.messages[3]).toEqual({
      ...{ role: "tool", tool_call_id: "c1", content: "<returncode>0</returncode>\n<output>\nx</output>" },
    });
  });

  it("says what the model's server said of it", async () => {
    const { events } = await read(THREE);
    expect(only(events, "turn")[0]).toMatchObject({
      ...{ modelAnswered: "tiny-0", finishReason: "tool_calls", usage: { promptTokens: 3, completionTokens: 2 } },
      tokenIds: { prompt: [1, 2, 3], completion: [4, 5] },
      request: { model: "tiny", temperature: 0.1, drop_params: true },
    });
    expect(only(events, "turn")[0]?.request).not.toHaveProperty("api_key");
    expect(events.find(({ type }) => type === "turn")?.at).toBe("2026-01-01T00:00:00.500Z");
  });

  it("of the responses API is one message", async () => {
    const { turns } = await read(FOUR);
    expect(turns[0]?.response).toEqual({
      ...{ role: "assistant", content: "I look.", reasoning_content: "Thinking." },
      tool_calls: [{ id: "c1", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } }],
    });
    expect(turns[1]?.messages[3]).toMatchObject({ role: "tool", tool_call_id: "c1" });
  });

  it("that could not be read is a turn of its own, and in no prompt", async () => {
    const [three, four] = [await read(THREE), await read(FOUR)];
    expect(three.turns[1]?.response).toEqual({ role: "assistant", content: "Hm." });
    expect(only(three.events, "turn")[1]?.parseFlags).toEqual(["no-action"]);
    expect(four.turns.map(({ response }) => response?.content)).toEqual(["I look.", "Hm.", undefined]);
    expect(four.turns[2]?.missing).toContain("answer");
    expect([...three.turns, ...four.turns].flatMap(({ messages }) => texts(messages))).not.toContain("Hm.");
  });

  it("lacks the tools that it calls, and its sampling where the file has none", async () => {
    const missing = async (path: string) => (await read(path)).turns[0]?.missing;
    expect(await missing(THREE)).toEqual(["tools"]);
    expect(await missing(FOUR)).toEqual(["tools", "sampling"]);
    expect(await missing(BARE)).toEqual(["sampling"]);
  });

  it("is none where a person gave the command in the model's place", async () => {
    const kept = { extra: { response: { model: "m" } } };
    const { turns } = await readFiles({
      "a.traj.json": [
        { role: "user", content: "task" },
        { role: "assistant", content: "a person's" },
        { role: "assistant", content: "a model's", ...kept },
      ],
    });
    expect(texts(turns.map(({ response }) => response ?? {}))).toEqual(["a model's"]);
  });
});

describe("an action", () => {
  it("is a command with what came of it", async () => {
    expect(actionsOf((await read(THREE)).events)).toEqual([
      ["ls", 0, "x\n", ""],
      ["cat x", -1, "", "slow"],
    ]);
    expect(actionsOf((await read(FOUR)).events)).toEqual([["ls", 0, "x", ""]]);
  });

  it("is read from the texts of files that hold nothing else, where there is but one command", async () => {
    expect(actionsOf((await read(BARE)).events)).toEqual([["echo hi", 0, "hi\n", ""]]);
  });

  it("is none where the command was not executed", async () => {
    const not = { raw_output: "", returncode: -1, exception_info: "action was not executed" };
    const { events } = await readFiles({
      "a.traj.json": [
        { role: "assistant", content: "", extra: { actions: [{ command: "a", tool_call_id: "1" }] } },
        { role: "tool", tool_call_id: "1", content: "", extra: not },
      ],
    });
    expect(actionsOf(events)).toEqual([]);
  });
});

describe("an item", () => {
  it("is the instance, with how it was worked on", async () => {
    const { events } = await read(THREE);
    expect(only(events, "items_scanned")[0]?.items[0]).toMatchObject({
      ...{ item: "coding:eve__loom-3", family: "eve/loom", task: "The warp is torn." },
      detail: { repository: "eve/loom", image: "loom:1", cwd: "/testbed", exit_status: "Submitted", patch: "diff" },
    });
  });

  it("is the question where no instance is named", async () => {
    const { events } = await read(BARE);
    expect(only(events, "items_scanned")[0]?.items[0]?.item).toMatch(/^coding:question-[0-9a-f]+$/);
  });
});

describe("an outcome", () => {
  it("is SWE-bench's, and no exit status", async () => {
    const { events } = await read(SAMPLE);
    expect(only(events, "verdict").map(({ attempt, verdict }) => [attempt.slice(21), verdict.failureMode])).toEqual([
      ["coding:eve__loom-3/1", "fail-to-pass"],
      ["coding:eve__loom-4/1", "no-patch"],
    ]);
    expect(only((await read(BARE)).events, "verdict")).toEqual([]);
  });

  it("is a failure where the agent was stopped", async () => {
    const { events } = await read(FOUR);
    expect(only(events, "failure")).toMatchObject([{ code: "STOPPED", message: "LimitsExceeded: 9 steps" }]);
  });
});

it("says what it cannot read with its place", async () => {
  const { report } = await readFiles({
    "a.traj.json": '{"messages": [',
    "b.traj.json": { info: {}, messages: [] },
    "c.traj.json": { messages: [{ role: "assistant", content: "a" }, 4, { content: "whose?" }] },
  });
  const found = report.rejected.flatMap(({ reason, where }) => where.map((w) => [w.slice(folder.length + 1), reason]));
  expect(found.toSorted()).toEqual([
    ["a.traj.json", "it is not JSON"],
    ["b.traj.json", "it has no `messages`"],
    ["c.traj.json#/messages/1", "it is no object"],
    ["c.traj.json#/messages/2", "nobody says it"],
  ]);
});

it.skipIf(FIXTURES === null)("reads mini-swe-agent's own file, told by its name", async () => {
  const path = join(FIXTURES ?? "", "mini-swe-agent", "local.traj.json");
  const raw: { role: string; content: string }[] = JSON.parse(readFileSync(path, "utf8"));
  const report = await importInto(home, path);
  expect(report).toMatchObject({ format: "mini-swe-agent", rejected: [] });
  const { turns, events } = await imported(home, report);
  const answers = raw.filter(({ role }) => role === "assistant");
  expect(turns.map(({ response }) => response?.content)).toEqual(answers.map(({ content }) => content));
  expect(turns.at(-1)?.messages).toEqual(raw.slice(0, 4));
  expect(actionsOf(events)[0]).toEqual(["echo 'hello world'", 0, "hello world\n", ""]);
});
