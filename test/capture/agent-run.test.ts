/** An agent of the user's own, as a real process, at the items of a skill. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import testCommand from "../../examples/skills/test-command/skill.ts";
import { type AgentRunOptions, runAgent } from "../../src/capture/agent-run.ts";
import { reverify } from "../../src/capture/reverify.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import type { Item } from "../../src/records/item.ts";
import type { Skill } from "../../src/skills/contract.ts";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/runs.ts";
import { verifyHome } from "../../src/store/verify.ts";
import { type ScriptedModel, type ScriptedReply, startScriptedModel } from "../fixtures/scripted-model.ts";
import letters from "../fixtures/skills/letters/skill.ts";
import { eventsOf, itemsOf, only, temporaryHome } from "../harness/setting.ts";

const AGENT = `${process.execPath} ${join(import.meta.dirname, "../fixtures/programs/agent.mjs")}`;

let home: Home;
let remove: () => void;
let model: ScriptedModel;
const bugs: unknown[] = [];

beforeEach(() => {
  ({ home, remove } = temporaryHome());
  bugs.length = 0;
});

afterEach(async () => {
  await model?.close();
  remove();
  expect(bugs).toEqual([]);
});

async function options(
  reply: (asked: string) => ScriptedReply,
  changes: Partial<AgentRunOptions> = {},
): Promise<AgentRunOptions> {
  model = await startScriptedModel({ replies: ({ messages }) => reply(messages.at(-1)?.content ?? "") });
  return {
    ...{ home, codeVersion: "test", clock: systemClock, config: {}, skill: letters, skillHash: hashText("letters") },
    ...{ items: await itemsOf("train", 3), split: "train", attempts: 2, enough: 1, concurrency: 2 },
    agent: { command: AGENT, timeoutMs: 20_000 },
    model: { name: "scripted", model: "scripted", endpoint: model.url, baseHash: hashText("base"), adapterHash: null },
    ...{
      durability: "kernel",
      timeoutMs: 5000,
      signal: new AbortController().signal,
      onBug: (error) => bugs.push(error),
    },
    ...changes,
  };
}

describe("an agent's run", () => {
  it("records what the agent asks as its attempt's, and the skill's verdict of what it prints", async () => {
    const result = await runAgent(
      await options((asked) => ({ content: asked.includes("letter a") ? "banana" : "xyz" })),
    );
    expect(result).toMatchObject({ stoppedBy: null, sealed: { items: 3, attempts: 5, passed: 1 } });
    const events = await eventsOf(home, result.run);
    const [start] = only(events, "run_started");
    expect(start).toMatchObject({
      ...{ split: "train", skill: { id: "letters", version: "1" }, config: { command: "agent" } },
      models: { worker: { name: "scripted", baseHash: hashText("base") } },
    });
    const turns = only(events, "turn");
    const verdicts = only(events, "verdict");
    expect(turns.map(({ attempt }) => attempt).toSorted()).toEqual(verdicts.map(({ attempt }) => attempt).toSorted());
    expect(turns[0]).toMatchObject({
      baseHash: hashText("base"),
      request: { temperature: 0.5 },
      wire: { api: "chat" },
    });
    expect(only(events, "action").find(({ stdout }) => stdout === "banana")?.call.arguments).toEqual({
      text: "banana",
    });
    expect(await verifyHome(home)).toMatchObject({ isSound: true });
  });

  it("that is stopped goes on where it was, and makes what was cut short anew", async () => {
    const stop = new AbortController();
    const given = await options(() => ({ content: "no" }), { concurrency: 1, attempts: 2, signal: stop.signal });
    const stopped = await runAgent({ ...given, onProgress: ({ attempts }) => attempts === 3 && stop.abort() });
    expect(stopped).toMatchObject({ sealed: null, stoppedBy: "interruption" });
    const signal = new AbortController().signal;
    const result = await runAgent({ ...given, signal, resume: stopped.run });
    expect(result).toMatchObject({ run: stopped.run, stoppedBy: null, sealed: { items: 3, passed: 0 } });
    const verdicts = only(await eventsOf(home, result.run), "verdict");
    expect(verdicts).toHaveLength(6);
    expect(new Set(verdicts.map(({ attempt }) => attempt)).size).toBe(6);
    expect(await listRuns(home)).toHaveLength(1);
  });

  it("whose model's server answers nothing stops without a verdict, and makes those attempts again once it is back", async () => {
    let isBack = false;
    const given = await options(() => (isBack ? { content: "no" } : { status: 500, body: "{}" }), { concurrency: 1 });
    const result = await runAgent(given);
    expect(result).toMatchObject({ sealed: null, stoppedBy: "outage" });
    const events = await eventsOf(home, result.run);
    expect(only(events, "verdict")).toEqual([]);
    expect(only(events, "failure").filter(({ code }) => code === "CALLS_LOST")).toHaveLength(3);
    isBack = true;
    const resumed = await runAgent({ ...given, attempts: 1, resume: result.run });
    expect(resumed.sealed).toMatchObject({ items: 3, passed: 0, unjudged: 0 });
    expect(only(await eventsOf(home, result.run), "verdict")).toHaveLength(3);
  });

  it("comes back to an item whose calls failed, and gives it up at last", async () => {
    const items = await itemsOf("train", 3);
    const [lost] = items;
    const reply = (asked: string): ScriptedReply =>
      asked === lost?.task ? { status: 503, body: "{}" } : { content: "no" };
    const given = await options(reply, { items, attempts: 1, concurrency: 1 });
    const stopped = await runAgent(given);
    expect(stopped.stoppedBy).toBe("outage");
    const result = await runAgent({ ...given, resume: stopped.run });
    expect(result).toMatchObject({ stoppedBy: null, sealed: { items: 3, unjudged: 1 } });
    expect(only(await eventsOf(home, result.run), "failure").filter(({ code }) => code === "CALLS_LOST")).toHaveLength(
      6,
    );
  });

  it("does not come back to an item whose calls the server refuses", async () => {
    const items = await itemsOf("train", 3);
    const reply = (asked: string): ScriptedReply =>
      asked === items[0]?.task ? { status: 400, body: "{}" } : { content: "no" };
    const result = await runAgent(await options(reply, { items, attempts: 1 }));
    expect(result).toMatchObject({ stoppedBy: null, sealed: { items: 3, unjudged: 1 } });
    expect(only(await eventsOf(home, result.run), "failure").map(({ code }) => code)).toEqual([
      "HTTP_400",
      "CALLS_REJECTED",
    ]);
  });

  it("ends an agent that takes too long, and judges what there is", async () => {
    const given = await options(() => ({ content: "x" }), {
      ...{ items: (await itemsOf("train", 1)) as Item[], attempts: 1 },
      agent: { command: "echo begun >&2; sleep 60", timeoutMs: 500 },
    });
    const result = await runAgent(given);
    expect(result.sealed).toMatchObject({ attempts: 1, passed: 0 });
    expect(only(await eventsOf(home, result.run), "verdict")[0]?.verdict.failureMode).toBe("no-text");
  });

  it.each([
    ["cannot be started", "no-such-agent", 127],
    ["breaks before it calls the model", "echo 'No module named openai' >&2; exit 1", 1],
  ])(
    "whose agent %s stops after three of them, judges none, and says the agent's last words",
    async (_, command, code) => {
      const given = await options(() => ({ content: "no" }), { concurrency: 1 });
      const result = await runAgent({ ...given, agent: { command, timeoutMs: 20_000 } });
      const words = code === 127 ? "no-such-agent" : "No module named openai";
      const told = new RegExp(`exit code ${code} before it called the model: .*${words}`);
      expect(result).toMatchObject({ sealed: null, stoppedBy: "agent", lastFailure: expect.stringMatching(told) });
      const events = await eventsOf(home, result.run);
      expect(only(events, "verdict")).toEqual([]);
      const failures = only(events, "failure").map(({ boundary, code, message }) => [
        boundary,
        code,
        told.test(message),
      ]);
      expect(failures).toEqual(Array(3).fill(["agent", "AGENT_FAILED", true]));
      const resumed = await runAgent({ ...given, attempts: 1, resume: result.run });
      expect(resumed.sealed).toMatchObject({ items: 3, attempts: 6, unjudged: 0 });
    },
  );

  it("goes on where the agent breaks at one item before it calls the model, and leaves that one without a verdict", async () => {
    const items = await itemsOf("train", 3);
    const command = `test "$TRACEMILL_ITEM" != "${items[1]?.item}" || exit 3; ${AGENT}`;
    const given = { items, attempts: 1, agent: { command, timeoutMs: 20_000 } };
    const result = await runAgent(await options(() => ({ content: "no" }), given));
    expect(result).toMatchObject({ failures: 1, stoppedBy: null, sealed: { items: 3, unjudged: 1 } });
  });

  it("keeps how the agent ended and what it said, whatever came of it", async () => {
    const command = `${AGENT} >/dev/null; echo "lost the thread" >&2; exit 5`;
    const given = { items: await itemsOf("train", 1), attempts: 1, agent: { command, timeoutMs: 20_000 } };
    const { run } = await runAgent(await options(() => ({ content: "no" }), given));
    const events = await eventsOf(home, run);
    expect(only(events, "agent_ended")).toMatchObject([
      { attempt: expect.stringMatching(/\/1$/), command, exitCode: 5, stdout: "", stderr: "lost the thread\n" },
    ]);
    expect(only(events, "verdict")[0]?.verdict.failureMode).toBe("no-text");
  });

  it("goes on where the skill breaks at one item: with what it throws, or with a verdict that is none", async () => {
    const items = await itemsOf("train", 3);
    const [mute, odd] = items;
    const skill: Skill = {
      ...letters,
      prompt: (item) => (item.item === mute?.item ? JSON.parse("") : letters.prompt(item)),
      async open(item, place) {
        const workspace = await letters.open(item, place);
        return item.item === odd?.item ? { ...workspace, verify: async () => ({}) as never } : workspace;
      },
    };
    const result = await runAgent(await options(() => ({ content: "x" }), { skill, items, attempts: 1 }));
    expect(result).toMatchObject({ failures: 2, stoppedBy: null, sealed: { items: 3, unjudged: 2 } });
    const failures = only(await eventsOf(home, result.run), "failure");
    expect(failures.map(({ boundary }) => boundary)).toEqual(["workspace", "workspace"]);
  });
});

describe("a skill with a folder to work in", () => {
  const oneItem = async () => {
    const [draft] = (await testCommand.items({ seed: 1 })).filter(({ item }) => item.endsWith("average"));
    return [{ ...(draft as NonNullable<typeof draft>), split: "train" as const }];
  };

  it("judges what the agent left there", { timeout: 60_000 }, async () => {
    const mend = `${AGENT} --mend '/ (numbers.length - 1)' '/ numbers.length' src/lists.js`;
    const given = { skill: testCommand, items: await oneItem(), attempts: 1 };
    const result = await runAgent(
      await options(() => ({ content: "mended" }), { ...given, agent: { command: mend, timeoutMs: 20_000 } }),
    );
    expect(result.sealed).toMatchObject({ attempts: 1, passed: 1 });
    const [action] = only(await eventsOf(home, result.run), "action");
    expect(action).toMatchObject({ call: { name: "agent" }, exitCode: 0, stdout: "mended" });
    const asked = { home, clock: systemClock, run: result.run, skill: testCommand, sampleFraction: 1 };
    const { signal } = new AbortController();
    const report = await reverify({ ...asked, isOutdatedOnly: false, signal });
    expect(report).toMatchObject({
      verifier: null,
      chosen: [],
      left: [],
      notReplayable: [{ attempt: action?.attempt }],
    });
  });

  it("fails one that changed what it may not", { timeout: 60_000 }, async () => {
    const command = `${AGENT}; for f in $(ls -d test* 2>/dev/null); do rm -rf "$f"; done`;
    const given = { skill: testCommand, items: await oneItem(), attempts: 1, agent: { command, timeoutMs: 20_000 } };
    const result = await runAgent(await options(() => ({ content: "mended" }), given));
    const [verdict] = only(await eventsOf(home, result.run), "verdict");
    expect(verdict?.verdict).toMatchObject({ passed: false, failureMode: "forbidden-path" });
  });
});
