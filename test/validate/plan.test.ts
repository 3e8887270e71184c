import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Hash } from "../../src/foundation/hashing.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import type { Arm, PlanDraft } from "../../src/records/comparison.ts";
import { itemId } from "../../src/records/ids.ts";
import { loadSkill } from "../../src/skills/load.ts";
import { splitOf } from "../../src/skills/splits.ts";
import { begunComparisons, listHeldParts, readMadeDecision } from "../../src/store/comparisons.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger, readLedger } from "../../src/store/ledger.ts";
import { decideBeforehand, refuseOtherPlan, writePlan, writePlanToRefuse } from "../../src/validate/index.ts";
import { withHome, writeSampleRun } from "../store/sample-run.ts";
import { clock, letters, sampleDraft, writeAdapter, writeArm } from "./sample-comparison.ts";

async function goodDraft(home: Home): Promise<PlanDraft> {
  const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
  return sampleDraft(await letters("test", 10), 2, adapter);
}

async function plannedEntries(home: Home): Promise<string[]> {
  const entries: string[] = [];
  for await (const entry of readLedger(home)) entries.push(entry.type);
  return entries.filter((type) => type === "comparison_planned");
}

async function refusesWith(home: Home, draft: PlanDraft, code: string): Promise<void> {
  await expect(writePlan(home, draft, clock)).rejects.toMatchObject({ code });
  expect(existsSync(join(home.path, "comparisons"))).toBe(false);
  expect(await plannedEntries(home)).toEqual([]);
}

test("a plan is on the disk and in the ledger under the hash of its question", async () => {
  await withHome(async (home) => {
    const plan = await writePlan(home, await goodDraft(home), clock);
    const path = join(home.comparisonFolder(plan.comparisonHash), "plan.json");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual(plan);
    expect(plan).toMatchObject({ use: 1, alpha: 0.05, gate: { alpha: 0.1 } });
    expect(await plannedEntries(home)).toHaveLength(1);
  });
});

test("the same question asked again is the same comparison, with its first date", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const first = await writePlan(home, draft, clock);
    expect(await writePlan(home, draft, clock)).toEqual(first);
    expect(await plannedEntries(home)).toHaveLength(1);
    expect((await writePlan(home, { ...draft, seed: 8 }, clock)).comparisonHash).not.toBe(first.comparisonHash);
  });
});

test("a comparison is gone on with by its own plan alone, and what another one says otherwise is named", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    await expect(refuseOtherPlan(home, draft, clock)).rejects.toMatchObject({ code: "NOTHING_TO_RESUME" });
    await writePlan(home, draft, clock);
    await expect(refuseOtherPlan(home, draft, clock)).resolves.toBeUndefined();
    const other = { ...draft, seed: 8, items: draft.items.slice(1) };
    await expect(refuseOtherPlan(home, other, clock)).rejects.toMatchObject({
      code: "OTHER_PLAN",
      details: { got: expect.stringMatching(/^other (items, seed|seed, items)$/) },
    });
    await writePlan(home, other, clock);
    await expect(refuseOtherPlan(home, draft, clock)).resolves.toBeUndefined();
  });
});

test("each candidate on the same items is judged more strictly than the one before", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const plans = [await writePlan(home, draft, clock), await writePlan(home, { ...draft, seed: 8 }, clock)];
    const other = sampleDraft(await letters("test", 10), 1, draft.arms[1]?.adapterHash as Hash);
    const [base, again] = [draft.arms[0] as Arm, { ...(draft.arms[0] as Arm), arm: "base again" }];
    const twice = {
      ...draft,
      purpose: "aa" as const,
      arms: [base, again],
      pairs: [["base", "base again"]] as [string, string][],
    };
    plans.push(await writePlan(home, twice, clock), await writePlan(home, other, clock));
    expect(plans.map(({ use }) => use)).toEqual([1, 2, 1, 3]);
    expect(plans.map(({ alpha }) => alpha)).toEqual([0.1 / 2, 0.1 / 6, 0.1, 0.1 / 12]);
    expect(await writePlan(home, draft, clock)).toEqual(plans[0]);
  });
});

