/** Where attempts act: isolated and progress mode, kept states, broken environments, deferred actions, order, budgets. */
import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HarnessOptions } from "../../src/harness/harness-options.ts";
import { type Endpoint, runHarness } from "../../src/harness/index.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Item } from "../../src/records/item.ts";
import type { Home } from "../../src/store/home.ts";
import {
  type ChatRequest,
  type ScriptedModel,
  type ScriptedReply,
  startScriptedModel,
} from "../fixtures/scripted-model.ts";
import { type House, house } from "./house-skill.ts";
import { textOf } from "./role-models.ts";
import { eventsOf, only, runOptions, temporaryHome } from "./setting.ts";

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(async () => {
  await model?.close();
  remove();
});

const says = (...words: string[]): ScriptedReply[] => words.map((content) => ({ content }));

async function start(
  { skill }: House,
  replies: ScriptedReply[] | ((request: ChatRequest) => ScriptedReply),
  changes: Partial<HarnessOptions> = {},
): Promise<HarnessOptions> {
  model = await startScriptedModel({ replies });
  const items = (await skill.items({ seed: 1 })).map((draft): Item => ({ ...draft, split: "train" }));
  const options = await runOptions(
    { home, url: model.url },
    { skill, items, mode: "progress", concurrency: 1, attempts: 2, enough: 1, ...changes },
  );
  const { worker } = options.roles;
  return { ...options, roles: worker === undefined ? {} : { worker } };
}

const events = (run: string) => eventsOf(home, run as RunId);

