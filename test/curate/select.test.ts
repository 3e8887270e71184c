import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatFilter, loadFilters } from "../../src/curate/index.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { ActionCall } from "../../src/records/events.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import { withHome } from "../store/sample-run.ts";
import { type Overrides, type Said, select, selectFrom } from "./select-from.ts";
import { type AttemptDraft, plainPrompt, type RunDraft, type StepDraft, TIP, writeRun } from "./written-run.ts";

const GOOD: AttemptDraft = { item: "shop/good" };
const flagged = (...flags: Verdict["flags"]): Partial<Verdict> => ({ flags });

/** For each integrity filter, an attempt that only it refuses. */
const REFUSED: Record<
  string,
  AttemptDraft & { split?: RunDraft["split"]; isTipRetired?: boolean; isRevoked?: boolean }
> = {
  conflict: { item: "shop/a", verdicts: [flagged("conflict")] },
  "environment-suspect": { item: "shop/a", verdicts: [flagged("environment-suspect")] },
  "evaluator-gap": { item: "shop/a", verdicts: [flagged("evaluator-gap")] },
  "failed-step": { item: "shop/a", parseFlags: ["parser-threw"] },
  "hosted-model": { item: "shop/a", model: "claude-sonnet-4-5", baseHash: null },
  incomplete: { item: "shop/a", missing: ["answer"] },
  "many-calls": { item: "shop/a", answer: "", calls: 2 },
  "no-action": { item: "shop/a", query: null },
  "no-verdict": { item: "shop/a", verdicts: [] },
  "noop-pass": { item: "shop/a", verdicts: [{ before: { value: 1, passed: true } }] },
  "not-deterministic": { item: "shop/a", verdicts: [{ confidence: 0.98 }] },
  "not-good": { item: "shop/a", verdicts: [{ passed: false, value: 0 }] },
  "not-train": { item: "zoo/a", split: "test" },
  "retired-tip": { item: "shop/a", tip: "A lesson. ", isTipRetired: true },
  revoked: { item: "shop/a", isRevoked: true },
  "text-completion": { item: "shop/a", api: "completions" },
  truncated: { item: "shop/a", finishReason: "length" },
  unreadable: { item: "shop/a", isPromptLost: true },
};

describe("integrity filters", () => {
  it("each have a case here", async () => {
    const files = await readdir(join(PACKAGE_FOLDER, "src/curate/filters"));
    const cases = [...Object.keys(REFUSED), "failed-command"]; // with whole attempts: it needs a step before the last
    expect(cases.sort()).toEqual(files.map((name) => name.replace(".ts", "")).sort());
    for (const { filter } of await loadFilters()) expect(filter.summary).not.toBe("");
  });

  it.each(Object.entries(REFUSED))(
    "refuse for %s, and name the turn",
    async (reason, { split, isTipRetired, isRevoked, ...attempt }) => {
      const other: RunDraft = { split: split ?? "train", attempts: [attempt] };
      const keeping = isTipRetired ? { tips: "keep" as const, retired: TIP } : {};
      const revoking: Said = isRevoked ? { revoked: ([, last]) => ({ kind: "run", target: last?.run ?? "" }) } : {};
      const { refusals, rows, written } = await selectFrom([{ attempts: [GOOD] }, other], { ...keeping, ...revoking });
      expect(refusals).toEqual([{ reason, count: 1, examples: written[1]?.turns }]);
      expect(rows.map(({ turn }) => turn)).toEqual(written[0]?.turns);
    },
  );

  it.each([
    ["incomplete", { verdicts: [flagged("clipped")] }],
    ["unreadable", { answer: "  \n" }],
    ["unreadable", { beside: { function_call: { name: "run_sql", arguments: "{}" } } }],
    ["unreadable", { beside: { refusal: "I would rather not." } }],
    ["unreadable", { beside: { images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }] } }],
    ["unreadable", { tipSpans: [{ tip: TIP, messageIndex: 1, start: 0, end: 9999 }] }],
    ["incomplete", { missing: ["system-prompt" as const, "sampling" as const] }],
    ["noop-pass", { verdicts: [flagged("noop-pass")] }],
    ["no-verdict", { verdicts: [{ signalType: "judgment" as const }] }],
    ["not-deterministic", { verdicts: [{ signalType: "behavioral" as const }] }],
  ])("refuse for %s also %j", async (reason, attempt) => {
    const { refusals } = await selectFrom([{ attempts: [{ item: "shop/a", ...attempt }] }]);
    expect(refusals.map((refusal) => refusal.reason)).toEqual([reason]);
  });
});