test("a candidate on other items of the same families is one more on them, be they at the side", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const adapter = draft.arms[1]?.adapterHash as Hash;
    expect((await writePlan(home, draft, clock)).use).toBe(1);
    const [families, some] = [await letters("test", 10), await letters("test", 2)];
    const fresh = sampleDraft(families, 4, adapter);
    const items = fresh.items.filter(({ item }) => /-[23]$/.test(item));
    expect(items.some(({ item }) => draft.items.some((one) => one.item === item))).toBe(false);
    expect((await writePlan(home, { ...fresh, items }, clock)).use).toBe(2);
    expect((await writePlan(home, sampleDraft(some, 3, adapter), clock)).use).toBe(3);

    const { skill, split, sampling } = draft;
    const parity = { skill: { ...skill, id: "parity" }, split, sampling, items: await parityItems() };
    const side = { ...parity, ...{ pairs: draft.pairs, arms: draft.arms, seed: 7, gate: draft.gate } };
    expect((await writePlan(home, { ...side, sides: [partOf(draft)] }, clock)).use).toBe(1);
    expect((await writePlan(home, { ...draft, seed: 9 }, clock)).use).toBe(5);
  });
});

/** The entries of a ledger before families stood in it. */
async function forgetFamilies(home: Home): Promise<void> {
  const hashes: Hash[] = [];
  for await (const { type, data } of readLedger(home))
    if (type === "comparison_planned") hashes.push(data.comparisonHash);
  await rm(home.ledger);
  for (const comparisonHash of hashes)
    appendLedger(home, { type: "comparison_planned", data: { comparisonHash } }, clock);
}

test("uses of a test set are counted from the ledger, whatever became of the plans' folders", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    for (const seed of [8, 9, 10]) await writePlan(home, { ...draft, seed }, clock);
    await rm(join(home.path, "comparisons"), { recursive: true });
    expect(await writePlan(home, { ...draft, seed: 11 }, clock)).toMatchObject({ use: 4, alpha: 0.1 / 20 });
    // The first one again is another comparison: its folder is gone, and what was learnt by it is not.
    expect((await writePlan(home, { ...draft, seed: 8 }, clock)).use).toBe(5);
  });
});

test("an entry that does not say its families is told by its plan, and counts as a use where that is gone", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const { skill, split, sampling, pairs, arms, gate } = draft;
    const other = { skill: { ...skill, id: "parity" }, split, sampling, items: await parityItems() };
    const { comparisonHash } = await writePlan(home, { ...other, pairs, arms, gate, seed: 7 }, clock);
    await writePlan(home, draft, clock);
    await forgetFamilies(home);
    expect((await writePlan(home, { ...draft, seed: 8 }, clock)).use).toBe(2);
    await rm(home.comparisonFolder(comparisonHash), { recursive: true });
    expect((await writePlan(home, { ...draft, seed: 9 }, clock)).use).toBe(4);
  });
});

async function parityItems(): Promise<PlanDraft["items"]> {
  const { manifest } = await loadSkill("parity");
  const names = Array.from({ length: 60 }, (_, n) => `family-${n}`);
  const families = names.filter((name) => splitOf(manifest, name) === "test");
  return families.map((family) => ({ item: itemId("parity", family), family }));
}

const partOf = ({ skill, split, items, sampling }: PlanDraft) => ({ skill, split, items, sampling });

test("candidates that are planned at once are counted one after the other", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const plans = await Promise.all([8, 9, 10].map((seed) => writePlan(home, { ...draft, seed }, clock)));
    expect(plans.map(({ use }) => use).sort()).toEqual([1, 2, 3]);
  });
});

test("another server, room, agent's time or content of the items makes another comparison", async () => {
  await withHome(async (home) => {
    const draft = { ...(await goodDraft(home)), contentHash: hashText("items") };
    const serving = { target: "vllm", args: ["--enforce-eager"], contextTokens: 2048 };
    const first = await writePlan(home, { ...draft, serving }, clock);
    const others: PlanDraft[] = [
      { ...draft, serving: { ...serving, target: "llamacpp" } },
      { ...draft, serving: { ...serving, args: [] } },
      { ...draft, serving: { ...serving, contextTokens: 4096 } },
      { ...draft, serving, agentTimeoutMs: 1000 },
      { ...draft, serving, contentHash: hashText("other items") },
    ];
    const hashes = new Set([first.comparisonHash]);
    for (const other of others) hashes.add((await writePlan(home, other, clock)).comparisonHash);
    expect(hashes.size).toBe(6);
    expect(await writePlan(home, { ...draft, serving }, clock)).toEqual(first);
  });
});

