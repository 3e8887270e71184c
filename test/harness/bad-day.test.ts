/** All four roles as models through hundreds of attempts, with an endpoint and an environment that fail in every way. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { hashText } from "../../src/foundation/hashing.ts";
import type { HarnessOptions } from "../../src/harness/harness-options.ts";
import { type RunResult, runHarness } from "../../src/harness/index.ts";
import type { LoggedEvent } from "../../src/records/events.ts";
import { attemptParts } from "../../src/records/ids.ts";
import type { Item } from "../../src/records/item.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { Home } from "../../src/store/home.ts";
import { verifyHome } from "../../src/store/verify.ts";
import {
  type ChatRequest,
  type ScriptedModel,
  type ScriptedReply,
  startScriptedModel,
} from "../fixtures/scripted-model.ts";
import { house } from "./house-skill.ts";
import { byRole, json, textOf } from "./role-models.ts";
import { coin, eventsOf, itemsOf, only, runOptions, temporaryHome } from "./setting.ts";

type Player = (request: ChatRequest) => ScriptedReply;

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

/** Now and then fails in each way that an endpoint has, and else answers as `good` does. */
function onABadDay(good: Player): Player {
  let calls = 0;
  return (request) => {
    calls++;
    if (calls === 150) return "hang";
    if (calls % 101 === 0) return "close";
    if (calls % 43 === 0) return { status: 400, body: '{"error":{"message":"too long"}}' };
    if (calls % 31 === 0) return { content: '{"item": ', finish_reason: "length" };
    if (calls % 29 === 0) return { status: 200, body: "{ not json" };
    if (calls % 23 === 0) return { content: "I cannot help with that." };
    if (calls % 17 === 0) return { status: 503, body: "busy", headers: { "retry-after": "0" } };
    return good(request);
  };
}

/** Draws from what was asked, so that the same question gets the same answer. */
function drawn(request: ChatRequest, sides: number): number {
  return Number.parseInt(hashText(textOf(request)).slice(0, 8), 16) % sides;
}

const CHOICES = ["continue", "re-plan", "escalate", "skip", "re-plan"];

const strongModel = (worker: Player): Player =>
  byRole({
    select: ({ messages }) =>
      json({ item: /(letters|house):[\w-]+/.exec(messages.at(-1)?.content ?? "")?.[0], plan: "try" }),
    replan: (request) =>
      json({ choice: CHOICES[drawn(request, CHOICES.length)], plan: "another way", reason: "it failed" }),
    auditor: (request) => json({ rightReason: drawn(request, 3) > 0, confidence: 0.7, why: null }),
    reflector: (request) => json({ tips: [{ type: "strategy", text: `lesson ${drawn(request, 50)}` }] }),
    worker,
  });

async function allRoles(changes: Partial<HarnessOptions>): Promise<HarnessOptions> {
  const usual = await runOptions(
    { home, url: model.url },
    {
      ...{ attempts: 6, enough: 2, memory: "grow", tipDropout: 0.3, showsAttempts: true, replanAfter: 2 },
      ...{ patience: { timeoutMs: 2000, tries: 4, backoffMs: 1 }, ...changes },
    },
  );
  const player = { url: model.url, model: "scripted", name: "scripted", baseHash: null, adapterHash: null };
  return { ...usual, roles: { worker: player, architect: player, auditor: player, reflector: player } };
}

/** What must hold of a finished run, whatever happened in it. Returns what was met. */
function metIn(events: LoggedEvent[], items: readonly Item[]) {
  const finished = only(events, "item_finished");
  expect(finished.map(({ item }) => item).toSorted()).toEqual(items.map(({ item }) => item).toSorted());
  const turns = only(events, "turn").map(({ turn }) => turn);
  expect(new Set(turns).size).toBe(turns.length);
  const deciding = only(events, "verdict").filter(({ verdict }) => verdict.signalType !== "judgment");
  const judged = new Set(deciding.map(({ attempt }) => attempt));
  for (const { item, attempts } of finished) {
    const numbers = [...judged].map((attempt) => attemptParts(attempt)).filter((parts) => parts.item === item);
    expect(numbers.length).toBe(attempts);
  }
  return {
    attempts: judged.size,
    choices: new Set(only(events, "architect_decided").map(({ choice }) => choice)),
    states: new Set(finished.map(({ state }) => state)),
    failures: new Set(only(events, "failure").map(({ code }) => code)),
    flags: new Set(only(events, "verdict").flatMap(({ verdict }) => verdict.flags)),
    signals: new Set(only(events, "verdict").map(({ verdict }) => verdict.signalType)),
    fallbacks: only(events, "architect_decided").filter(({ isFallback }) => isFallback).length,
    tips: only(events, "tip_saved").length,
  };
}