it("an answer is taken whose message has keys for these that say nothing, as servers write them", async () => {
  const beside = { function_call: null, refusal: null, audio: null, images: [], annotations: [] };
  const { rows } = await selectFrom([{ attempts: [{ item: "shop/a", beside }] }]);
  expect(rows).toHaveLength(1);
});

it("a text completion is taken where its gate is turned off, and a call of any other API anyway", async () => {
  const attempts = (["chat", "responses", "completions"] as const).map((api) => ({ item: `shop/${api}`, api }));
  const itemsOf = async (gatesOff: string[]) =>
    (await selectFrom([{ attempts }], { gatesOff })).rows.map(({ item }) => item).sort();
  const others = ["sql:shop/chat", "sql:shop/responses"];
  expect(await itemsOf([])).toEqual(others);
  expect(await itemsOf(["text-completion"])).toEqual([...others, "sql:shop/completions"].sort());
});

describe("what is revoked", () => {
  const TIPPED: AttemptDraft = { item: "shop/tipped", tip: "A lesson. " };
  const itemsAfter = async (attempts: AttemptDraft[], overrides: Overrides & Said) =>
    (await selectFrom([{ attempts }], overrides)).rows.map(({ item }) => item).sort();

  it("takes one attempt away, and not the other at the same item", async () => {
    const attempts = [GOOD, { ...GOOD, query: "SELECT 2" }];
    const revoked: Said["revoked"] = ([one]) => ({ kind: "attempt", target: one?.turns[0]?.split("#", 1)[0] ?? "" });
    const { rows, written } = await selectFrom([{ attempts }], { revoked });
    expect(rows.map(({ turn }) => turn)).toEqual(written[0]?.turns.slice(1));
  });

  it.each(["drop", "keep"] as const)("takes the rows away whose prompts held a tip, with tips: %s", async (tips) => {
    expect(await itemsAfter([GOOD, TIPPED], { tips, revoked: () => ({ kind: "tip", target: TIP }) })).toEqual([
      "sql:shop/good",
    ]);
  });

  it("leaves an attempt to the verdict before it where a verifier is revoked, or to none", async () => {
    const second = { verifier: { id: "second", version: "2" } };
    const attempts: AttemptDraft[] = [
      { item: "shop/both", verdicts: [{}, { ...second, value: 0, passed: false }] },
      { item: "shop/one", verdicts: [second] },
      GOOD,
    ];
    const revoked: Said["revoked"] = () => ({ kind: "verifier", target: "second@2" });
    expect(await itemsAfter(attempts, { expression: "eval_passed=true" })).toEqual(["sql:shop/good", "sql:shop/one"]);
    const after = await itemsAfter(attempts, { expression: "eval_passed=true", revoked });
    expect(after).toEqual(["sql:shop/both", "sql:shop/good"]);
  });

  it.each(["turn", "attempt"] as const)(
    "is said of an attempt that no verdict stands of, not blamed on the filter: %s",
    async (unit) => {
      const second = { verifier: { id: "second", version: "2" } };
      const bad = { item: "shop/bad", verdicts: [{ value: 0, passed: false }] };
      const attempts: AttemptDraft[] = [{ item: "shop/one", verdicts: [second] }, bad, GOOD];
      const revoked: Said["revoked"] = () => ({ kind: "verifier", target: "second@2" });
      const settings = { expression: "eval_passed=true", unit, revoked };
      const reasonsOf = async (gatesOff: string[]) =>
        (await selectFrom([{ attempts }], { ...settings, gatesOff })).refusals.map(({ reason, count }) => [
          reason,
          count,
        ]);
      expect((await reasonsOf([])).sort()).toEqual([
        ["filter", 1],
        ["revoked-verdict", 1],
      ]);
      expect(await reasonsOf(["revoked"])).toEqual([["filter", 2]]);
    },
  );

  it("is said of an attempt that no verdict stands of where the filter asks for none", async () => {
    const attempts: AttemptDraft[] = [{ item: "shop/one", verdicts: [{ verifier: { id: "second", version: "2" } }] }];
    const revoked: Said["revoked"] = () => ({ kind: "verifier", target: "second@2" });
    const reasonOf = async (own: Overrides) =>
      (await selectFrom([{ attempts }], { expression: "family=shop", revoked, ...own })).refusals[0]?.reason;
    expect(await reasonOf({})).toBe("revoked-verdict");
    expect(await reasonOf({ tier: "prompts" })).toBe("revoked-verdict");
    expect(await reasonOf({ gatesOff: ["revoked"] })).toBe("no-verdict");
  });
});