describe("in progress mode", () => {
  it("a pass is kept for the items to come, and a failed attempt is taken back", async () => {
    const painted = house();
    const result = await runHarness(await start(painted, says("red", "blue", "red", "red")));
    expect(result).toMatchObject({ solved: 3, isComplete: true });
    expect(painted.events).toEqual([
      ...["open hall from -", "keep", "keep"],
      ...["open kitchen from state-2", "restore", "keep"],
      ...["open attic from state-3", "keep"],
    ]);
    const actions = only(await events(result.run), "action").map(({ stdout }) => JSON.parse(stdout));
    expect(actions.at(-1)).toEqual({ hall: "red", kitchen: "red", attic: "red" });
    expect(only(await events(result.run), "checkpoint").map(({ name }) => name)).toEqual([
      "state-2",
      "state-3",
      "state-4",
    ]);
  });

  it("a finished run leaves no workspace behind, one that was stopped goes on from its last kept state", async () => {
    const painted = house();
    const stop = new AbortController();
    const options = await start(painted, says("red", "red", "red"), { signal: stop.signal });
    const first = await runHarness({
      ...options,
      onProgress: ({ solved }) => (solved === 1 ? stop.abort() : undefined),
    });
    expect(first).toMatchObject({ isComplete: false, stoppedBy: "interruption", solved: 1 });
    expect(existsSync(home.workspaceFolder(first.run))).toBe(true);
    painted.events.length = 0;
    const second = await runHarness({ ...options, signal: new AbortController().signal, resume: first.run });
    expect(painted.events[0]).toBe("open kitchen from state-2");
    expect(second).toMatchObject({ isComplete: true, solved: 3 });
    expect(existsSync(home.workspaceFolder(first.run))).toBe(false);
  });

  it("is refused for several attempts at once", async () => {
    const options = await start(house(), [], { concurrency: 2 });
    await expect(runHarness(options)).rejects.toMatchObject({ code: "ONE_WORKSPACE" });
  });

  it("a restore that fails pauses the item, and what was judged since the last kept state is suspect", async () => {
    const painted = house({ brokenRestores: [1] });
    const result = await runHarness(await start(painted, says("red", "blue", "red", "red"), { attempts: 3 }));
    const seen = await events(result.run);
    expect(only(seen, "failure")).toMatchObject([
      { boundary: "environment", code: "ENVIRONMENT_BROKEN", message: "the snapshot is gone" },
    ]);
    const suspects = only(seen, "verdict").filter(({ verdict }) => verdict.flags.includes("environment-suspect"));
    expect(suspects).toMatchObject([
      { attempt: `${result.run}/house:kitchen/1`, verdict: { confidence: 0.5, passed: false } },
    ]);
    expect(only(seen, "item_finished").map(({ item, state }) => [item, state])).toEqual([
      ["house:hall", "solved"],
      ["house:attic", "solved"],
    ]);
    expect(result).toMatchObject({ isComplete: false, stoppedBy: "environment", failures: 1 });
    const resumed = await runHarness({ ...(await start(house(), says("red"), { attempts: 3 })), resume: result.run });
    expect(resumed).toMatchObject({ isComplete: true, solved: 3 });
  });

  it("an environment that stays broken stops the run", async () => {
    const broken = house({ complaint: () => "the roof is off" });
    const result = await runHarness(await start(broken, says("red", "red", "red")));
    const failures = only(await events(result.run), "failure");
    expect(failures.map(({ message }) => message)).toEqual(Array(3).fill("the roof is off"));
    expect(result).toMatchObject({ isComplete: false, stoppedBy: "environment", attempts: 0 });
    expect(model.requests).toHaveLength(0);
  });

  it("a pass that leaves the environment unsound is suspect, and the state of before stays", async () => {
    let checks = 0;
    const fragile = house({ complaint: () => (++checks === 4 ? "the roof is off" : null) });
    const result = await runHarness(await start(fragile, says("red", "red", "red")));
    const seen = await events(result.run);
    expect(only(seen, "failure")).toMatchObject([{ boundary: "environment", message: "the roof is off" }]);
    expect(only(seen, "checkpoint").map(({ attempt, name }) => [attempt.split("/")[1], name])).toEqual([
      ["house:hall", "state-2"],
      ["house:attic", "state-3"],
    ]);
    expect(fragile.events).toContain("open attic from state-2");
    const flagged = only(seen, "verdict").filter(({ verdict }) => verdict.flags.length > 0);
    expect(flagged).toMatchObject([
      { attempt: `${result.run}/house:kitchen/1`, verdict: { passed: true, confidence: 0.5 } },
    ]);
    expect(result).toMatchObject({ isComplete: true, solved: 3 });
  });

  it("verdicts of before a stop are suspect too where the environment is broken when the run goes on", async () => {
    const stop = new AbortController();
    const options = await start(house(), says("red", "blue", "blue", "red", "red"), {
      attempts: 4,
      signal: stop.signal,
    });
    const stopped = await runHarness({
      ...options,
      onProgress: ({ attempts }) => (attempts === 3 ? stop.abort() : undefined),
    });
    expect(stopped).toMatchObject({ attempts: 3, isComplete: false });
    await model.close();
    let checks = 0;
    const broken = house({ complaint: () => (++checks === 1 ? "the roof is off" : null) });
    const resumed = await runHarness({ ...(await start(broken, says("red"), { attempts: 4 })), resume: stopped.run });
    const flagged = only(await events(resumed.run), "verdict").filter(({ verdict }) => verdict.flags.length > 0);
    expect(flagged.map(({ attempt }) => attempt)).toEqual([
      `${stopped.run}/house:kitchen/1`,
      `${stopped.run}/house:kitchen/2`,
    ]);
  });

  it("an action that only shows later is verified again, after one settling for all", async () => {
    const slow = house({ slowRooms: ["hall", "attic"] });
    const result = await runHarness(await start(slow, says("red", "red", "red")));
    const seen = await events(result.run);
    expect(slow.events.filter((event) => event === "settle")).toHaveLength(1);
    const verdicts = only(seen, "verdict").map(({ attempt, verdict }) => [attempt.split("/")[1], verdict.failureMode]);
    expect(verdicts).toEqual([
      ["house:hall", "still-wet"],
      ["house:kitchen", null],
      ["house:attic", "still-wet"],
      ["house:hall", null],
      ["house:attic", null],
    ]);
    expect(result).toMatchObject({ solved: 3, firstPasses: 3, isComplete: true });
  });

  it("is settled for all others where the first that waits cannot be opened", async () => {
    const slow = house({ slowRooms: ["hall", "kitchen"], brokenOpens: [4] });
    const result = await runHarness(await start(slow, says("red", "red", "red", "red")));
    expect(slow.events.filter((event) => event === "settle")).toHaveLength(1);
    expect(result).toMatchObject({ solved: 3, isComplete: true });
    const kitchen = only(await events(result.run), "verdict").filter(({ attempt }) => attempt.includes("kitchen"));
    expect(kitchen.map(({ verdict }) => verdict.failureMode)).toEqual(["still-wet", null]);
  });

  it("a later verdict is a whole one: the auditor looks, the reflector learns, and a fail counts as tried", async () => {
    const lessons = JSON.stringify({ tips: [{ type: "strategy", text: "Air the house." }] });
    const opinion = JSON.stringify({ rightReason: true, confidence: 0.8, why: "it is red" });
    const slow = house({ slowRooms: ["hall", "attic"], fadingRooms: ["attic"], rooms: ["hall", "attic"] });
    const asked: string[] = [];
    const options = await start(slow, (request) => {
      const text = textOf(request);
      const role = text.includes("rightReason") ? "auditor" : text.includes('"tips"') ? "reflector" : "worker";
      asked.push(role);
      return { content: { auditor: opinion, reflector: lessons, worker: "red" }[role] };
    });
    const { worker } = options.roles;
    const roles = worker === undefined ? {} : { worker, auditor: worker, reflector: worker };
    const result = await runHarness({ ...options, roles, memory: "grow", attempts: 1 });
    const seen = await events(result.run);
    expect(asked).toEqual(["worker", "worker", "auditor", "reflector", "reflector"]);
    const told = only(seen, "verdict").map(({ attempt, verdict }) => [
      attempt.split("/")[1],
      verdict.signalType,
      verdict.failureMode,
    ]);
    expect(told).toEqual([
      ["house:hall", "binary", "still-wet"],
      ["house:attic", "binary", "still-wet"],
      ["house:hall", "judgment", null],
      ["house:hall", "binary", null],
      ["house:attic", "binary", "not-painted"],
    ]);
    expect(new Set(only(seen, "turn").map(({ turn }) => turn)).size).toBe(5);
    expect(only(seen, "tip_saved")).toHaveLength(2);
    expect(only(seen, "item_finished").map(({ state }) => state)).toEqual(["solved", "unsolved"]);
    expect(result).toMatchObject({ solved: 1, firstTries: 2, firstPasses: 1, isComplete: true });
  });
});

