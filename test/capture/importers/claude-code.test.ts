/** What a Claude Code session becomes: a tree whose paths are attempts, replies that are put together from their lines. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { treeRecords } from "../../../src/capture/sessions/session-tree.ts";
import { findFiles } from "../../../src/capture/source-files.ts";
import { only } from "../../harness/setting.ts";
import { ask } from "../../store/ask-lake.ts";
import { FIXTURES, folder, freshFolders, home, imported, importInto, SAMPLES } from "./setting.ts";

const SAMPLE = join(SAMPLES, "claude-code");
const SESSION = "5b3a0f10-0000-4000-8000-00000000a001";

freshFolders();

/** The sample's session as it lies in a project: its agents beside it. */
async function sample() {
  const report = await importInto(home, SAMPLE, { format: "claude-code" });
  const { events, turns } = await imported(home, report);
  return { report, events, turns: turns.filter(({ attempt }) => attempt.includes(SESSION)) };
}

const asked = (uuid: string, parentUuid: string | null, content: unknown, more: object = {}) => ({
  ...{ type: "user", uuid, parentUuid, sessionId: "s1", timestamp: "2026-01-01T00:00:00Z" },
  message: { role: "user", content },
  ...more,
});

const said = (uuid: string, parentUuid: string | null, content: unknown[], more: object = {}) => ({
  ...{ type: "assistant", uuid, parentUuid, sessionId: "s1", timestamp: "2026-01-01T00:00:00Z" },
  message: { role: "assistant", id: `m-${uuid}`, model: "m", content },
  ...more,
});

const text = (value: string) => ({ type: "text", text: value });

