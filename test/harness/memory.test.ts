import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { type HarnessOptions, type RunResult, runHarness } from "../../src/harness/index.ts";
import { newRunId } from "../../src/records/ids.ts";
import type { Item } from "../../src/records/item.ts";
import type { Home } from "../../src/store/home.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { sealRun } from "../../src/store/runs.ts";
import { type ChatRequest, type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import { eventsOf, itemsOf, only, runOptions, temporaryHome, tipAbout } from "./setting.ts";

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  model = await startScriptedModel({ replies: (request) => ({ content: solutionOf(request) }) });
});

afterEach(async () => {
  await model.close();
  remove();
});

/** A right answer that is the same for the same item and unlike that of any other. */
function solutionOf({ messages }: ChatRequest): string {
  const task = messages.at(-1)?.content.split("Write a text").at(-1) ?? "";
  const words = hashText(task).replaceAll(/\d/g, (digit) => "ghijklmnop"[Number(digit)] ?? "");
  return `abcdefghijklmnopqrstuvwxyz ${words.match(/.{4}/g)?.join(" ")}`;
}

async function run(changes: Partial<HarnessOptions>): Promise<RunResult> {
  const usual = await runOptions({ home, url: model.url }, { concurrency: 1, attempts: 1 });
  return runHarness({ ...usual, ...changes });
}

describe("a run that grows its memory", () => {
  it("renders each saved tip into the very next prompts of other items", async () => {
    const { run: id, tips } = await run({ memory: "grow", attempts: 2 });
    const events = await eventsOf(home, id);
    const saved = only(events, "tip_saved");
    expect(tips).toBe(6); // the same solution of the same item is kept once
    expect(saved.map((tip) => tip.source.item)).toEqual((await itemsOf("train", 6)).map(({ item }) => item));
    expect(saved[0]).toMatchObject({
      type: "strategy",
      text: expect.stringMatching(/^Write a text with the letter a, version 0.\n\nabcdef/),
    });
    const turns = only(events, "turn");
    expect(turns.map((t) => t.retrievals.length)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3]);
    for (const turn of turns) {
      const own = saved.filter((tip) => turn.attempt.includes(tip.source.item)).map((tip) => tip.tip);
      expect(turn.retrievals.map((r) => r.tip)).not.toContain(own[0]);
      const rendered = turn.retrievals.filter((r) => r.isRendered).map((r) => r.tip);
      expect(turn.tipSpans.map((s) => s.tip)).toEqual(rendered.reverse().flatMap((tip) => [tip, tip]));
    }
    expect(model.requests[2]?.messages.slice(0, -1)).toEqual(saved[0]?.example);
  });

  it("merges at its end what it learnt twice, in its own log, and later runs read the older tip alone", async () => {
    const items = (await itemsOf("train", 78)).filter(({ family }) => family === "a" || family === "b");
    await model.close();
    model = await startScriptedModel({ replies: () => ({ content: "ab" }) });
    const { run: id, head, tips, merged } = await run({ memory: "grow", items });
    const events = await eventsOf(home, id);
    const saved = only(events, "tip_saved").map(({ tip }) => tip);
    expect({ saved: saved.length, tips, merged }).toEqual({ saved: 6, tips: 3, merged: 3 });
    expect(only(events, "tip_retired")).toEqual(
      [0, 2, 4].map((place) => {
        const [older, newer] = saved.slice(place, place + 2);
        return { tip: newer, reason: `merged into ${older}`, mergedInto: older };
      }),
    );
    expect(events.at(-1)?.type).toBe("run_finished");
    expect(await run({ memory: "grow", items, resume: id })).toMatchObject({ tips: 3, merged: 0 });
    const later = await run({ memory: "frozen", tipRuns: [{ run: id, head }], items: await itemsOf("train", 3) });
    const read = only(await eventsOf(home, later.run), "turn").flatMap(({ retrievals }) => retrievals);
    const kept = [saved[0], saved[2], saved[4]];
    expect(read.length).toBeGreaterThan(0);
    expect(read.every(({ tip }) => kept.includes(tip))).toBe(true);
  });

  it("merged into an earlier run's tips, is whole for who reads it alone and says nothing twice beside that run", async () => {
    const items = (await itemsOf("train", 78)).slice(0, 4);
    const first = await run({ memory: "grow", items });
    const second = await run({ memory: "grow", items, tipRuns: [{ run: first.run, head: first.head }] });
    expect({ first: first.tips, second: second.tips, merged: second.merged }).toEqual({
      first: 4,
      second: 4,
      merged: 4,
    });
    const [firstTips, secondTips] = await Promise.all(
      [first, second].map(async (grown) => only(await eventsOf(home, grown.run), "tip_saved").map(({ tip }) => tip)),
    );
    const others = (await itemsOf("train", 78)).slice(4, 30);
    async function readBy(...grown: RunResult[]) {
      const tipRuns = grown.map(({ run, head }) => ({ run, head }));
      const reader = await run({ memory: "frozen", tipRuns, items: others });
      const turns = only(await eventsOf(home, reader.run), "turn");
      return [...new Set(turns.flatMap(({ retrievals }) => retrievals.map(({ tip }) => tip)))].sort();
    }
    expect(await readBy(second)).toEqual(secondTips?.toSorted());
    expect(await readBy(first, second)).toEqual(firstTips?.toSorted());
  });

  it("has its tips again after it was interrupted", async () => {
    const interruption = new AbortController();
    const onProgress = ({ attempts }: { attempts: number }) => attempts >= 3 && interruption.abort();
    const stopped = await run({ memory: "grow", signal: interruption.signal, onProgress });
    expect(stopped).toMatchObject({ tips: 3, isComplete: false });
    expect(await run({ memory: "grow", resume: stopped.run })).toMatchObject({ tips: 6, isComplete: true });
    const turns = only(await eventsOf(home, stopped.run), "turn");
    expect(turns.map((t) => t.retrievals.length)).toEqual([0, 1, 2, 3, 3, 3]);
  });

  it("starts with the skill's own solved items where that is asked for, also after it was interrupted", async () => {
    const { skill, items } = await runOptions({ home, url: model.url });
    const call = { name: "write", arguments: { text: "abc" } };
    const started = {
      ...skill,
      starters: (given: readonly Item[]) => given.slice(0, 2).map((item) => ({ item, call })),
    };
    const interruption = new AbortController();
    const onOpen = async () => interruption.abort();
    const options = { memory: "grow", starters: true, skill: started } as const;
    const stopped = await run({ ...options, signal: interruption.signal, onOpen });
    expect(stopped).toMatchObject({ tips: 2, attempts: 0 });
    const done = await run({ ...options, resume: stopped.run });
    const saved = only(await eventsOf(home, done.run), "tip_saved");
    expect(saved.slice(0, 2).map(({ source }) => source)).toEqual(
      items.slice(0, 2).map(({ item }) => ({ run: done.run, item, attempt: null })),
    );
    expect(saved.filter(({ source }) => source.attempt === null)).toHaveLength(2);
    expect(new Set(saved.map(({ tip }) => tip)).size).toBe(saved.length);
  });

  it("learns nothing under the rule none", async () => {
    const { roles } = await runOptions({ home, url: model.url });
    expect(await run({ memory: "grow", roles: { ...roles, reflector: { rule: "none" } } })).toMatchObject({ tips: 0 });
  });
});