it("ends every item, whatever the endpoint does, by every branch of every role", async () => {
  model = await startScriptedModel({ replies: onABadDay(strongModel(coin)) });
  const items = await itemsOf("train", 130);
  const result = await runHarness(await allRoles({ items, concurrency: 4 }));
  expect(result).toMatchObject({ isComplete: true, items: items.length });
  const met = metIn(await eventsOf(home, result.run), items);
  expect(met.attempts).toBeGreaterThanOrEqual(200);
  expect(met.choices).toEqual(new Set(["select", "continue", "re-plan", "escalate", "skip"]));
  expect(met.states).toEqual(new Set(["solved", "unsolved", "skipped"]));
  expect(met.failures).toEqual(new Set(["HTTP_503", "HTTP_400", "MALFORMED_ANSWER", "CONNECTION", "TIMEOUT"]));
  expect(met.signals).toEqual(new Set(["binary", "judgment"]));
  expect(met.fallbacks).toBeGreaterThan(0);
  expect(met.tips).toBeGreaterThan(0);
  expect(await verifyHome(home)).toMatchObject({ isSound: true });
});

it("pauses where the environment breaks, and after resuming ends every item, the deferred ones too", async () => {
  const rooms = Array.from({ length: 120 }, (_, i) => `room-${i}`);
  let checks = 0;
  const painted = house({
    rooms,
    slowRooms: rooms.filter((_, i) => i % 9 === 0),
    fadingRooms: rooms.filter((_, i) => i % 18 === 0),
    waitsFor: (item, open) => item.item === "house:room-1" && open.some((one) => one.item === "house:room-2"),
    brokenRestores: [40, 90],
    complaint: () => (++checks % 97 === 0 ? "the roof is off" : null),
  });
  const colours = ["red", "blue", "red", "", "green"];
  model = await startScriptedModel({
    replies: onABadDay(strongModel((request) => ({ content: colours[drawn(request, colours.length)] ?? "" }))),
  });
  const items = (await painted.skill.items({ seed: 1 })).map((draft): Item => ({ ...draft, split: "train" }));
  const skill = { skill: painted.skill, skillHash: hashText("house") };
  const options = await allRoles({ ...skill, items, mode: "progress", concurrency: 1 });
  const results: RunResult[] = [await runHarness(options)];
  while (results.at(-1)?.isComplete === false && results.length < 20) {
    results.push(await runHarness({ ...options, resume: results[0]?.run as RunResult["run"] }));
  }
  expect(results.length).toBeGreaterThan(1);
  expect(results.at(-1)).toMatchObject({ isComplete: true, items: rooms.length });
  const events = await eventsOf(home, results[0]?.run as RunResult["run"]);
  const met = metIn(events, items);
  expect(met.attempts).toBeGreaterThanOrEqual(200);
  expect(met.failures).toContain("ENVIRONMENT_BROKEN");
  expect(met.flags).toContain("environment-suspect");
  expect(met.states).toEqual(new Set(["solved", "unsolved", "skipped"]));
  const deferred = wetAttempts(events);
  expect(deferred.settled).toBeGreaterThan(0);
  expect(deferred.left).toEqual([]);
  expect(painted.events).toContain("settle");
  const order = only(events, "item_finished").map(({ item }) => item as string);
  expect(order.indexOf("house:room-2")).toBeLessThan(order.indexOf("house:room-1"));
  expect(await verifyHome(home)).toMatchObject({ isSound: true });
});

/**
 * Attempts that waited for the house to be aired: how many got their later verdict, and which did not. One whose state
 * could not be kept, as the environment broke just then, is suspect and does not wait.
 */
function wetAttempts(events: LoggedEvent[]): { settled: number; left: string[] } {
  const seen = new Map<string, Verdict[]>();
  for (const { attempt, verdict } of only(events, "verdict")) {
    if (verdict.signalType !== "judgment") seen.set(attempt, [...(seen.get(attempt) ?? []), verdict]);
  }
  const wet = [...seen].filter(([, verdicts]) => verdicts.some(({ failureMode }) => failureMode === "still-wet"));
  const left = wet.filter(([, verdicts]) => verdicts.at(-1)?.failureMode === "still-wet");
  const waiting = left.filter(([, verdicts]) => !verdicts.at(-1)?.flags.includes("environment-suspect"));
  return { settled: wet.length - left.length, left: waiting.map(([attempt]) => attempt) };
}
