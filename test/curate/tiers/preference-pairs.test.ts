import { describe, expect, it } from "vitest";
import type { PairRow } from "../../../src/records/selection.ts";
import type { Verdict } from "../../../src/records/verdict.ts";
import { selectFrom } from "../select-from.ts";
import { type AttemptDraft, plainPrompt, TIP } from "../written-run.ts";

const FAILED: Partial<Verdict> = { passed: false, value: 0, failureMode: "wrong-rows" };
const good = (query: string, more: Partial<AttemptDraft> = {}): AttemptDraft => ({ item: "shop/a", query, ...more });
const bad = (query: string, { flags = [], ...more }: Partial<AttemptDraft> & { flags?: Verdict["flags"] } = {}) =>
  good(query, { verdicts: [{ ...FAILED, flags }], ...more });

const named = (name: string) => Array.from({ length: 60 }, (_, n) => `${name}_${n}`).join(", ");
/** So long that another last word makes a near-duplicate. */
const LONG = `SELECT ${named("column")} FROM t`;
const OTHER = `SELECT ${named("field")} FROM t`;

const pairsOf = (attempts: AttemptDraft[], { maxPerItem = 2, expression = "eval_passed=true" } = {}) =>
  selectFrom([{ attempts }], { tier: "preference-pairs", withBad: true, maxPerItem, expression });
const answers = (pairs: PairRow[]) => pairs.map(({ chosen, rejected }) => [chosen.content, rejected.content]);