describe("in isolated mode", () => {
  it("each attempt begins at the baseline, and what shows later is settled at once", async () => {
    const slow = house({ slowRooms: ["hall"] });
    const result = await runHarness(await start(slow, says("red", "red", "red"), { mode: "isolated" }));
    expect(slow.events).toEqual(["open hall from -", "settle", "open kitchen from -", "open attic from -"]);
    expect(only(await events(result.run), "verdict").map(({ verdict }) => verdict.passed)).toEqual([true, true, true]);
  });
});

describe("an item", () => {
  it("waits for others where its skill says so", async () => {
    const ordered = house({ waitsFor: (item, open) => item.family === "hall" && open.length > 0 });
    const result = await runHarness(await start(ordered, says("red", "red", "red")));
    expect(only(await events(result.run), "item_finished").map(({ item }) => item)).toEqual([
      "house:kitchen",
      "house:attic",
      "house:hall",
    ]);
  });

  it("is not held up where all wait for each other", async () => {
    const circular = house({ waitsFor: () => true });
    expect(await runHarness(await start(circular, says("red", "red", "red")))).toMatchObject({ solved: 3 });
  });

  it("is given up when its budget of tokens or time is spent", async () => {
    const tokens = await runHarness(
      await start(house(), () => ({ content: "blue" }), { attempts: 9, itemBudget: { tokens: 40 } }),
    );
    const ends = only(await events(tokens.run), "item_finished");
    expect(ends.map(({ state, reason }) => [state, reason])).toEqual(Array(3).fill(["unsolved", "tokens"]));
    expect(ends.every(({ attempts }) => attempts > 0 && attempts < 9)).toBe(true);
    await model.close();
    const slow = await runHarness(
      await start(house(), () => ({ content: "blue", delayMs: 30 }), { attempts: 9, itemBudget: { timeMs: 50 } }),
    );
    expect(only(await events(slow.run), "item_finished").map(({ reason }) => reason)).toEqual(
      Array(3).fill("wall-time"),
    );
  });
});