describe("another agent's turn", () => {
  it("is taken without an action, as its answer is what was judged, and without its sampling", async () => {
    const attempt: AttemptDraft = { item: "shop/a", query: null, answer: "An answer.", missing: ["sampling"] };
    const { rows, written } = await selectFrom([{ isForeign: true, attempts: [attempt] }]);
    expect(rows.map(({ turn }) => turn)).toEqual(written[0]?.turns);
  });

  it("is refused where that agent found no action in its answer, whatever became of the attempt", async () => {
    const attempt: AttemptDraft = { item: "shop/a", query: null, answer: "Let me think.", parseFlags: ["no-action"] };
    const { rows, refusals, written } = await selectFrom([{ isForeign: true, attempts: [attempt] }]);
    expect(rows).toEqual([]);
    expect(refusals).toEqual([{ reason: "no-action", count: 1, examples: written[0]?.turns }]);
  });
});

it("an agent that is run at a skill's items is another agent: it may call often, at once and turn after turn", async () => {
  const steps = [{ answer: "ls", printed: "t.csv", exitCode: 0 }];
  const attempts = [{ item: "shop/a", calls: 2, steps }];
  const own = await selectFrom([{ attempts }]);
  expect(own.refusals.map(({ reason, count }) => [reason, count])).toEqual([["many-calls", 2]]);
  for (const unit of ["turn", "attempt"] as const) {
    const { rows, refusals, written } = await selectFrom([{ isOfAgent: true, attempts }], { unit });
    expect(refusals).toEqual([]);
    const turns = rows.flatMap((row) => [...(row.earlier ?? []), row].map(({ turn }) => turn));
    expect(turns.sort()).toEqual(written[0]?.turns);
  }
});

