/** What a pi session becomes: paths of its tree as attempts, compaction as pi does it, broken answers for what they are. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findFiles } from "../../../src/capture/source-files.ts";
import { sumOf } from "../../../src/foundation/sums.ts";
import { only } from "../../harness/setting.ts";
import { FIXTURES, folder, freshFolders, home, importInto, readImported, readWritten, SAMPLES } from "./setting.ts";

const TREE = join(SAMPLES, "pi", "2026-03-04_pi-0001.jsonl");
const FIRST = join(SAMPLES, "pi", "2025-11-20_pi-0002.jsonl");

freshFolders();

describe("the sample", () => {
  it("has a turn for each answer, and an attempt for each path that was taken", async () => {
    const { turns } = await readImported(TREE);
    expect(turns.map(({ attempt, response }) => [attempt.at(-1), response?.content ?? null])).toEqual([
      ["1", "I look."],
      ["1", "One is ripe."],
      ["1", "I know of none."],
      ["2", null],
      ["2", "It is a pl"],
      ["2", "I mind them."],
      ["2", "Written."],
    ]);
    expect(turns[0]?.response).toMatchObject({
      reasoning_content: "Look.",
      tool_calls: [{ id: "t1", function: { name: "bash", arguments: '{"command":"ls north"}' } }, { id: "t2" }],
    });
  });

  it("keeps usage with what was cached, model, end and how much it was to think", async () => {
    const { events } = await readImported(TREE);
    expect(only(events, "turn").map(({ finishReason }) => finishReason)).toEqual([
      ...["tool_calls", "stop", "length", "aborted", "error", "stop", "stop"],
    ]);
    expect(only(events, "turn")[0]).toMatchObject({
      ...{ usage: { promptTokens: 123, completionTokens: 7 }, modelAnswered: "claude-small-1" },
      request: { reasoning: "high" },
    });
    expect(only(events, "turn").at(-1)).toMatchObject({
      ...{ request: { reasoning: "off" }, parseFlags: ["reasoning-redacted"] },
    });
  });

  it("has an action for each answered tool, with the exit code where it failed", async () => {
    const { events } = await readImported(TREE);
    expect(only(events, "action").map(({ call, exitCode, isError }) => [call.arguments, exitCode, isError])).toEqual([
      [{ command: "ls north" }, null, undefined],
      [{ command: "ls south" }, 2, true],
    ]);
  });

  it("shows an answer the path before it, images, and not what was run for the person alone", async () => {
    const { turns } = await readImported(TREE);
    expect(turns[3]?.messages.slice(5).map(({ content }) => content)).toEqual([
      "Pears were asked for.",
      [
        { type: "text", text: "Look at this." },
        { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
      ],
    ]);
    expect(turns[5]?.messages.slice(-2).map(({ content }) => content)).toEqual(["Mind the wasps.", "pwd\n/home/ada"]);
  });

  it("says what is missing: of broken answers, and of prompts behind what pi words itself", async () => {
    const { turns, events } = await readImported(TREE);
    const lost = turns.map(({ missing }) => missing.filter((part) => part === "prompt" || part === "answer"));
    expect(lost).toEqual([[], [], [], ["prompt"], ["prompt", "answer"], ["prompt"], ["prompt"]]);
    expect(only(events, "failure").map(({ message }) => message)).toEqual(["Request was aborted", "overloaded"]);
  });

  it("goes on from the summary and what was kept where it was compacted", async () => {
    const { turns } = await readImported(TREE);
    expect(turns.at(-1)?.messages.map(({ content }) => content)).toEqual([
      ...["Plums; wasps.", "Mind the wasps.", "pwd\n/home/ada", "I mind them.", "Write it down."],
    ]);
    const first = await readImported(FIRST);
    expect(first.turns.at(-1)?.messages.map(({ content }) => content)).toEqual([
      ...["They said hello.", "Hello.", "And bye."],
    ]);
  });

  it("is an item with what was asked first, its folder as the family, and no verdict", async () => {
    const { events, report } = await readImported(TREE);
    expect(only(events, "items_scanned")[0]?.items).toMatchObject([
      {
        ...{ item: "coding:pi-0001", family: "/home/ada/orchard", task: "List the ripe plums." },
        detail: { cwd: "/home/ada/orchard", title: "Ripe plums", parent: "/sessions/pi-0000.jsonl" },
      },
    ]);
    expect(only(events, "verdict")).toEqual([]);
    expect(report.imported).toMatchObject([{ nativeId: "pi-0001", attempts: 2, unjudged: 1 }]);
  });
});

describe("a session", () => {
  it("that was branched into a file of its own has there what is new", async () => {
    const lines = readFileSync(FIRST, "utf8").split("\n");
    const fork = [lines[0]?.replace("pi-0002", "pi-0003"), lines[1], lines[2]];
    const bye = '{"type":"message","timestamp":"2025-11-21T00:00:00Z","message":{"role":"assistant","content":[]}}';
    writeFileSync(join(folder, "a.jsonl"), lines.join("\n"));
    writeFileSync(join(folder, "b.jsonl"), [...fork, bye].join("\n"));
    const { turns } = await readImported(folder);
    expect(turns.filter(({ attempt }) => attempt.includes("pi-0003")).map(({ messages }) => messages.length)).toEqual([
      2,
    ]);
  });

  it("keeps the number of each path while it grows on an earlier one, and replaces the shorter one", async () => {
    const header = { type: "session", id: "s", timestamp: "2026-03-04T10:00:00Z", cwd: "/w" };
    const entry = (id: string, parentId: string | null, role: string, text: string) => ({
      ...{ type: "message", id, parentId, timestamp: "2026-03-04T10:00:00Z" },
      message: { role, content: [{ type: "text", text }] },
    });
    const branched = [
      header,
      entry("u1", null, "user", "Count."),
      entry("a1", "u1", "assistant", "One."),
      entry("u2", "a1", "user", "Go on."),
      entry("a2", "u2", "assistant", "Two."),
      entry("u3", "a1", "user", "Go back."),
      entry("b2", "u3", "assistant", "Zero."),
    ];
    const back = [entry("u4", "a2", "user", "And on."), entry("a3", "u4", "assistant", "Three.")];
    const again = [entry("u5", "a1", "user", "Once more."), entry("c2", "u5", "assistant", "Still one.")];
    const write = (entries: object[]) => ({ "a.jsonl": entries.map((one) => `${JSON.stringify(one)}\n`).join("") });
    const first = await readWritten(write(branched));
    const grown = await readWritten(write([...branched, ...back, ...again]));
    expect(grown.turns.map(({ attempt, response }) => [attempt.at(-1), response?.content])).toEqual([
      ["1", "One."],
      ["1", "Two."],
      ["1", "Three."],
      ["2", "Zero."],
      ["3", "Still one."],
    ]);
    expect(grown.report.replaced).toMatchObject([
      { run: grown.report.imported[0]?.run, replaced: first.report.imported[0]?.run },
    ]);
  });

  it("whose entry before is lost says that the prompt is", async () => {
    const lines = readFileSync(TREE, "utf8").split("\n");
    writeFileSync(join(folder, "a.jsonl"), lines.filter((line) => !line.includes('"id":"u1"')).join("\n"));
    const { turns } = await readImported(folder);
    expect(turns[0]?.missing).toContain("prompt");
  });

  it("rejects what is no entry, and all before its beginning", async () => {
    const file = join(folder, "a.jsonl");
    writeFileSync(file, `{"type":"message"}\n${readFileSync(FIRST, "utf8")}[]\n`);
    const report = await importInto(home, file, { format: "pi" });
    expect(report.imported).toMatchObject([{ attempts: 1 }]);
    expect(report.rejected).toEqual([
      { reason: "no session began before it", count: 1, where: [`${file}:1`] },
      { reason: "it is no entry of a session", count: 1, where: [`${file}:8`] },
    ]);
  });

  it("is not taken for one of another program", async () => {
    const traces = '{"type":"session","harness":"own","id":"1","cwd":"/","timestamp":"2026-01-01T00:00:00Z"}\n';
    writeFileSync(join(folder, "a.jsonl"), traces);
    await expect(findFiles(folder, "pi")).rejects.toMatchObject({ code: "NOTHING_TO_IMPORT" });
  });
});

describe.skipIf(FIXTURES === null)("a real session", () => {
  it("has a turn for each answer and an action for each tool's result", async () => {
    const file = join(FIXTURES ?? "", "pi", "large-session.jsonl");
    const entries = readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const messages = entries.flatMap(({ type, message }) => (type === "message" ? [message] : []));
    const answers = messages.filter(({ role }) => role === "assistant");
    const { report, events, turns } = await readImported(file);
    expect(report).toMatchObject({ format: "pi", rejected: [] });
    expect(report.imported).toMatchObject([{ attempts: 1, unjudged: 1 }]);
    expect(turns).toHaveLength(answers.length);
    expect(only(events, "action")).toHaveLength(messages.filter(({ role }) => role === "toolResult").length);
    expect(only(events, "failure")).toHaveLength(answers.filter(({ errorMessage }) => errorMessage).length);
    const counted = sumOf(answers, ({ usage }) => usage.output);
    expect(sumOf(only(events, "turn"), ({ usage }) => usage?.completionTokens ?? 0)).toBe(counted);
    const codes = messages.filter(({ isError, content }) => isError && /exited with code \d+$/.test(content[0].text));
    expect(only(events, "action").filter(({ exitCode }) => exitCode !== null)).toHaveLength(codes.length);
  });
});