function session(name: string, lines: object[]): string {
  writeFileSync(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return join(folder, name);
}

async function importLines(...lines: object[]) {
  const report = await importInto(home, session("s1.jsonl", lines), { format: "claude-code" });
  return { report, ...(await imported(home, report)) };
}

describe("the sample", () => {
  it("has one turn a reply, put together from its lines, and none for what no model said", async () => {
    const { turns } = await sample();
    expect(turns.map(({ attempt, role, response }) => [attempt.at(-1), role, response?.content])).toEqual([
      ["1", "worker", "I look at both trees."],
      ["1", "worker", "One is ripe: ripe-1."],
      ["1", "worker", "I know of no pears."],
      ["2", "worker", null],
      ["2", "subagent", "There are 3."],
      ["2", "worker", "There are three."],
      ["2", "worker", "Three pl"],
    ]);
    expect(turns[0]?.response).toMatchObject({
      reasoning_content: "Two places to look at.",
      tool_calls: [{ function: { arguments: '{"command":"ls north"}' } }, { function: { name: "Bash" } }],
    });
  });

  it("shows a reply the results of all tools of the one before, whichever line they hang from", async () => {
    const { turns } = await sample();
    expect(turns[1]?.messages.map(({ role, content }) => [role, content])).toEqual([
      ["user", "Caveat: a command ran before this."],
      ["user", "List the ripe plums."],
      ["assistant", "I look at both trees."],
      ["tool", "ripe-1"],
      ["tool", "Exit code 2\nno such tree"],
    ]);
  });

  it("counts what was cached as prompt, and takes usage and end of the last line", async () => {
    const { events } = await sample();
    expect(only(events, "turn")[0]).toMatchObject({
      ...{ usage: { promptTokens: 123, completionTokens: 42 }, finishReason: "tool_calls" },
      modelAnswered: "claude-small-1",
    });
    expect(only(events, "turn")[1]?.request).toEqual({ effort: "high" });
  });

  it("has an action for each answered tool, with its outputs and exit code", async () => {
    const { events } = await sample();
    expect(only(events, "action").map(({ call, exitCode, stdout }) => [call.name, exitCode, stdout])).toEqual([
      ["Bash", null, "ripe-1"],
      ["Bash", 2, "Exit code 2\nno such tree"],
      ["Task", null, "There are 3."],
    ]);
  });

  it("begins an attempt where somebody went back, with what was said before", async () => {
    const { turns } = await sample();
    const second = turns.filter(({ attempt }) => attempt.endsWith("/2"));
    expect(second[0]?.messages.map(({ role }) => role)).toEqual([
      ...["user", "user", "assistant", "tool", "tool", "assistant", "user"],
    ]);
    expect(JSON.stringify(second[0]?.messages)).not.toContain("pears");
    expect(second[0]?.messages.at(-1)?.content).toEqual([
      { type: "text", text: "Ask somebody." },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
    ]);
  });

  it("says what is missing: prompts behind an attachment, and an answer that was interrupted", async () => {
    const { turns, events } = await sample();
    expect(turns.map(({ missing }) => missing.filter((part) => part === "prompt" || part === "answer"))).toEqual([
      ...[[], [], [], [], [], ["prompt"], ["answer"]],
    ]);
    expect(turns.every(({ missing }) => ["system-prompt", "tools", "sampling"].every((p) => missing.includes(p)))).toBe(
      true,
    );
    const flags = only(events, "turn").map(({ parseFlags }) => parseFlags);
    expect(flags.slice(5, 7)).toEqual([["reasoning-redacted"], ["interrupted"]]);
  });

  it("goes on from the summary alone where the session was compacted", async () => {
    const { turns } = await sample();
    expect(turns.at(-1)?.messages.map(({ content }) => content)).toEqual([
      "They spoke of plums; three are there.",
      "Write it down.",
    ]);
  });

  it("is an item with what was asked first, its folder as the family, and no verdict", async () => {
    const { events, report } = await sample();
    const items = only(events, "items_scanned").flatMap((event) => event.items);
    expect(items).toMatchObject([
      {
        ...{ item: `coding:${SESSION}`, family: "/home/ada/orchard", task: "List the ripe plums." },
        detail: { cwd: "/home/ada/orchard", gitBranch: "main", title: "Ripe plums", version: "2.1.30" },
      },
      { item: "coding:web-7", task: "Say hello." },
    ]);
    expect(only(events, "verdict")).toEqual([]);
    expect(report.imported.map(({ attempts }) => attempts)).toEqual([2, 1]);
  });
});

describe("a session", () => {
  it("takes a reply that two files hold once", async () => {
    const lines = [asked("u1", null, "Hello?"), said("a1", "u1", [text("Hello.")])];
    session("s1.jsonl", lines);
    session("s2.jsonl", [...lines, asked("u2", "a1", "And?"), said("a2", "u2", [text("And so on.")])]);
    const { turns } = await imported(home, await importInto(home, folder));
    expect(turns.map(({ response, messages }) => [response?.content, messages.length])).toEqual([
      ["Hello.", 1],
      ["And so on.", 3],
    ]);
  });

  it("that was forked has what it copied as prompt alone", async () => {
    const forkedFrom = { sessionId: "s0", messageUuid: "a1" };
    const { turns } = await importLines(
      asked("u1", null, "Hello?", { forkedFrom }),
      said("a1", "u1", [text("Hello.")], { forkedFrom }),
      asked("u2", "a1", "And?"),
      said("a2", "u2", [text("And so on.")]),
    );
    expect(turns.map(({ messages }) => messages.length)).toEqual([3]);
  });

  it("takes a block that a later line has in full in place of its beginning", async () => {
    const grown = (uuid: string, parent: string, content: object[]) =>
      said(uuid, parent, content, { message: { role: "assistant", id: "m1", model: "m", content } });
    const { turns } = await importLines(
      asked("u1", null, "Hello?"),
      grown("a1", "u1", [text("Hel")]),
      grown("a2", "a1", [text("Hello.")]),
      grown("a3", "a2", [text("How are you?")]),
    );
    expect(turns.map(({ response }) => response?.content)).toEqual(["Hello.How are you?"]);
  });

  it("whose line before is lost says that the prompt is", async () => {
    const { turns } = await importLines(asked("u1", "gone", "Hello?"), said("a1", "u1", [text("Hello.")]));
    expect(turns[0]?.missing).toContain("prompt");
  });

  it("whose tool never answered says that the prompts after it lack something", async () => {
    const { turns } = await importLines(
      asked("u1", null, "Hello?"),
      said("a1", "u1", [{ type: "tool_use", id: "t1", name: "Bash", input: {} }]),
      asked("u2", "a1", "Never mind."),
      said("a2", "u2", [text("Well.")]),
    );
    expect(turns.map(({ missing }) => missing.includes("prompt"))).toEqual([false, true]);
  });

  it("goes on in the order of its lines where they do not say what they follow", async () => {
    const { turns } = await importLines(
      { type: "user", sessionId: "s1", uuid: "1", message: { role: "user", content: "Hello?" } },
      { type: "assistant", sessionId: "s1", uuid: "2", message: { role: "assistant", content: [text("Hello.")] } },
      { type: "user", sessionId: "s1", uuid: "3", message: { role: "user", content: "And?" } },
      { type: "assistant", sessionId: "s1", uuid: "4", message: { role: "assistant", content: "So." } },
    );
    expect(turns.map(({ messages }) => messages.length)).toEqual([1, 3]);
  });

  it("keeps the agents of a session of old, which are lines of its own file, in its one attempt", async () => {
    const side = { isSidechain: true };
    const { turns } = await importLines(
      asked("u1", null, "Count."),
      said("a1", "u1", [text("Done.")]),
      asked("g1", null, "Count north.", side),
      said("g2", "g1", [text("1")], side),
      asked("g3", null, "Count south.", side),
      said("g4", "g3", [text("2")], side),
    );
    expect(turns.map(({ attempt, role }) => [attempt.at(-1), role])).toEqual([
      ["1", "worker"],
      ["1", "subagent"],
      ["1", "subagent"],
    ]);
  });

  it("has the actions of a reply before what an agent did within one of them", async () => {
    const call = (id: string, name: string) => ({ type: "tool_use", id, name, input: {} });
    const result = (id: string, content: string, isError: boolean) => [
      { type: "tool_result", tool_use_id: id, content, is_error: isError },
    ];
    mkdirSync(join(folder, "subagents"));
    const side = { isSidechain: true };
    session("subagents/agent-1.jsonl", [asked("g1", null, "Count.", side), said("g2", "g1", [text("3")], side)]);
    session("s1.jsonl", [
      asked("u1", null, "Count and list."),
      said("a1", "u1", [call("c1", "Task"), call("c2", "Bash")]),
      asked("r1", "a1", result("c1", "3", false), { toolUseResult: { agentId: "1" } }),
      asked("r2", "r1", result("c2", "Exit code 1\nno", true)),
      said("a2", "r2", [text("Three.")]),
    ]);
    const { events } = await imported(home, await importInto(home, folder, { format: "claude-code" }));
    const turns = only(events, "turn").map(({ turn, role }) => [turn.slice(-2), role]);
    expect(turns).toEqual([
      ["#1", "worker"],
      ["#2", "subagent"],
      ["#3", "worker"],
    ]);
    expect(only(events, "action").map(({ turn, call, exitCode }) => [turn.slice(-2), call.name, exitCode])).toEqual([
      ["#1", "Task", null],
      ["#1", "Bash", 1],
    ]);
  });

  it("has what a tool is said to have failed at as a failed call, with an exit code or without", async () => {
    const { events } = await importLines(
      asked("u1", null, "Change it."),
      said("a1", "u1", [{ type: "tool_use", id: "c1", name: "Edit", input: {} }]),
      asked("r1", "a1", [{ type: "tool_result", tool_use_id: "c1", content: "no such text", is_error: true }]),
      said("a2", "r1", [{ type: "tool_use", id: "c2", name: "Edit", input: {} }]),
      asked("r2", "a2", [{ type: "tool_result", tool_use_id: "c2", content: "changed" }]),
    );
    expect(only(events, "action").map(({ exitCode, isError }) => [exitCode, isError])).toEqual([
      [null, true],
      [null, undefined],
    ]);
    expect(await ask(home, "SELECT command_failed FROM turns ORDER BY turn_number")).toEqual([
      { command_failed: true },
      { command_failed: null },
    ]);
  });

  it("of agents alone is told by the session that they name", async () => {
    mkdirSync(join(folder, "subagents"));
    session("subagents/agent-1.jsonl", [
      asked("g1", null, "Count.", { isSidechain: true }),
      said("g2", "g1", [text("1")]),
    ]);
    const report = await importInto(home, folder);
    expect(report.imported).toMatchObject([{ nativeId: "s1", attempts: 1 }]);
  });

  it("rejects lines that are none of its own, and a file without a message", async () => {
    const file = session("s1.jsonl", [asked("u1", null, "Hello?"), said("a1", "u1", [text("Hello.")])]);
    writeFileSync(file, `${readFileSync(file, "utf8")}[1]\n{"no":"type"}\n{"type":"user"\n`);
    const report = await importInto(home, file);
    expect(report.rejected).toEqual([
      { reason: "it is no line of a session", count: 2, where: [`${file}:3`, `${file}:4`] },
      { reason: "it is not JSON", count: 1, where: [`${file}:5`] },
    ]);
    const empty = session("s2.jsonl", [{ type: "summary", summary: "Nothing", leafUuid: "x" }]);
    const none = await importInto(home, empty, { format: "claude-code" });
    expect(none).toMatchObject({ imported: [], rejected: [{ reason: "no message is in it" }] });
  });

  it("is not taken for one of another program", async () => {
    session("a.jsonl", [{ type: "session", id: "1", cwd: "/", timestamp: "2026-01-01T00:00:00Z" }]);
    session("b.jsonl", [{ type: "session_meta", payload: { sessionId: "x", uuid: "y" } }]);
    await expect(findFiles(folder, "claude-code")).rejects.toMatchObject({ code: "NOTHING_TO_IMPORT" });
  });

  it("is none where another program's messages are in it, and no run is made of them", async () => {
    session("pi.jsonl", [
      { type: "session", id: "1", cwd: "/", timestamp: "2026-01-01T00:00:00Z" },
      { type: "message", id: "2", message: { role: "assistant", content: "So." } },
    ]);
    const { imported: runs, rejected } = await importInto(home, join(folder, "pi.jsonl"), { format: "claude-code" });
    expect(runs).toEqual([]);
    expect(rejected).toMatchObject([{ reason: "no message is in it", count: 1 }]);
  });

  it("is read no further than its prompts may go", () => {
    const nodes = Array.from({ length: 100 }, (_, i) => ({
      ...{ parent: i === 0 ? null : i - 1, messages: [{ role: "assistant", content: `${i}` }], isWhole: true },
      reply: { key: `${i}`, isTurn: true, facts: {}, actions: [] },
    }));
    const setting = { where: "here", place: { item: "i", attempt: 1 }, role: "worker", isOneAttempt: false };
    const rest = { system: [], tools: null, missing: [], seen: new Set<string>(), mostMessages: 200 };
    const records = [...treeRecords(nodes, { ...setting, ...rest })];
    expect(records).toHaveLength(15); // 100 for the path, 0 + 1 + ... + 13 for the prompts
    expect(records.at(-1)).toMatchObject({ kind: "rejected", reason: "its prompts come to more than 200 messages" });
  });
});

describe.skipIf(FIXTURES === null)("sessions as others keep them for their tests", () => {
  const sessions = join(FIXTURES ?? "", "claude-code");

  it.each(["sample_session.jsonl", "sample_session.json"])("has a turn for each reply of %s", async (name) => {
    const raw = readFileSync(join(sessions, name), "utf8");
    const report = await importInto(home, join(sessions, name));
    expect(report).toMatchObject({ format: "claude-code", rejected: [] });
    const { events, turns } = await imported(home, report);
    expect(turns).toHaveLength([...raw.matchAll(/"type": ?"assistant"/g)].length);
    expect(only(events, "action")).toHaveLength([...raw.matchAll(/"type": ?"tool_result"/g)].length);
  });
});