describe("a run with a budget of attempts", () => {
  it("ends when it is spent, and every item has an end state", async () => {
    const painted = house({ rooms: ["a", "b", "c", "d", "e"] });
    const result = await runHarness(
      await start(painted, says("red", "blue", "blue"), { mostAttempts: 3, attempts: 3 }),
    );
    const ends = only(await events(result.run), "item_finished");
    expect(ends.map(({ state, attempts, reason }) => [state, attempts, reason])).toEqual([
      ["solved", 1, undefined],
      ["unsolved", 2, "run-budget"],
      ...Array(3).fill(["skipped", 0, "run-budget"]),
    ]);
    expect(result).toMatchObject({ attempts: 3, isComplete: true });
  });
});

describe("a run that is asked whether it has enough", () => {
  it("ends as soon as it has, sealed, with what was not begun left open", async () => {
    const finished: string[] = [];
    const painted = house({ rooms: ["a", "b", "c", "d", "e"] });
    const result = await runHarness({
      ...(await start(painted, says("red", "red", "red"))),
      onItemFinished: ({ item, state }) => finished.push(`${item} ${state}`),
      isEnough: () => finished.length >= 2,
    });
    expect(finished).toEqual([
      ...["house:a solved", "house:b solved"],
      ...["house:c skipped", "house:d skipped", "house:e skipped"],
    ]);
    expect(result).toMatchObject({ attempts: 2, isComplete: true });
  });
});

describe("the worker", () => {
  it("is told what was tried before and why it failed, where the run says so", async () => {
    await runHarness(await start(house(), says("blue", "red", "red", "red"), { showsAttempts: true }));
    const second = textOf(model.requests[1] as ChatRequest);
    expect(second).toContain('Attempt 1:\n{"colour":"blue"}\nIt failed: not-painted. The room is not red.');
  });

  it("else makes independent attempts", async () => {
    await runHarness(await start(house(), says("blue", "red", "red", "red")));
    expect(textOf(model.requests[1] as ChatRequest)).toBe(textOf(model.requests[0] as ChatRequest));
  });

  it("leaves old attempts out of a prompt that has no room for them, and records that", async () => {
    const options = await start(house(), says("blue", "red", "red", "red"), { showsAttempts: true });
    const worker = { ...(options.roles.worker as Endpoint), contextTokens: 100 };
    const result = await runHarness({ ...options, roles: { worker } });
    const turns = only(await events(result.run), "turn");
    expect(turns[1]?.template).toMatchObject({ name: "worker-context", leftOut: ["attempts"] });
    expect(textOf(model.requests[1] as ChatRequest)).not.toContain("blue");
  });

  it("acts by native tool calls, recorded as they came, where they are asked for", async () => {
    const tool_calls = [{ id: "1", type: "function", function: { name: "paint", arguments: '{"colour": "red"}' } }];
    const options = await start(house(), () => ({ content: null, tool_calls }), { hasNativeTools: true });
    const result = await runHarness(options);
    const seen = await events(result.run);
    expect(model.requests[0]?.tools).toEqual(options.skill.tools);
    expect(only(seen, "message").map(({ message }) => message.tool_calls)).toContainEqual(tool_calls);
    expect(result.solved).toBe(3);
  });
});
