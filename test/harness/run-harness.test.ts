import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fairTurns } from "../../src/foundation/fair-turns.ts";
import { runHarness } from "../../src/harness/index.ts";
import { attemptId } from "../../src/records/ids.ts";
import type { Skill } from "../../src/skills/contract.ts";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type ScriptedModel, type ScriptedReply, startScriptedModel } from "../fixtures/scripted-model.ts";
import letters from "../fixtures/skills/letters/skill.ts";
import { coin, eventsOf, itemsOf, only, runOptions, temporaryHome } from "./setting.ts";

const EVERY_LETTER = "abcdefghijklmnopqrstuvwxyz";

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

async function scripted(replies: ScriptedReply[] | typeof coin): Promise<{ home: Home; url: string }> {
  model = await startScriptedModel({ replies });
  return { home, url: model.url };
}

describe("a run", () => {
  it("gives every attempt one turn, one verdict, and every item an end state, and is sealed", async () => {
    const result = await runHarness(await runOptions(await scripted(coin)));
    const events = await eventsOf(home, result.run);
    expect(result).toMatchObject({ items: 6, attempts: 12, failures: 0, isComplete: true, stoppedBy: null });
    expect(new Set(only(events, "turn").map((t) => t.attempt)).size).toBe(12);
    expect(new Set(only(events, "verdict").map((v) => v.attempt)).size).toBe(12);
    expect(only(events, "verdict").filter((v) => v.verdict.passed)).toHaveLength(result.passed);
    expect(only(events, "item_finished")).toHaveLength(6);
    expect(only(events, "item_finished").filter((i) => i.state === "solved")).toHaveLength(result.solved);
    expect(events.at(-1)).toMatchObject({
      type: "run_finished",
      data: { items: 6, attempts: 12, passed: result.passed, failures: 0 },
    });
    expect(await listRuns(home)).toMatchObject([{ run: result.run, isSealed: true, head: result.head }]);
  });

  it("is refused before it has a log where its items are more than one line holds", async () => {
    const [item] = await itemsOf("train", 1);
    const many = Array.from({ length: 3 }, (_, n) => ({ ...item, item: `letters:${n}`, task: "a".repeat(25e6) }));
    const options = await runOptions(await scripted([]), { items: many as never });
    const details = expect.objectContaining({ got: expect.stringMatching(/^3 items with 7500\d{4} bytes$/) });
    await expect(runHarness(options)).rejects.toMatchObject({ code: "TOO_MANY_ITEMS", details });
    expect(await listRuns(home)).toEqual([]);
  });

  it("records a turn as it went over the wire", async () => {
    const usual = await runOptions(await scripted([{ content: "an a", reasoning: "because", refusal: null }]));
    const result = await runHarness({ ...usual, items: await itemsOf("train", 1), attempts: 1 });
    const events = await eventsOf(home, result.run);
    const [turn] = only(events, "turn");
    const messages = only(events, "message");
    expect(messages.map((m) => m.message)).toEqual([
      { role: "user", content: "Write a text with the letter a, version 0." },
      { role: "assistant", content: "an a", reasoning: "because" },
    ]);
    expect(turn).toMatchObject({
      messages: [messages[0]?.hash],
      response: messages[1]?.hash,
      finishReason: "stop",
      usage: { promptTokens: 42, completionTokens: 4 },
      request: { model: "scripted", temperature: 0.8, top_p: 0.95, max_tokens: 20, seed: model.requests[0]?.seed },
      modelAnswered: "scripted",
      parseFlags: [],
    });
  });

  it("has the turn in its log before the action begins", async () => {
    const seen: boolean[] = [];
    const watching: Skill = {
      ...letters,
      async open(item, place) {
        const workspace = await letters.open(item, place);
        return {
          ...workspace,
          async act(call) {
            const [summary] = await listRuns(home);
            const log = readFileSync(home.runLog(summary?.run ?? ""), "utf8");
            seen.push(log.includes(`"turn":"${summary?.run}/${item.item}/1#1"`));
            return workspace.act(call);
          },
        };
      },
    };
    await runHarness({ ...(await runOptions(await scripted(coin))), skill: watching, attempts: 1 });
    expect(seen).toEqual(Array(6).fill(true));
  });

  it("ends an item once it has passed often enough", async () => {
    const options = await runOptions(await scripted(() => ({ content: EVERY_LETTER })), {
      attempts: 5,
      enough: 2,
      concurrency: 1,
    });
    const result = await runHarness(options);
    expect(result).toMatchObject({ attempts: 12, passed: 12, solved: 6, isComplete: true });
    expect(only(await eventsOf(home, result.run), "item_finished")).toEqual(
      options.items.map(({ item }) => ({ item, state: "solved", attempts: 2, passed: 2 })),
    );
  });

  it("sends the same requests and gives the same verdicts at any concurrency", async () => {
    async function outcomeAt(concurrency: number) {
      const setting = await scripted((request) => ({ ...coin(request), delayMs: 3 }));
      const items = await itemsOf("train", 20);
      const result = await runHarness(await runOptions(setting, { concurrency, items, attempts: 3, enough: 2 }));
      const verdicts = only(await eventsOf(home, result.run), "verdict");
      const requests = model.requests.map((r) => JSON.stringify(r)).sort();
      const named = verdicts.map(({ attempt, verdict }) => JSON.stringify([attempt.slice(result.run.length), verdict]));
      const { mostAtOnce } = model;
      await model.close();
      return { requests, verdicts: named.sort(), mostAtOnce };
    }
    const one = await outcomeAt(1);
    const eight = await outcomeAt(8);
    expect(one.mostAtOnce).toBe(1);
    expect(eight.mostAtOnce).toBeGreaterThan(1);
    expect(eight.mostAtOnce).toBeLessThanOrEqual(8);
    expect(eight.requests).toEqual(one.requests);
    expect(eight.verdicts).toEqual(one.verdicts);
  });

  it("asks no more at once than there are turns for calls, while attempts beside them wait", async () => {
    const setting = await scripted((request) => ({ ...coin(request), delayMs: 3 }));
    let open = 0;
    let mostOpen = 0;
    const counting: Skill = {
      ...letters,
      async open(item, place) {
        mostOpen = Math.max(mostOpen, ++open);
        const workspace = await letters.open(item, place);
        return { ...workspace, close: () => workspace.close().finally(() => open--) };
      },
    };
    const changes = { concurrency: 5, items: await itemsOf("train", 12), callTurn: fairTurns(2)(), attempts: 1 };
    const result = await runHarness({ ...(await runOptions(setting, changes)), skill: counting });
    expect(result).toMatchObject({ attempts: 12, isComplete: true });
    expect([model.mostAtOnce, mostOpen]).toEqual([2, 5]);
  });

  it("attempts depth first under scan-order and breadth first under sweeps", async () => {
    async function orderUnder(rule: string) {
      const usual = await runOptions(await scripted(coin), { items: await itemsOf("train", 3), concurrency: 1 });
      await runHarness({ ...usual, roles: { ...usual.roles, architect: { rule } } });
      const order = model.requests.map((r) => /letter (\w)/.exec(r.messages[0]?.content ?? "")?.[1]);
      await model.close();
      return order.join("");
    }
    expect(await orderUnder("scan-order")).toBe("aabbcc");
    expect(await orderUnder("sweeps")).toBe("abcabc");
  });

  it("gives an answer without an action its verdict and marks the turn", async () => {
    const setting = await scripted([{ content: "", finish_reason: "length" }]);
    const result = await runHarness(await runOptions(setting, { items: await itemsOf("train", 1), attempts: 1 }));
    const events = await eventsOf(home, result.run);
    expect(only(events, "turn")[0]?.parseFlags).toEqual(["empty", "cut-at-max-tokens", "no-action"]);
    expect(only(events, "action")).toEqual([]);
    expect(only(events, "verdict")[0]?.verdict).toMatchObject({ passed: false, failureMode: "no-text" });
  });

  it("records what a skill throws as the workspace's failure and goes on", async () => {
    const fragile: Skill = {
      ...letters,
      open: async (item, place) => {
        if (item.item === "letters:b-0") throw new Error("the disk of the sandbox is gone");
        return letters.open(item, place);
      },
    };
    const result = await runHarness({ ...(await runOptions(await scripted(coin))), skill: fragile });
    const events = await eventsOf(home, result.run);
    expect(result).toMatchObject({ attempts: 10, failures: 2, isComplete: true });
    expect(only(events, "failure")[0]).toEqual({
      boundary: "workspace",
      code: "WORKSPACE_FAILED",
      message: "the disk of the sandbox is gone",
      attempt: attemptId(result.run, "letters:b-0" as never, 1),
    });
    expect(only(events, "item_finished").find((i) => i.item === "letters:b-0")).toMatchObject({ state: "failed" });
  });
});

