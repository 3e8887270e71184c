/** The four roles as models, each branch against a scripted endpoint. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HarnessOptions } from "../../src/harness/harness-options.ts";
import { runHarness } from "../../src/harness/index.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import {
  type ChatRequest,
  type ScriptedModel,
  type ScriptedReply,
  startScriptedModel,
} from "../fixtures/scripted-model.ts";
import { byRole, json, roleOf, textOf } from "./role-models.ts";
import { coin, eventsOf, itemsOf, only, runOptions, temporaryHome } from "./setting.ts";

const EVERY_LETTER = "abcdefghijklmnopqrstuvwxyz";
const WRONG = { content: "0" };

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

type Player = (request: ChatRequest) => ScriptedReply;

async function start(replies: Player, changes: Partial<HarnessOptions> = {}): Promise<HarnessOptions> {
  model = await startScriptedModel({ replies });
  const usual = await runOptions({ home, url: model.url }, { concurrency: 1, ...changes });
  const played = { url: model.url, model: "scripted", name: "scripted", baseHash: null, adapterHash: null };
  return { ...usual, roles: { worker: played, ...(changes.roles ?? {}) } };
}

const player = () => ({ url: model.url, model: "scripted", name: "scripted", baseHash: null, adapterHash: null });

async function events(run: string) {
  return eventsOf(home, run as RunId);
}

describe("a model that plays the architect", () => {
  it("is asked for an item and its plan, and the worker's prompt holds the plan", async () => {
    const options = await start(
      byRole({
        select: () => json({ item: "letters:b-0", plan: "write the alphabet" }),
        worker: () => ({ content: EVERY_LETTER }),
      }),
      { items: await itemsOf("train", 3), attempts: 1 },
    );
    const result = await runHarness({ ...options, roles: { ...options.roles, architect: player() } });
    const decided = only(await events(result.run), "architect_decided");
    expect(decided[0]).toMatchObject({
      item: "letters:b-0",
      choice: "select",
      plan: "write the alphabet",
      isFallback: false,
    });
    const workers = model.requests.filter((request) => roleOf(request) === "worker");
    expect(textOf(workers[0] as ChatRequest)).toContain("write the alphabet");
    const turn = only(await events(result.run), "turn").find((one) => one.role === "worker");
    expect(turn?.template).toMatchObject({ name: "worker-context", leftOut: [] });
  });

  it("falls back to the first open item, visibly, where its answer names none that is open", async () => {
    const options = await start(
      byRole({ select: () => ({ content: "Let us begin!" }), worker: () => ({ content: EVERY_LETTER }) }),
      { items: await itemsOf("train", 2), attempts: 1 },
    );
    const result = await runHarness({ ...options, roles: { ...options.roles, architect: player() } });
    const seen = await events(result.run);
    expect(only(seen, "architect_decided")[0]).toMatchObject({ item: "letters:a-0", isFallback: true });
    expect(only(seen, "turn").find(({ phase }) => phase === "select")?.parseFlags).toEqual(["not-understood"]);
    expect(result).toMatchObject({ solved: 2, isComplete: true });
  });

  it("looks at a plan again after the set number of failures, and at once where the worker repeats itself", async () => {
    let answers = 0;
    const options = await start(
      byRole({
        select: () => json({ item: "letters:a-0", plan: "first plan" }),
        replan: () => json({ choice: "re-plan", plan: "second plan", reason: "it fails" }),
        worker: () => ({ content: `${answers++}` }),
      }),
      { items: await itemsOf("train", 1), attempts: 5, replanAfter: 2 },
    );
    const result = await runHarness({ ...options, roles: { ...options.roles, architect: player() } });
    const choices = only(await events(result.run), "architect_decided").map(({ choice, plan }) => [choice, plan]);
    expect(choices).toEqual([
      ["select", "first plan"],
      ["re-plan", "second plan"],
      ["re-plan", "second plan"],
    ]);
    await model.close();
    const repeating = await start(
      byRole({
        select: () => json({ item: "letters:a-0" }),
        replan: () => json({ choice: "continue" }),
        worker: () => WRONG,
      }),
      {
        items: await itemsOf("train", 1),
        attempts: 3,
        replanAfter: 9,
      },
    );
    const repeated = await runHarness({ ...repeating, roles: { ...repeating.roles, architect: player() } });
    expect(only(await events(repeated.run), "architect_decided").map(({ choice }) => choice)).toEqual([
      "select",
      "continue",
    ]);
  });

  it.each([
    ["escalate", "unsolved"],
    ["skip", "skipped"],
  ])("ends an item by %s, which leaves it %s", async (choice, state) => {
    const options = await start(
      byRole({
        select: () => ({ content: "" }),
        replan: () => json({ choice, reason: "no use" }),
        worker: () => WRONG,
      }),
      { items: await itemsOf("train", 2), attempts: 6, replanAfter: 1 },
    );
    const result = await runHarness({ ...options, roles: { ...options.roles, architect: player() } });
    expect(only(await events(result.run), "item_finished")).toEqual([
      { item: "letters:a-0", state, attempts: 1, passed: 0, reason: "architect" },
      { item: "letters:b-0", state, attempts: 1, passed: 0, reason: "architect" },
    ]);
    expect(result.isComplete).toBe(true);
  });

  it("asks in turns that are no attempts in the lake", async () => {
    const options = await start(
      byRole({ select: () => ({ content: "" }), worker: () => ({ content: EVERY_LETTER }) }),
      {
        items: await itemsOf("train", 3),
        attempts: 1,
      },
    );
    await runHarness({ ...options, roles: { ...options.roles, architect: player() } });
    const lake = await openLake(home);
    const [row] = await lake.query("SELECT count(*)::INTEGER AS n FROM letters.attempts", {});
    lake.close();
    expect(row).toEqual({ n: 3 });
  });
});

describe("an architect whose endpoint goes away", () => {
  it("stops the run, which goes on from there when it is back", async () => {
    let isAway = false;
    const options = await start(
      (request) => {
        if (isAway && roleOf(request) === "select") return { status: 503, body: "down" };
        return byRole({
          worker: () => ({ content: EVERY_LETTER }),
          select: () => json({ item: "letters:c-0", plan: null }),
        })(request);
      },
      { items: await itemsOf("train", 4), attempts: 1, patience: { timeoutMs: 400, tries: 2, backoffMs: 1 } },
    );
    const roles = { ...options.roles, architect: player() };
    const onProgress = ({ attempts }: { attempts: number }) => {
      isAway = attempts === 2;
    };
    const stopped = await runHarness({ ...options, roles, onProgress });
    expect(stopped).toMatchObject({ isComplete: false, stoppedBy: "outage", attempts: 2 });
    isAway = false;
    const resumed = await runHarness({ ...options, roles, resume: stopped.run });
    expect(resumed).toMatchObject({ isComplete: true, solved: 4, attempts: 4 });
  });
});

describe("a model that plays the auditor", () => {
  it("gives its opinion of what passed as a judgment that never decides", async () => {
    const options = await start(
      byRole({
        worker: () => ({ content: EVERY_LETTER }),
        auditor: () => json({ rightReason: false, confidence: 1, why: "it wrote all letters" }),
      }),
      { items: await itemsOf("train", 2), attempts: 1 },
    );
    const result = await runHarness({ ...options, roles: { ...options.roles, auditor: player() } });
    const verdicts = only(await events(result.run), "verdict").map(({ verdict }) => verdict);
    expect(verdicts.map(({ signalType, passed }) => [signalType, passed])).toEqual([
      ["judgment", false],
      ["binary", true],
      ["judgment", false],
      ["binary", true],
    ]);
    expect(verdicts[0]).toMatchObject({
      confidence: 0.9,
      failureMode: "wrong-reason",
      evidence: { why: "it wrote all letters" },
    });
    expect(result.passed).toBe(2);
    const lake = await openLake(home);
    const rows = await lake.query("SELECT eval_passed FROM letters.attempts", {});
    lake.close();
    expect(rows).toEqual([{ eval_passed: true }, { eval_passed: true }]);
  });

  it("is not asked about a failure, and says nothing where it is not understood", async () => {
    const options = await start(byRole({ worker: coin, auditor: () => ({ content: "Fine!" }) }), { attempts: 1 });
    const result = await runHarness({ ...options, roles: { ...options.roles, auditor: player() } });
    const seen = await events(result.run);
    expect(result.passed).toBeGreaterThan(0);
    expect(only(seen, "turn").filter(({ role }) => role === "auditor")).toHaveLength(result.passed);
    expect(only(seen, "verdict")).toHaveLength(6);
  });
});

describe("a model that plays the reflector", () => {
  const lessons = {
    tips: [{ type: "Warning", text: "Do not write a zero.", mechanism: "it is no letter", conditions: null }],
  };

  it("writes tips after a failure, which later prompts hold", async () => {
    const options = await start(byRole({ worker: () => WRONG, reflector: () => json(lessons) }), {
      items: await itemsOf("train", 3),
      attempts: 1,
      memory: "grow",
    });
    const result = await runHarness({ ...options, roles: { ...options.roles, reflector: player() } });
    const tips = only(await events(result.run), "tip_saved");
    expect(tips[0]).toMatchObject({
      type: "warning",
      text: "Do not write a zero.",
      mechanism: "it is no letter",
      example: null,
    });
    const last = model.requests.filter((request) => roleOf(request) === "worker").at(-1);
    expect(textOf(last as ChatRequest)).toContain("Do not write a zero.");
  });

  it("is asked about first-try wins and failures, not about later wins", async () => {
    const options = await start(
      byRole({
        worker: ({ messages }) =>
          textOf({ messages } as ChatRequest).includes("It failed") ? { content: EVERY_LETTER } : WRONG,
        reflector: () => json({ tips: [] }),
      }),
      { items: await itemsOf("train", 2), attempts: 2, memory: "grow", showsAttempts: true },
    );
    await runHarness({ ...options, roles: { ...options.roles, reflector: player() } });
    expect(model.requests.filter((request) => roleOf(request) === "reflector")).toHaveLength(2);
  });

  it("teaches nothing by what does not parse, which stays on its turn", async () => {
    const options = await start(
      byRole({ worker: () => WRONG, reflector: () => ({ content: "TIPS: none that I know" }) }),
      {
        items: await itemsOf("train", 1),
        attempts: 1,
        memory: "grow",
      },
    );
    const result = await runHarness({ ...options, roles: { ...options.roles, reflector: player() } });
    const seen = await events(result.run);
    expect(only(seen, "tip_saved")).toEqual([]);
    expect(only(seen, "turn").at(-1)).toMatchObject({ role: "reflector", parseFlags: ["not-understood"] });
    expect(only(seen, "message").map(({ message }) => message.content)).toContain("TIPS: none that I know");
  });
});