describe("a whole attempt", () => {
  const STEP: StepDraft = { answer: "ls", printed: "t.csv" };
  const ofSteps = (...steps: Partial<StepDraft>[]) =>
    selectFrom([{ attempts: [{ item: "shop/a", steps: steps.map((step) => ({ ...STEP, ...step })) }] }], {
      unit: "attempt",
    });

  it("is one row of all its turns, the steps that failed among them untrained", async () => {
    const cut: Partial<StepDraft> = { answer: "SELECT", finishReason: "length" };
    const unread: Partial<StepDraft> = { answer: "SELEC 1", parseFlags: ["parser-threw"] };
    const idle: Partial<StepDraft> = { answer: "Hm.", parseFlags: ["no-action"] };
    const { rows, refusals, written } = await ofSteps({}, cut, unread, idle);
    expect(refusals).toEqual([]);
    const [row] = rows;
    expect([...(row?.earlier ?? []), row].map((origin) => origin?.turn)).toEqual(written[0]?.turns);
    const answers = row?.completion.map(({ content }, i) => [content, row.trained[i]]);
    expect(answers?.filter(([content]) => content !== STEP.printed)).toEqual([
      ["ls", true],
      ["SELECT", false],
      ["SELEC 1", false],
      ["Hm.", false],
      ["SELECT count(*) FROM t", true],
    ]);
  });

  it("is not trained on a step whose command failed, unless the gate is off; without an exit code nothing is known", async () => {
    const steps = [1, 0, null].map((exitCode, i) => ({ answer: `grep ${i} t.csv`, printed: "", exitCode }));
    const attempts = [{ item: "shop/a", steps }];
    for (const gatesOff of [[], ["failed-command"]]) {
      const { rows, refusals } = await selectFrom([{ attempts }], { unit: "attempt", gatesOff });
      expect(refusals).toEqual([]);
      const answers = rows[0]?.completion.map(({ content }, i) => [content, rows[0]?.trained[i]]);
      expect(answers?.filter(([content]) => String(content).startsWith("grep"))).toEqual([
        ["grep 0 t.csv", gatesOff.length > 0],
        ["grep 1 t.csv", true],
        ["grep 2 t.csv", true],
      ]);
    }
  });

  it("gives no row of a turn whose command failed, but for the last, which was judged", async () => {
    const steps = [1, 0].map((exitCode, i) => ({ answer: `grep ${i} t.csv`, printed: "", exitCode }));
    const { rows, refusals, written } = await selectFrom([{ isForeign: true, attempts: [{ item: "shop/a", steps }] }]);
    expect(refusals).toEqual([{ reason: "failed-command", count: 1, examples: written[0]?.turns.slice(0, 1) }]);
    expect(rows.map(({ turn }) => turn)).toEqual(written[0]?.turns.slice(1));
  });

  it("is refused, with every turn of it, for a step that is none, also where the step failed", async () => {
    for (const failed of [{}, { exitCode: 1 }]) {
      const { rows, refusals, written } = await ofSteps({}, { answer: "pwd", missing: ["answer"], ...failed });
      expect(rows).toEqual([]);
      expect(refusals).toEqual([{ reason: "incomplete", count: 3, examples: written[0]?.turns }]);
    }
  });

  it("is left out whole where the filter leaves one of its turns out, and counts for the first clause that does", async () => {
    const attempts = [{ item: "shop/a", steps: [STEP, { ...STEP, answer: "pwd" }] }, { item: "shop/b" }];
    for (const expression of ["eval_passed=true and turn<3", "eval_passed=true and turn>1"]) {
      const { rows, refusals, clauses, written } = await selectFrom([{ attempts }], { unit: "attempt", expression });
      const ofA = written[0]?.turns.slice(0, 3) ?? [];
      const kept = expression.endsWith("turn<3") ? ["sql:shop/b"] : [];
      expect(rows.map(({ item }) => item)).toEqual(kept);
      const left = [...ofA, ...(kept.length === 0 ? (written[0]?.turns.slice(3) ?? []) : [])];
      expect(refusals).toEqual([{ reason: "filter", count: left.length, examples: left.slice(0, 3) }]);
      expect(clauses.map(({ count }) => count)).toEqual([0, left.length]);
    }
  });

  it("is refused where its last answer is cut off, which a step may be", async () => {
    const attempts = [{ item: "shop/a", steps: [STEP], finishReason: "length" }];
    const { rows, refusals } = await selectFrom([{ attempts }], { unit: "attempt" });
    expect(rows).toEqual([]);
    expect(refusals).toMatchObject([{ reason: "truncated", count: 2 }]);
  });
});

describe("a text that is changed while examples are selected", () => {
  it("is not trained on", () =>
    withHome(async (home) => {
      const { run } = await writeRun(home, { attempts: [GOOD, { item: "shop/other" }] });
      expect((await select(home)).rows).toHaveLength(2);
      const log = (await readFile(home.runLog(run), "utf8")).replaceAll("rows does shop/other", "rows had shop/other");
      const { rows, refusals } = await select(home, { meanwhile: () => writeFile(home.runLog(run), log) });
      expect(rows.map(({ item }) => item)).toEqual(["sql:shop/good"]);
      expect(refusals).toMatchObject([{ reason: "unreadable", count: 1 }]);
    }));
});

describe("reading in ranges", () => {
  it("changes nothing, however small they are", async () => {
    const attempts = Array.from({ length: 30 }, (_, n) => ({
      item: `shop/${String(n % 13).padStart(2, "0")}`,
      answer: `SELECT ${n % 5}`,
      ...(n % 4 === 0 && { verdicts: [{ passed: false }] }),
    }));
    const selected = (overrides: Overrides) =>
      selectFrom([{ attempts }, { attempts: attempts.slice(7) }], { expression: "eval_passed=true", ...overrides });
    const whole = await selected({});
    expect(whole.rows.length).toBeGreaterThan(10);
    expect(whole.refusals.map(({ reason }) => reason).sort()).toEqual(["exact-duplicate", "filter", "over-item-cap"]);
    for (const examplesPerRange of [1, 2, 7]) expect(await selected({ examplesPerRange })).toEqual(whole);
  });
});

