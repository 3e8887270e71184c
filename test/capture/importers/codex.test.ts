/** What a Codex rollout becomes: items put together to calls, roll-backs as attempts, forks without what they copied. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { findFiles } from "../../../src/capture/source-files.ts";
import { only } from "../../harness/setting.ts";
import { folder, freshFolders, home, imported, importInto, SAMPLES } from "./setting.ts";
import { HAS_ZSTD } from "./zip-files.ts";

const SAMPLE = join(SAMPLES, "codex");
const SESSION = "0199a213-0000-7000-8000-0000000000a1";
const FORK = "0199a213-0000-7000-8000-0000000000b2";
const ROLLOUT = join(SAMPLE, `sessions/2026/03/04/rollout-2026-03-04T09-00-00-${SESSION}.jsonl`);

freshFolders();

async function sample() {
  const { events, turns } = await imported(home, await importInto(home, SAMPLE));
  return { events, turns: turns.filter(({ attempt }) => attempt.includes(SESSION)), all: turns };
}

const line = (type: string, payload: object) => ({ timestamp: "2026-01-01T00:00:00Z", type, payload });
const item = (type: string, more: object = {}) => line("response_item", { type, ...more });
const said = (role: string, text: string) => item("message", { role, content: [{ type: "text", text }] });

function rollout(name: string, lines: object[]): string {
  writeFileSync(join(folder, name), lines.map((each) => `${JSON.stringify(each)}\n`).join(""));
  return join(folder, name);
}

async function importLines(...lines: object[]) {
  const file = rollout("rollout-1.jsonl", [line("session_meta", { id: "s1", cwd: "/x" }), ...lines]);
  const report = await importInto(home, file);
  return { report, file, ...(await imported(home, report)) };
}

describe("the sample", () => {
  it("has a turn for each call, with reasoning, text and tool calls together", async () => {
    const { turns } = await sample();
    expect(turns.map(({ attempt, response }) => [attempt.at(-1), response?.content])).toEqual([
      ["1", "I count."],
      ["1", "One is ripe."],
      ["1", "I know of none."],
      ["2", "They say two."],
      ["2", null],
      ["2", "Written d"],
    ]);
    expect(turns[0]?.response).toMatchObject({
      reasoning_content: "Count them.",
      tool_calls: [
        { id: "c1", function: { name: "exec_command", arguments: '{"cmd":"ls north"}' } },
        { id: "c2", function: { name: "apply_patch", arguments: '{"input":"*** Begin Patch"}' } },
      ],
    });
  });

  it("begins each prompt with what the session says is its system prompt, and holds what was injected", async () => {
    const { turns } = await sample();
    expect(turns[1]?.messages.map(({ role }) => role)).toEqual([
      ...["system", "system", "user", "user", "assistant", "tool", "tool"],
    ]);
    expect(turns[0]?.messages[0]?.content).toBe("You tend an orchard.");
    expect(turns.every(({ missing }) => !missing.includes("system-prompt") && missing.includes("tools"))).toBe(true);
  });

  it("keeps model, effort and usage of each call, once though it is told twice", async () => {
    const { events } = await sample();
    const turns = only(events, "turn").filter(({ attempt }) => attempt.includes(SESSION));
    expect(turns.map(({ usage }) => usage?.promptTokens)).toEqual([50, 80, 90, 95, undefined, undefined]);
    expect(turns[0]).toMatchObject({
      ...{ modelAnswered: "gpt-tiny", request: { reasoning: { effort: "high", summary: "auto" } } },
      parseFlags: ["reasoning-encrypted"],
    });
    expect(turns[4]?.modelAnswered).toBe("gpt-tiny-2");
  });

  it("has an action for each answered call, with the exit code wherever it is told", async () => {
    const { events } = await sample();
    expect(only(events, "action").map(({ call, exitCode, durationMs }) => [call.name, exitCode, durationMs])).toEqual([
      ["exec_command", 3, 0],
      ["apply_patch", 0, 500],
      ["local_shell", 0, 1500],
    ]);
    expect(only(events, "action")[1]?.stdout).toBe("Done!");
  });

  it("goes on before the turns that were rolled back, as another attempt", async () => {
    const { turns } = await sample();
    expect(turns[3]?.messages.map(({ role }) => role)).toEqual([
      ...["system", "system", "user", "user", "assistant", "tool", "tool", "assistant", "user"],
    ]);
    expect(turns[3]?.messages.at(-1)?.content).toEqual([
      { type: "text", text: "Look it up." },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
    ]);
  });

  it("goes on from the new history where it was compacted, whole again", async () => {
    const { turns } = await sample();
    expect(turns[4]?.messages.map(({ content }) => content)).toEqual([
      ...["You tend an orchard.", "One or two are ripe.", "Write it down."],
    ]);
    expect(turns[4]?.missing).not.toContain("prompt");
  });

  it("says that an answer is not whole whose turn was aborted, and records the error", async () => {
    const { turns, events } = await sample();
    expect(turns[5]?.missing).toContain("answer");
    expect(only(events, "failure")).toMatchObject([{ code: "TURN_FAILED", message: "stream disconnected" }]);
  });

  it("has of a fork only what is new, its agents by their role, and rollouts of before 2025-09", async () => {
    const { all } = await sample();
    const others = all.filter(({ attempt }) => !attempt.includes(SESSION));
    expect(others.map(({ attempt, role, response }) => [attempt, role, response?.content])).toEqual([
      ["coding:old-1/1", "worker", "Hello."],
      [`coding:${FORK}/1`, "subagent", "None yet."],
    ]);
    expect(others[0]?.missing).toContain("system-prompt");
    expect(others[1]?.messages).toHaveLength(9);
  });

  it("is an item of its repository, without who may read that", async () => {
    const { events } = await sample();
    const items = only(events, "items_scanned").flatMap((event) => event.items);
    expect(items[1]).toMatchObject({
      ...{ family: "https://example.org/orchard.git", task: "How many plums are ripe?" },
      detail: { branch: "main", commit: "abc123", cwd: "/home/ada/orchard", title: "Ripe plums" },
    });
    expect(JSON.stringify(events)).not.toContain("me:pw");
    expect(only(events, "verdict")).toEqual([]);
  });
});

describe("a rollout", () => {
  it.skipIf(!HAS_ZSTD)("that Codex compressed is the same, and is passed over beside the plain one", async () => {
    const bytes = readFileSync(ROLLOUT);
    const packed = Buffer.concat(
      [bytes.subarray(0, 3000), bytes.subarray(3000)].map((part) => zlib.zstdCompressSync(part)),
    );
    writeFileSync(join(folder, `rollout-${SESSION}.jsonl.zst`), packed);
    expect((await findFiles(folder, "auto")).format).toBe("codex");
    const { turns } = await imported(home, await importInto(home, folder));
    expect(turns).toHaveLength(6);
    writeFileSync(join(folder, `rollout-${SESSION}.jsonl`), bytes);
    const both = await importInto(home, folder);
    expect(both.imported.map(({ attempts }) => attempts)).toEqual([2]);
  });

  it.skipIf(!HAS_ZSTD)("that is cut short when compressed is rejected with the reason", async () => {
    const packed = zlib.zstdCompressSync(readFileSync(ROLLOUT));
    const file = join(folder, "rollout-1.jsonl.zst");
    writeFileSync(file, packed.subarray(0, packed.length - 20));
    const report = await importInto(home, file);
    expect(report.rejected[0]?.reason).toMatch(/^it cannot be unpacked: /);
  });

  it("says that prompts behind a hosted search, a cipher or a lost result lack something", async () => {
    const isLackingBehind = async (...items: object[]) => {
      const { turns } = await importLines(said("user", "?"), ...items, said("user", "And?"), said("assistant", "So."));
      rmSync(join(folder, "rollout-1.jsonl"));
      return turns.at(-1)?.missing.includes("prompt");
    };
    expect(await isLackingBehind(said("assistant", "Well."))).toBe(false);
    expect(await isLackingBehind(item("web_search_call", { action: { query: "q" } }))).toBe(true);
    expect(await isLackingBehind(item("function_call", { name: "f", arguments: "{}", call_id: "c" }))).toBe(true);
    expect(await isLackingBehind(item("compaction", { encrypted_content: "gAAA" }))).toBe(true);
    expect(
      await isLackingBehind(item("agent_message", { author: "a", content: [{ encrypted_content: "gAAA" }] })),
    ).toBe(true);
    expect(await isLackingBehind(line("compacted", { message: "A summary." }))).toBe(true);
    expect(
      await isLackingBehind(line("compacted", { replacement_history_entries: [{ type: "reference", item_id: "x" }] })),
    ).toBe(true);
  });

  it("keeps two calls apart that no tool stands between, where usage was told between them", async () => {
    const count = (total: number) => line("event_msg", { type: "token_count", info: { total_token_usage: { total } } });
    const { turns } = await importLines(said("user", "?"), said("assistant", "a"), count(1), said("assistant", "b"));
    expect(turns.map(({ response }) => response?.content)).toEqual(["a", "b"]);
  });

  it("takes what it tells of its items in the newer way too", async () => {
    const completed = (given: object) => line("event_msg", { type: "item_completed", item: given });
    const { turns, events } = await importLines(
      said("user", "<environment_context>"),
      said("user", "List."),
      completed({ type: "UserMessage", content: [{ type: "text", text: "List." }] }),
      item("function_call", { name: "exec", arguments: "{}", call_id: "c" }),
      completed({ type: "CommandExecution", id: "c", exit_code: 7 }),
      item("function_call_output", { call_id: "c", output: "no" }),
      line("token_usage_record", { usage: { input_tokens: 9, output_tokens: 1 } }),
    );
    expect(only(events, "items_scanned")[0]?.items[0]?.task).toBe("List.");
    expect(only(events, "action")[0]).toMatchObject({ exitCode: 7, stdout: "no" });
    expect(only(events, "turn")[0]?.usage).toEqual({ promptTokens: 9, completionTokens: 1 });
    expect(turns).toHaveLength(1);
  });

  it("is told by its start however long its system prompt is, and from other programs' sessions", async () => {
    const text = "x".repeat(100_000);
    rollout("rollout-2.jsonl", [
      line("session_meta", { id: "s", base_instructions: { text } }),
      said("assistant", "Hm."),
    ]);
    expect((await findFiles(folder, "auto")).format).toBe("codex");
    rmSync(join(folder, "rollout-2.jsonl"));
    rollout("rollout-3.jsonl", [{ type: "session", id: "1", timestamp: "2026-01-01T00:00:00Z", instructions: null }]);
    await expect(findFiles(folder, "codex")).rejects.toMatchObject({ code: "NOTHING_TO_IMPORT" });
  });

  it("rejects lines that are none of its own, and a file without any", async () => {
    const { report, file } = await importLines(said("assistant", "Hm."), [1], { no: "type" });
    expect(report.rejected).toEqual([
      { reason: "it is no line of a rollout", count: 2, where: [`${file}:3`, `${file}:4`] },
    ]);
    const none = await importInto(home, rollout("rollout-4.jsonl", [{ record_type: "state" }]), {
      format: "codex",
    });
    expect(none.rejected).toMatchObject([{ reason: "no message is in it" }]);
  });

  it("is none where it is another program's, whose every line is counted, and no run is made of it", async () => {
    const lines = [
      { type: "user", uuid: "u", sessionId: "s", message: { role: "user", content: "Why?" } },
      { type: "message", id: "m", message: { role: "assistant", content: "So." } },
      { id: "t1", timestamp: "2026-01-01T00:00:00Z", projectId: "p" },
    ];
    const { imported: runs, rejected } = await importInto(home, rollout("rollout-5.jsonl", lines), { format: "codex" });
    expect(runs).toEqual([]);
    expect(rejected.map(({ reason, count }) => [reason, count])).toEqual([
      ["it is no line of a rollout", 3],
      ["no message is in it", 1],
    ]);
  });
});