test("a comparison that was refused is planned anew once nothing stands against it, and refused once at a time", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const found = { taint: ["was trained on what is revoked: the run 1 (it was bad)"], leaks: [] };
    const refused = await writePlanToRefuse(home, draft, clock);
    const decision = await decideBeforehand(home, refused.comparisonHash, { found, clock });
    expect(decision.reasons.at(-1)).toContain("the same command plans the comparison anew");
    expect(await writePlanToRefuse(home, draft, clock)).toEqual(refused);

    const anew = await writePlan(home, draft, clock);
    expect(anew).toMatchObject({ refusedBefore: refused.comparisonHash, use: 1 });
    expect(anew.comparisonHash).not.toBe(refused.comparisonHash);
    expect(await readMadeDecision(home, anew.comparisonHash)).toBeNull();
    expect(await writePlan(home, draft, clock)).toEqual(anew);

    await decideBeforehand(home, anew.comparisonHash, { found, clock });
    const third = await writePlan(home, draft, clock);
    expect(third).toMatchObject({ refusedBefore: anew.comparisonHash, use: 1 });
  });
});

test("a comparison that is refused once its arms were begun stays a use of its items, and is asked anew as the next one", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const found = { taint: ["was trained on what is revoked: the run 1 (it was bad)"], leaks: [] };
    const begun = await writePlan(home, draft, clock);
    await writeArm(home, begun, { arm: "candidate", number: 1, outcome: () => ({ passed: true }), isOpen: true });
    expect(await writePlanToRefuse(home, draft, clock)).toEqual(begun);
    const { reasons } = await decideBeforehand(home, begun.comparisonHash, { found, clock });
    expect(reasons.join()).toContain("Its arms were begun");
    expect(reasons.join()).not.toContain("no arm was run");

    expect(await writePlan(home, { ...draft, seed: 8 }, clock)).toMatchObject({ use: 2, alpha: 0.1 / 6 });
    expect((await listHeldParts(home)).map(({ comparisonHash }) => comparisonHash)).toContain(begun.comparisonHash);
    expect(await writePlan(home, draft, clock)).toMatchObject({ refusedBefore: begun.comparisonHash, use: 3 });
  });
});

test("what the ledger says was measured of a comparison counts, whatever became of its logs", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const { comparisonHash } = await writePlan(home, draft, clock);
    const proven = { comparisonHash, runs: [], generalHash: null };
    appendLedger(home, { type: "arms_proven", data: proven }, clock);
    expect(await begunComparisons(home)).toEqual(new Set());
    appendLedger(home, { type: "arms_proven", data: { ...proven, generalHash: hashText("figures") } }, clock);
    expect(await begunComparisons(home)).toEqual(new Set([comparisonHash]));
  });
});

test("tips of a family that the arm would be judged on are refused", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const source = await writeSampleRun(home, { skill: "letters", passFraction: 1, items: 6, families: 6 });
    const { manifest } = await loadSkill("letters");
    const family = Array.from({ length: 6 }, (_, n) => `family-${n}`).find(
      (name) => splitOf(manifest, name) === "test",
    );
    const items = [...draft.items, { item: itemId("letters", `${family}-0`), family: family as string }];
    const arms = draft.arms.map((arm) => ({ ...arm, memory: "frozen" as const, tipRuns: [source] }));
    await refusesWith(home, { ...draft, arms, items }, "LEAKED_FAMILY");
    await expect(writePlan(home, { ...draft, arms }, clock)).resolves.toMatchObject({ arms });
  });
});

test("an item of another split is refused", async () => {
  await withHome(async (home) => {
    const draft = await goodDraft(home);
    const [family] = await letters("validation", 1);
    const stray = { item: itemId("letters", `${family}-0`), family: family as string };
    await refusesWith(home, { ...draft, items: [...draft.items, stray] }, "ITEM_OF_ANOTHER_SPLIT");
  });
});

test("an adapter of another base is refused", async () => {
  await withHome(async (home) => {
    const adapter = await writeAdapter(home, { trainedOn: [], baseHash: hashText("base:other") });
    await refusesWith(home, sampleDraft(await letters("test", 10), 2, adapter), "ADAPTER_OF_ANOTHER_BASE");
  });
});

test("items of a single family are refused", async () => {
  await withHome(async (home) => {
    const adapter = await writeAdapter(home, { trainedOn: [] });
    await refusesWith(home, sampleDraft(await letters("test", 1), 5, adapter), "TOO_FEW_FAMILIES");
  });
});

test("a first pair without an adapter is refused", async () => {
  await withHome(async (home) => {
    await refusesWith(home, { ...(await goodDraft(home)), pairs: [["candidate", "base"]] }, "NO_CANDIDATE");
  });
});
