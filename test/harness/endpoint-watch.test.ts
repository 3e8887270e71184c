/** An endpoint that changes what it serves while a run goes on, or while it lies still. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunResult, runHarness } from "../../src/harness/index.ts";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import { coin, eventsOf, itemsOf, only, runOptions, temporaryHome } from "./setting.ts";

/** vLLM's cards: `created` and `permission` are made up for each answer. */
const card = (id: string, rest: Record<string, unknown> = {}) => ({
  id,
  object: "model",
  created: Math.random(),
  permission: [{ id: Math.random() }],
  ...rest,
});

const BASE = { root: "/models/base", parent: null };
const ADAPTER = { root: "/adapters/one", parent: "base" };

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(async () => {
  await model.close();
  remove();
});

const cardsOf = (adapter: object, base: object = BASE) => [card("scripted", { ...adapter }), card("base", { ...base })];

/** Runs 12 attempts at a server whose list is `before`, and `after` once it has answered `calls` of them. */
async function runPast(calls: number, before: object[] | null, after: object[] | null, resume?: RunResult["run"]) {
  let answered = 0;
  model = await startScriptedModel({
    replies: (request) => {
      answered++;
      return coin(request);
    },
    cards: () => (answered < calls ? before : after) as Record<string, unknown>[] | null,
  });
  const options = await runOptions(
    { home, url: model.url },
    { items: await itemsOf("train", 6), attempts: 2, concurrency: 1 },
  );
  return runHarness({ ...options, ...(resume !== undefined && { resume }) });
}

async function theRun() {
  const [run] = await listRuns(home);
  if (run === undefined) throw new Error("no run was begun");
  return { ...run, events: await eventsOf(home, run.run) };
}

describe("a run stops at the next call after its endpoint has changed", () => {
  it.each([
    ["another adapter under the same name", cardsOf({ ...ADAPTER, root: "/adapters/two" }), 'root "/adapters/two"'],
    [
      "another base below it",
      cardsOf(ADAPTER, { ...BASE, root: "/models/new" }),
      'base {"id":"base","parent":null,"root":"/models/new"}',
    ],
    ["the base in its place", cardsOf(BASE), 'root "/models/base", parent null, base none'],
    ["other models", [card("other")], "it serves no such model"],
    ["no list of models any more", null, "it serves no such model"],
  ])("%s", async (_, after, got) => {
    const stopped = await runPast(5, cardsOf(ADAPTER), after).catch((error: unknown) => error);
    expect(stopped).toMatchObject({ code: "SERVED_MODEL_CHANGED", details: { got } });
    expect(model.requests).toHaveLength(5);
    const { run, events, isSealed } = await theRun();
    expect(stopped).toMatchObject({ details: { fix: expect.stringContaining(`--resume ${run}`) } });
    expect(isSealed).toBe(false);
    expect(only(events, "turn")).toHaveLength(5);
    expect(only(events, "failure")).toMatchObject([{ boundary: "endpoint", code: "SERVED_MODEL_CHANGED" }]);
  });
});

describe("a run goes on", () => {
  it("where only what the list makes up anew has changed, and records the rest", async () => {
    expect(await runPast(5, cardsOf(ADAPTER), cardsOf(ADAPTER))).toMatchObject({ isComplete: true, attempts: 12 });
    const { events } = await theRun();
    const served = { id: "scripted", ...ADAPTER, base: { id: "base", ...BASE } };
    expect(only(events, "run_started")[0]?.models.worker).toMatchObject({ served });
  });

  it("unwatched where the server has no list of models, and says so", async () => {
    expect(await runPast(5, null, cardsOf(ADAPTER))).toMatchObject({ isComplete: true, attempts: 12 });
    const { events } = await theRun();
    expect(only(events, "run_started")[0]?.models.worker).toMatchObject({ served: null });
  });
});

describe("a run that is resumed", () => {
  async function stoppedRun() {
    await runPast(5, cardsOf(ADAPTER), null).catch(() => {});
    await model.close();
    return (await theRun()).run;
  }

  it("is refused before its next call where another model is behind the name", async () => {
    const run = await stoppedRun();
    const other = cardsOf({ ...ADAPTER, root: "/adapters/two" });
    const refused = runPast(99, other, other, run);
    await expect(refused).rejects.toMatchObject({
      code: "SERVED_MODEL_CHANGED",
      details: { expected: 'root "/adapters/one"', got: 'root "/adapters/two"' },
    });
    expect(model.requests).toEqual([]);
  });

  it("makes what is left where the model is the one of its start, also at another port", async () => {
    const run = await stoppedRun();
    const result = await runPast(99, cardsOf(ADAPTER), null, run);
    expect(result).toMatchObject({ run, isComplete: true, attempts: 12 });
    expect(model.requests).toHaveLength(7);
  });
});