describe("a worker pair", () => {
  it("is a verified answer over a clean failure of the same item, and names where both came from", async () => {
    const { pairs, written, refusals } = await pairsOf([bad("SELECT 1"), good("SELECT 2"), { item: "zoo/b" }]);
    expect(answers(pairs)).toEqual([["SELECT 2", "SELECT 1"]]);
    const [first, second] = written[0]?.turns ?? [];
    expect(pairs[0]).toMatchObject({
      kind: "worker-pair",
      prompt: plainPrompt("shop/a"),
      chosenFrom: { turn: second, label: true, reward: 1 },
      rejectedFrom: { turn: first, label: false, reward: 0 },
    });
    expect(refusals).toMatchObject([{ reason: "no-partner", count: 1 }]);
  });

  it.each(["environment-suspect", "evaluator-gap", "conflict", "dirty-exit"] as const)(
    "has no failure that may be the fault of its environment or verifier: %s",
    async (flag) => {
      const { pairs } = await pairsOf([bad("SELECT 1", { flags: [flag] }), good("SELECT 2")]);
      expect(pairs).toEqual([]);
    },
  );

  it("has no failure that passed elsewhere, be it at an attempt of another number", async () => {
    const { pairs, refusals } = await pairsOf([good("SELECT 1"), good("SELECT 2"), bad("SELECT 1")]);
    expect(pairs).toEqual([]);
    const told = [
      ["no-partner", 2],
      ["exact-duplicate", 1],
    ];
    expect(refusals.map(({ reason, count }) => [reason, count])).toEqual(told);
    const numbered = (prefix: string) => ({ tip: prefix, tipSpans: [] });
    const later = bad("SELECT 1", numbered("This is attempt 2 of 3. "));
    const first = ["SELECT 1", "SELECT 2"].map((query) => good(query, numbered("This is attempt 1 of 3. ")));
    expect((await pairsOf([...first, later])).pairs).toEqual([]);
  });

  it("is none where the answers differ in trivia alone", async () => {
    const { pairs, refusals } = await pairsOf([bad('select "id"  from t;'), good("SELECT id FROM t")]);
    expect(pairs).toEqual([]);
    expect(refusals).toMatchObject([{ reason: "no-partner", count: 2 }]);
  });

  it("may be of prompts that differ in their tips and in the number of the attempt, and in nothing else", async () => {
    const tipped = await pairsOf([bad("SELECT 1", { tip: "A lesson. " }), good("SELECT 2")]);
    expect(tipped.pairs).toHaveLength(1);
    expect(tipped.pairs[0]?.rejectedFrom.tips).toEqual([TIP]);
    const prefixed = (prefix: string) => ({ tip: prefix, tipSpans: [] });
    const numbered = await pairsOf([
      bad("SELECT 1", prefixed("This is attempt 1 of 3. ")),
      good("SELECT 2", prefixed("This is attempt 2 of 3. ")),
    ]);
    expect(numbered.pairs).toHaveLength(1);
    const other = await pairsOf([bad("SELECT 1", prefixed("It failed once. ")), good("SELECT 2")]);
    expect(other.pairs).toEqual([]);
  });

  it("is not lost where nearly the same answer was given to a prompt at which nothing failed", async () => {
    const answers = [good(`${LONG} LIMIT 5`), bad("SELECT nothing")];
    const later = good(`${LONG} LIMIT 6`, { completionTokens: 2, steps: [{ answer: "Let me look.", printed: "3" }] });
    const { pairs, refusals } = await pairsOf([...answers, later]);
    expect(pairs.map(({ chosen }) => chosen.content)).toEqual([`${LONG} LIMIT 5`]);
    expect(refusals.map(({ reason, count }) => [reason, count])).toEqual([
      ["no-action", 1],
      ["no-partner", 1],
    ]);
  });

  it("stands alone for pairs of other prompts that say nearly the same on both sides", async () => {
    const asked = (prefix: string) => ({ tip: prefix, tipSpans: [] });
    const { pairs, refusals, written, duplicates } = await pairsOf([
      good(`${LONG} LIMIT 5`),
      bad(`${OTHER} LIMIT 10`, { completionTokens: 11 }),
      good(`${LONG} LIMIT 6`, { ...asked("It failed once. "), completionTokens: 20 }),
      bad(`${OTHER} LIMIT 11`, { ...asked("It failed once. "), completionTokens: 21 }),
      good("SELECT 1", { ...asked("It failed twice. "), completionTokens: 30 }),
      bad("SELECT 2", { ...asked("It failed twice. "), completionTokens: 31 }),
    ]);
    expect(pairs.map(({ chosen }) => chosen.content).toSorted()).toEqual(["SELECT 1", `${LONG} LIMIT 5`]);
    expect(refusals).toMatchObject([{ reason: "near-duplicate", count: 2 }]);
    const turns = written[0]?.turns ?? [];
    const copies = [0, 1].map((side) => ({ removed: turns[2 + side], kept: turns[side], reason: "near-duplicate" }));
    expect(duplicates).toEqual(copies);
  });

  it("stands alone for pairs of the same answers to other prompts that say nearly the same", async () => {
    const asked = (prefix: string) => ({ tip: prefix, tipSpans: [] });
    const tried = (prefix: string) => [good("SELECT 1", asked(prefix)), bad("SELECT 2", asked(prefix))];
    const { pairs, duplicates, written } = await pairsOf(
      [...tried(`It printed 7 and ${LONG}. `), ...tried(`It printed 8 and ${LONG}. `), ...tried("It failed. ")],
      { maxPerItem: 9 },
    );
    const turns = written[0]?.turns ?? [];
    expect(pairs.map(({ chosenFrom }) => chosenFrom.turn).toSorted()).toEqual([turns[0], turns[4]].toSorted());
    const copies = [0, 1].map((side) => ({ removed: turns[2 + side], kept: turns[side], reason: "near-duplicate" }));
    expect(duplicates).toEqual(copies);
  });

  it("takes the failure that is nearest in length, each answer once, and no more than the item's share", async () => {
    const long = "SELECT count(*) FROM t WHERE a = 1 AND b = 2";
    const attempts = [bad("SELECT 7"), bad(`${long} AND c = 3`), good(long), good("SELECT 8"), good("SELECT 9 + 1")];
    const { pairs } = await pairsOf(attempts, { maxPerItem: 5 });
    expect(answers(pairs)).toContainEqual([long, `${long} AND c = 3`]);
    expect(pairs).toHaveLength(2);
    const { pairs: capped, refusals } = await pairsOf(attempts, { maxPerItem: 1 });
    expect(capped).toHaveLength(1);
    expect(refusals.map(({ reason }) => reason)).toContain("over-item-cap");
  });

  it("is read although the filter lets only what passed through, and what it leaves out is counted", async () => {
    const { examples, clauses, pairs } = await pairsOf([
      bad("SELECT 1"),
      good("SELECT 2"),
      good("SELECT 3", { verdicts: [] }),
    ]);
    expect({ examples, pairs: pairs.length }).toEqual({ examples: 3, pairs: 1 });
    expect(clauses).toMatchObject([{ clause: "eval_passed=true", count: 1 }]);
  });

  it("has no imported answer on either side, where the filter keeps imported ones out", async () => {
    const attempts = [bad("SELECT 1", { flags: ["imported"] }), good("SELECT 2")];
    expect((await pairsOf(attempts)).pairs).toHaveLength(1);
    const { pairs, clauses } = await pairsOf(attempts, { expression: "eval_passed=true and not flag(imported)" });
    expect(pairs).toEqual([]);
    expect(clauses.map(({ count }) => count)).toEqual([1, 0]);
    const unflawed = await pairsOf(attempts, { expression: "not flag(noop-pass) and not flag(dirty-exit)" });
    expect(unflawed.pairs).toHaveLength(1);
  });

  it("needs no failure whose command succeeded, where the filter asks that of the good answer", async () => {
    for (const outcome of ["command_failed=false", "exit_code=0"]) {
      const expression = `eval_passed=true and ${outcome}`;
      const { pairs } = await pairsOf([bad("SELEC 1", { exitCode: 1 }), good("SELECT 2")], { expression });
      expect(answers(pairs)).toEqual([["SELECT 2", "SELEC 1"]]);
    }
  });
});