describe("a held-out run", () => {
  it.each(["validation", "test"] as const)(
    "of the %s split reads the tips of a train run and writes none",
    async (split) => {
      const trained = await run({ memory: "grow" });
      const items = (await itemsOf(split, 9)).slice(6);
      const tipRuns = [{ run: trained.run, head: trained.head }];
      const { run: id } = await run({ split, items, memory: "frozen", tipRuns });
      const events = await eventsOf(home, id);
      expect(only(events, "tip_saved")).toEqual([]);
      expect(only(events, "turn").map((t) => t.retrievals.length)).toEqual([3, 3, 3]);
      expect(only(events, "run_started")[0]).toMatchObject({ memory: "frozen", tipRuns });
    },
  );

  it("renders nothing without memory, and says so where it was given tips", async () => {
    const trained = await run({ memory: "grow" });
    const plain = await run({ split: "test", items: await itemsOf("test", 2), memory: "none" });
    expect(only(await eventsOf(home, plain.run), "turn").map((t) => t.tipSpans)).toEqual([[], []]);
    const tipRuns = [{ run: trained.run, head: trained.head }];
    await expect(run({ memory: "none", tipRuns })).rejects.toMatchObject({ code: "TIPS_WITHOUT_MEMORY" });
  });
});

describe("the tips of an earlier run", () => {
  it("are left out where their item is not a train item, whatever the log says", async () => {
    const [train] = await itemsOf("train", 1);
    const [, , test] = await itemsOf("test", 3);
    const id = newRunId(systemClock);
    const log = createRunLog(home, { run: id, clock: systemClock });
    const trained = await run({ memory: "grow" });
    log.append(...(await startOf(trained.run)));
    log.append({ type: "items_scanned", data: { items: [train, test] as never } });
    for (const item of [train, test])
      log.append({ type: "tip_saved", data: tipAbout(item?.item ?? "", "Write a text") });
    log.append({ type: "run_finished", data: { items: 2, attempts: 0, passed: 0, failures: 0 } });
    log.close();
    const head = await sealRun(home, id, systemClock);

    const items = (await itemsOf("test", 9)).slice(6);
    const frozen = await run({ split: "test", items, memory: "frozen", tipRuns: [{ run: id, head }] });
    expect(frozen.tips).toBe(1);
    for (const turn of only(await eventsOf(home, frozen.run), "turn")) {
      expect(turn.retrievals.map((r) => r.tip)).toEqual([tipAbout(train?.item ?? "", "").tip]);
    }
  });

  async function startOf(of: RunResult["run"]) {
    const [data] = only(await eventsOf(home, of), "run_started");
    return [{ type: "run_started" as const, data: data as never }] as const;
  }

  it("are refused where the run is unknown, or not sealed at the named head", async () => {
    const trained = await run({ memory: "grow" });
    const unknown = [{ run: "20260101-000000-0000" as never, head: trained.head }];
    await expect(run({ memory: "frozen", tipRuns: unknown })).rejects.toMatchObject({ code: "UNKNOWN_RUN" });
    const changed = [{ run: trained.run, head: "0".repeat(64) as never }];
    await expect(run({ memory: "frozen", tipRuns: changed })).rejects.toMatchObject({ code: "RUN_CHANGED" });
  });
});
