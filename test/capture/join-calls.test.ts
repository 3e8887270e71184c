/** Joined turn by turn: a log that keeps each call has each of them once, and what tools did is not lost with the log's turns. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { align, type Heard, type Told } from "../../src/capture/align.ts";
import type { Home } from "../../src/store/home.ts";
import { coveredRuns } from "../../src/store/ledger.ts";
import { listRuns } from "../../src/store/runs.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { importInto } from "./importers/setting.ts";
import { startRecordingAt } from "./recording.ts";
import { type MadeCall, recordCalls } from "./replayed-calls.ts";
import { chunks } from "./stub-upstream.ts";

type Message = Record<string, unknown>;

let home: Home;
let remove: () => void;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(() => remove());

const callOf = (messages: Message[], message: Message): MadeCall => ({
  http_status: 200,
  request: { model: "m", temperature: 0.5, messages },
  response: { message, finish_reason: message.tool_calls === undefined ? "stop" : "tool_calls" },
});

describe("two records, where both say what was asked,", () => {
  const told = (text: string, asked: string): Told => ({ role: "worker", text, calls: [], asked });
  const heard = (text: string, asked: string): Heard => ({ prompt: "work", texts: [text], calls: [], asked });

  it("are matched in any order by what was asked", () => {
    const log = [told("done", "x"), told("done", "y"), told("done", "z")];
    const calls = [heard("done", "z"), heard("done", "x"), heard("done", "y")];
    expect(align(log, calls)).toEqual({ matched: [1, 2, 0], ambiguous: [] });
  });

  it("leave alone what was asked twice, unless its order tells it", () => {
    const calls = [heard("done", "x"), heard("done", "x")];
    expect(align([told("done", "x")], calls)).toEqual({ matched: [null], ambiguous: [0] });
    expect(align([told("done", "x"), told("done", "x")], calls).matched).toEqual([0, 1]);
  });

  it("take no order for a proof where the questions show that there is none", () => {
    const log = [told("a", "x"), told("b", "y"), told("again", "cut"), told("c", "z")];
    const calls = [heard("b", "y"), heard("again", "1"), heard("a", "x"), heard("again", "2"), heard("c", "z")];
    expect(align(log, calls)).toEqual({ matched: [2, 0, null, 4], ambiguous: [2] });
  });
});

describe("a log with a turn for each call", () => {
  const SYSTEM = { role: "system", content: "You are an agent." };
  const asking = (id: string, text: string, command: string) => ({
    ...{ role: "assistant", content: text },
    tool_calls: [{ id, type: "function", function: { name: "bash", arguments: JSON.stringify({ command }) } }],
  });
  const result = (id: string, content: string) => ({ role: "tool", tool_call_id: id, content });
  const conversation = (name: string): Message[] => [
    SYSTEM,
    { role: "user", content: `Look after ${name}.` },
    asking("call_0", "I look.", `ls ${name}`),
    result("call_0", `${name}.txt`),
    asking("call_1", "I edit.", `sed ${name}`),
    result("call_1", "edited"),
    { role: "assistant", content: "Done." },
  ];
  const callsOf = (messages: Message[]) => [2, 4, 6].map((i) => callOf(messages.slice(0, i), messages[i] as Message));

  it("has each recorded call once, in its own place, though several conversations ran at once", async () => {
    const [x, y] = [conversation("x"), conversation("y")];
    const [ofX, ofY] = [callsOf(x), callsOf(y)];
    const sealed = await recordCalls(
      home,
      "night",
      ofY.flatMap((call, i) => [call, ofX[i] as MadeCall]),
    );
    const file = join(home.path, "rows.jsonl");
    const rows = [x, y].map((messages, i) => `${JSON.stringify({ id: `row-${i}`, reward: 1, messages })}\n`);
    writeFileSync(file, rows.join(""));
    const report = await importInto(home, file, { onto: "night" });
    expect(report.joined).toMatchObject({ turns: 6, matched: 6, ambiguous: 0, calls: 6, unmatchedCalls: 0 });
    const recorded = only(await eventsOf(home, sealed.run), "turn").map(({ turn }) => turn);
    const facts = (await listRuns(home)).map(({ source }) => source?.facts ?? null);
    expect(facts.filter((one) => one !== null)).toEqual([{ recorded: sealed.run }]);
    const events = await eventsOf(home, report.imported[0]?.run as never);
    const turns = only(events, "turn");
    expect(turns.map(({ attempt, recordedAs }) => [attempt.slice(21), recorded.indexOf(recordedAs as never)])).toEqual([
      ...[1, 3, 5].map((place) => ["stig:row-0/1", place]),
      ...[0, 2, 4].map((place) => ["stig:row-1/1", place]),
    ]);
    expect(turns.every(({ missing, request }) => missing === undefined && request.temperature === 0.5)).toBe(true);
    expect(only(events, "action").map(({ turn, call, stdout }) => [turn.slice(21), call.arguments, stdout])).toEqual([
      ["stig:row-0/1#1", { command: "ls x" }, "x.txt"],
      ["stig:row-0/1#2", { command: "sed x" }, "edited"],
      ["stig:row-1/1#1", { command: "ls y" }, "y.txt"],
      ["stig:row-1/1#2", { command: "sed y" }, "edited"],
    ]);
  });

  it("keeps the turns whose calls were not recorded as it has them", async () => {
    const messages = conversation("x");
    await recordCalls(home, "night", callsOf(messages).slice(1));
    const file = join(home.path, "rows.jsonl");
    writeFileSync(file, `${JSON.stringify({ id: "row", reward: 1, messages })}\n`);
    const report = await importInto(home, file, { onto: "night" });
    expect(report.joined).toMatchObject({ turns: 3, matched: 2, calls: 2, unmatchedCalls: 0 });
    const turns = only(await eventsOf(home, report.imported[0]?.run as never), "turn");
    expect(turns.map(({ recordedAs }) => recordedAs !== undefined)).toEqual([false, true, true]);
  });

  it("is not joined with a run of which it knows no call: that run stands, and nothing is imported", async () => {
    await recordCalls(home, "night", callsOf(conversation("x")));
    const file = join(home.path, "rows.jsonl");
    const messages = [
      { role: "user", content: "Sing." },
      { role: "assistant", content: "La." },
    ];
    writeFileSync(file, `${JSON.stringify({ id: "row", reward: 1, messages })}\n`);
    const got = "1 turn of the log, 0 of them ambiguous, and 3 recorded calls";
    await expect(importInto(home, file, { onto: "night" })).rejects.toMatchObject({
      code: "NOTHING_JOINED",
      details: { got },
    });
    expect([(await listRuns(home)).length, coveredRuns(home).size]).toEqual([1, 0]);
    await expect(importInto(home, file, { onto: "nigth" })).rejects.toMatchObject({
      details: { fix: 'did you mean "night"?' },
    });
  });

  it("has a result that it cut whole, where the next call brought it", async () => {
    const whole = "a line of the file that was read;".repeat(40);
    const messages = [
      ...[SYSTEM, { role: "user", content: "Read it." }, asking("call_0", "I read.", "cat it")],
      ...[result("call_0", whole), { role: "assistant", content: "Read." }],
    ];
    await recordCalls(
      home,
      "night",
      [2, 4].map((i) => callOf(messages.slice(0, i), messages[i] as Message)),
    );
    const cut = messages.map((message) => (message.role === "tool" ? result("call_0", whole.slice(0, 500)) : message));
    const file = join(home.path, "rows.jsonl");
    writeFileSync(file, `${JSON.stringify({ id: "row", messages: cut })}\n`);
    const report = await importInto(home, file, { onto: "night" });
    expect(report.joined).toMatchObject({ turns: 2, matched: 2 });
    const events = await eventsOf(home, report.imported[0]?.run as never);
    expect(only(events, "action").map(({ stdout }) => stdout)).toEqual([whole]);
  });
});

describe("a log that merges calls", () => {
  const RULE = "xccdf_org.example.content_rule_root";
  const script = "echo PermitRootLogin no >> /etc/ssh/sshd_config".padEnd(300, " # and so on");
  const call = { id: "c1", type: "function", function: { name: "apply", arguments: JSON.stringify({ script }) } };
  const opening = [
    { role: "system", content: "You mend one thing." },
    { role: "user", content: "Mend it." },
  ];
  const asking = { role: "assistant", content: null, tool_calls: [call] };

  async function actionsOf(calls: MadeCall[], told: { text: string; result: string }) {
    await recordCalls(home, "night", calls);
    const events = await joinedEvents(told);
    const flags = only(events, "turn").map(({ parseFlags }) => parseFlags);
    return { actions: only(events, "action"), flags };
  }

  async function joinedEvents({ text, result }: { text: string; result: string }, unmatchedCalls = 0) {
    const said: [type: string, agent: string, fields: object][] = [
      ["run_start", "system", { run_id: "20260501-010000" }],
      ["attempt_start", "harness", { rule_id: RULE, attempt: 1, title: "No root login" }],
      ["prompt_assembled", "worker", { phase: "apply_fix" }],
      ["tool_call", "worker", { tool: "apply", args: { script: script.slice(0, 200) } }],
      ["tool_result", "worker", { tool: "apply", result }],
      ["agent_response", "worker", { text }],
      ["evaluation", "harness", { health: "HEALTHY: all", rule_check: `RULE_CHECK: ${RULE} = PASS` }],
      ["remediated", "harness", { rule_id: RULE, attempt: 1 }],
    ];
    const lines = said.map(([event_type, agent, data], i) =>
      JSON.stringify({ timestamp: `2026-05-01T01:00:${i + 10}.000000+00:00`, event_type, agent, data }),
    );
    const log = join(home.path, "run-20260501-010000.jsonl");
    writeFileSync(log, `${lines.join("\n")}\n`);
    const report = await importInto(home, log, { format: "gemma-forge", onto: "night" });
    expect(report.joined).toMatchObject({ turns: 1, matched: 1, unmatchedCalls });
    return eventsOf(home, report.imported[0]?.run as never);
  }

  it.each([
    ["whole", [], [undefined, []]],
    ["with a stream that was broken", ["data: {oops\n\n"], [["answer"], ["clipped"]]],
  ])("takes a call %s for what its record says", async (_, broken, told) => {
    const head = { id: "c", object: "chat.completion.chunk", created: 1, model: "m" };
    const delta = { ...asking, content: "I apply it.", tool_calls: [{ index: 0, ...call }] };
    const answer = chunks({ ...head, choices: [{ index: 0, delta, finish_reason: "tool_calls" }] });
    const recording = await startRecordingAt(home, () => ({
      type: "text/event-stream",
      pieces: [...broken, ...answer],
    }));
    const asked = await recording.post("/r/night/v1/chat/completions", { model: "m", stream: true, messages: opening });
    await asked.text();
    await recording.post("/r/night/finish");
    await recording.close();
    const events = await joinedEvents({ text: "I apply it.", result: "APPLIED" });
    const [turn] = only(events, "turn");
    expect([turn?.missing, only(events, "verdict")[0]?.verdict.flags.filter((flag) => flag === "clipped")]).toEqual(
      told,
    );
  });

  it("is joined with the calls of its role alone, where the harness named an attempt that several roles work at", async () => {
    const applied = { ...asking, content: "I apply it." };
    const answer = (message: object) => JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] });
    const plan = { role: "assistant", content: "First the file." };
    const recording = await startRecordingAt(home, ({ body }) => ({
      pieces: [answer(body.includes("Plan it.") ? plan : applied)],
    }));
    const post = (role: string, messages: object[]) =>
      recording.post(`/r/night/i/${RULE}/a/1/role/${role}/v1/chat/completions`, { model: "m", messages });
    await post("architect", [{ role: "user", content: "Plan it." }]);
    await post("worker", opening);
    await recording.post("/r/night/finish");
    await recording.close();
    const events = await joinedEvents({ text: "I apply it.", result: "APPLIED" }, 1);
    expect(only(events, "turn")).toMatchObject([{ role: "worker", recordedAs: expect.stringMatching(/#2$/) }]);
  });

  it("keeps its own action where no result was sent back, with the call whole and the cut result flagged", async () => {
    const result = "APPLIED: ".padEnd(500, "and so on; ");
    const calls = [callOf(opening, { ...asking, content: "I apply it." })];
    const { actions, flags } = await actionsOf(calls, { text: "I apply it.", result });
    expect(actions).toMatchObject([{ call: { name: "apply", arguments: { script } }, exitCode: 0, stdout: result }]);
    expect(flags).toEqual([["result-clipped"]]);
  });

  it("gives a recorded result the exit code that it knows", async () => {
    const whole = "no such file; Exit code: 7; ".padEnd(900, "and so on; ");
    const told = { role: "tool", tool_call_id: "c1", content: whole };
    const calls = [
      callOf(opening, asking),
      callOf([...opening, asking, told], { role: "assistant", content: "It failed." }),
    ];
    const { actions, flags } = await actionsOf(calls, { text: "It failed.", result: whole.slice(0, 500) });
    expect(actions).toMatchObject([{ call: { arguments: { script } }, exitCode: 7, stdout: whole }]);
    expect(flags).toEqual([[], []]);
  });
});