describe("splits", () => {
  it("send validation rows to the validation part, and test rows nowhere", async () => {
    const { rows, chosen } = await selectFrom([
      { split: "train", attempts: [{ item: "shop/a" }, { item: "shop/b" }] },
      { split: "validation", attempts: [{ item: "zoo/a" }] },
      { split: "test", attempts: [{ item: "moon/a" }, { item: "sea/a" }] },
    ]);
    expect(rows.map(({ family, part }) => `${family} ${part}`).sort()).toEqual([
      "shop train",
      "shop train",
      "zoo validation",
    ]);
    expect(chosen).toEqual({ train: 2, validation: 1 });
  });

  it("make the whole lake refused where an item is in two of them", async () => {
    const runs: RunDraft[] = [{ attempts: [GOOD] }, { split: "test", attempts: [{ ...GOOD, family: "zoo" }] }];
    await expect(selectFrom(runs)).rejects.toMatchObject({ code: "ITEM_IN_TWO_SPLITS" });
  });

  it("make the whole lake refused where a family is in two of them", async () => {
    const runs: RunDraft[] = [{ attempts: [GOOD] }, { split: "test", attempts: [{ item: "shop/other" }] }];
    await expect(selectFrom(runs)).rejects.toMatchObject({
      code: "FAMILY_IN_TWO_SPLITS",
      details: { got: "test in 20261101-120002-0000, train in 20261101-120001-0000" },
    });
  });
});

describe("repeated examples", () => {
  it("are one row where prompt and normalised answer are equal, with or without a tip, over all runs", async () => {
    const a = { item: "shop/a", query: "SELECT 1" };
    const { rows, refusals, written } = await selectFrom([
      { attempts: [{ ...a, tip: "A lesson. ", completionTokens: 9 }, { ...a, answer: " SELECT  1\n" }, a] },
      { attempts: [a] },
    ]);
    expect(rows.map(({ turn }) => turn)).toEqual([written[0]?.turns[0]]);
    expect(refusals).toMatchObject([{ reason: "exact-duplicate", count: 3 }]);
  });

  it("stay within the cap an item, different answers first", async () => {
    const answers = ["SELECT 1", "SELECT 2", "SELECT 3"].map((query, i) => ({
      item: "shop/a",
      query,
      completionTokens: 9 - i,
    }));
    const { rows, refusals } = await selectFrom([{ attempts: [...answers, { item: "shop/b" }] }]);
    expect(rows.map(({ completion }) => completion[0]?.content).sort()).toEqual([
      "SELECT 2",
      "SELECT 3",
      "SELECT count(*) FROM t",
    ]);
    expect(refusals).toMatchObject([{ reason: "over-item-cap", count: 1 }]);
  });
});

describe("a row", () => {
  const tipped: RunDraft[] = [
    { attempts: [{ item: "shop/a", tip: "A lesson: count. ", answer: "Well:\nSELECT 1", query: "SELECT 1" }] },
  ];

  it("has the prompt without its tips and the answer as it was recorded", async () => {
    const { rows } = await selectFrom(tipped);
    expect(rows[0]?.prompt).toEqual(plainPrompt("shop/a"));
    expect(rows[0]?.completion).toEqual([{ role: "assistant", content: "Well:\nSELECT 1" }]);
    expect(rows[0]).toMatchObject({ reward: 1, model: "smollm2", verifierId: "sql-result-set", confidence: 1 });
  });

  it("keeps the tips where that is asked for", async () => {
    const { rows } = await selectFrom(tipped, { tips: "keep" });
    expect(rows[0]?.prompt[1]?.content).toMatch(/^A lesson: count\. How many/);
  });

  it("is left out where its prompt held a retired tip, also where tips are taken out of prompts, unless that is turned off", async () => {
    const { rows, refusals } = await selectFrom(tipped, { retired: TIP });
    expect([rows.length, refusals[0]?.reason]).toEqual([0, "retired-tip"]);
    const kept = await selectFrom(tipped, { retired: TIP, gatesOff: ["retired-tip"] });
    expect(kept.rows[0]?.prompt).toEqual(plainPrompt("shop/a"));
  });

  it("has the action that was judged as its answer where that is asked for", async () => {
    const answerText = (_: string, { arguments: { query } }: ActionCall) => String(query);
    const { rows } = await selectFrom(tipped, { answerText });
    expect(rows[0]?.completion).toEqual([{ role: "assistant", content: "SELECT 1" }]);
  });

  it("has the action behind the prompt that led to it, though another agent went on speaking", async () => {
    const step = { answer: "SELECT 7", printed: "7", exitCode: 0 };
    const spoken: AttemptDraft = { item: "shop/a", query: null, answer: "There are seven.", steps: [step] };
    const answerText = (_: string, { arguments: { command } }: ActionCall) => String(command);
    const { rows, refusals, written } = await selectFrom([{ isForeign: true, attempts: [spoken] }], { answerText });
    const [acted, last] = written[0]?.turns ?? [];
    expect(rows).toMatchObject([{ turn: acted, completion: [{ role: "assistant", content: "SELECT 7" }] }]);
    expect(rows[0]?.prompt).toEqual(plainPrompt("shop/a"));
    expect(refusals).toEqual([{ reason: "no-action", count: 1, examples: [last] }]);
  });

  it("comes in an order that the seed decides and nothing else", async () => {
    const attempts = Array.from({ length: 12 }, (_, n) => ({ item: `shop/${n}` }));
    const order = async (seed: number) => (await selectFrom([{ attempts }], { seed })).rows.map(({ item }) => item);
    const first = await order(1);
    expect(await order(1)).toEqual(first);
    const other = await order(2);
    expect(other).not.toEqual(first);
    expect([...other].sort()).toEqual([...first].sort());
  });
});