describe("before any log is made, a run is refused", () => {
  async function refusalOf(changes: Parameters<typeof runOptions>[1]): Promise<unknown> {
    const options = await runOptions(await scripted(coin), changes);
    const refusal = await runHarness(options).catch((error: unknown) => error);
    expect(await listRuns(home)).toEqual([]);
    return refusal;
  }

  it("where the endpoint is down", async () => {
    const worker = { url: "http://127.0.0.1:1/v1", model: "m", name: "m", baseHash: null, adapterHash: null };
    const refusal = await refusalOf({ roles: { worker } });
    expect(refusal).toMatchObject({ code: "ENDPOINT_DOWN", details: { where: "http://127.0.0.1:1/v1/models" } });
  });

  it("where the endpoint does not serve the model", async () => {
    const { url } = await scripted(coin);
    const worker = { url, model: "scripte", name: "scripte", baseHash: null, adapterHash: null };
    expect(await refusalOf({ roles: { worker } })).toMatchObject({
      code: "UNKNOWN_MODEL",
      details: { fix: 'did you mean "scripted"?' },
    });
  });

  it("where a held-out run would learn", async () => {
    expect(await refusalOf({ split: "test", memory: "grow" })).toMatchObject({ code: "MEMORY_MUST_BE_FROZEN" });
    expect(await refusalOf({ split: "validation", memory: "grow" })).toMatchObject({ code: "MEMORY_MUST_BE_FROZEN" });
  });

  it("as a bug where its items are of another split or come twice", async () => {
    const [item, ...items] = await itemsOf("train", 2);
    expect(String(await refusalOf({ split: "test", items }))).toContain(
      "Bug: items that are not all of the test split",
    );
    expect(String(await refusalOf({ items: [item, item] as never }))).toContain("Bug: an item that comes twice");
  });

  it("where a rule is not known for its role", async () => {
    const { roles } = await runOptions({ home, url: "" });
    expect(await refusalOf({ roles: { ...roles, architect: { rule: "scan-oder" } } })).toMatchObject({
      code: "UNKNOWN_ARCHITECT_RULE",
      details: { expected: "one of: promising, scan-order, sweeps", fix: 'did you mean "scan-order"?' },
    });
    expect(await refusalOf({ roles: { ...roles, reflector: { rule: "sweeps" } } })).toMatchObject({
      code: "UNKNOWN_REFLECTOR_RULE",
    });
  });
});