describe("the user's filter", () => {
  const runs: RunDraft[] = [
    {
      attempts: [
        { item: "shop/a" },
        { item: "shop/a", query: "SELECT 2", verdicts: [{ passed: false, value: 0, failureMode: "wrong-rows" }] },
        { item: "zoo/b", completionTokens: 40 },
        { item: "zoo/c", verdicts: [] },
      ],
    },
  ];

  it.each([
    ["eval_passed=true", ["sql:shop/a", "sql:zoo/b"], 2],
    ["eval_passed=true and completion_tokens<=10", ["sql:shop/a"], 3],
    ["family=zoo and confidence>=0.9", ["sql:zoo/b"], 3],
    ["attempt=1 and eval_passed!=false", ["sql:shop/a", "sql:zoo/b"], 2],
  ])("%s lets through what it says, and counts the rest", async (expression, items, filtered) => {
    const { rows, refusals, examples } = await selectFrom(runs, { expression });
    expect(rows.map(({ item }) => item).sort()).toEqual(items);
    expect(examples).toBe(4);
    expect(refusals).toMatchObject([{ reason: "filter", count: filtered }]);
    expect(refusals[0]?.examples.length).toBe(filtered);
  });

  const opinion = (passed: boolean, confidence: number): Partial<Verdict> => ({
    ...{ signalType: "judgment", passed, value: passed ? 1 : 0, confidence, before: null },
  });
  const audited: RunDraft[] = [
    {
      attempts: [
        { item: "shop/right", verdicts: [{}, opinion(true, 0.9)] },
        { item: "shop/unsure", verdicts: [{}, opinion(true, 0.4)] },
        { item: "shop/wrong", verdicts: [{}, opinion(true, 0.9), opinion(false, 0.8)] },
        { item: "shop/unseen", verdicts: [{}] },
      ],
    },
  ];

  it.each([
    ["audit_passed=true", ["sql:shop/right", "sql:shop/unsure"]],
    ["eval_passed=true and audit_passed=true and audit_confidence>=0.8", ["sql:shop/right"]],
    ["audit_passed!=true", ["sql:shop/wrong"]],
    ["confidence>=0.9", ["sql:shop/right", "sql:shop/unseen", "sql:shop/unsure", "sql:shop/wrong"]],
  ])("%s reads the latest opinion, which changes no label", async (expression, items) => {
    const { rows } = await selectFrom(audited, { expression });
    expect(rows.map(({ item }) => item).sort()).toEqual(items);
  });

  it("compares with hostile texts as texts", () =>
    withHome(async (home) => {
      await writeRun(home, { attempts: [GOOD] });
      const hostile = fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom("' OR '1'='1", "x'; DROP TABLE items; --", "$1", "\\", '"', "good' --", "%"),
      );
      await fc.assert(
        fc.asyncProperty(hostile, async (value) => {
          const tree = { kind: "compare" as const, field: "family", operator: "=" as const, value };
          const { examples, refusals } = await select(home, { expression: formatFilter(tree) });
          expect(examples).toBe(1);
          expect(refusals).toEqual(value === "shop" ? [] : [expect.objectContaining({ reason: "filter", count: 1 })]);
        }),
        { numRuns: 12 },
      );
    }));
});
