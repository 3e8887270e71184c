import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balanced, balancedSizes } from "../../src/curate/balance.ts";
import { isHosted, isOpen, isOwnServer } from "../../src/curate/hosted-models.ts";
import { jaccard, shingleSet } from "../../src/curate/near/jaccard.ts";
import { selectFrom } from "./select-from.ts";
import type { AttemptDraft } from "./written-run.ts";

const failed = [{ passed: false, value: 0 }];
/** An item of which so many attempts passed and failed, each with an answer of its own. */
const item = (name: string, passed: number, bad: number): AttemptDraft[] =>
  Array.from({ length: passed + bad }, (_, i) => ({
    item: name,
    query: `SELECT ${name.length * 100 + i}`,
    completionTokens: 50 - i,
    ...(i < bad && { verdicts: failed }),
  }));

const selected = async (attempts: AttemptDraft[], overrides: Parameters<typeof selectFrom>[1]) => {
  const { rows, refusals } = await selectFrom([{ attempts }], {
    expression: "eval_passed=true",
    maxPerItem: 9,
    ...overrides,
  });
  const counts = Object.fromEntries(refusals.map(({ reason, count }) => [reason, count]));
  return { items: rows.map((row) => row.item).sort(), rows, counts };
};

describe("a band", () => {
  it("leaves out items of which too many or too few attempts passed, by all attempts and not by the filter", async () => {
    const attempts = [...item("shop/never", 0, 3), ...item("shop/half", 2, 2), ...item("shop/always", 3, 0)];
    const { items, counts } = await selected(attempts, { band: { low: 0.1, high: 0.9 } });
    expect(new Set(items)).toEqual(new Set(["sql:shop/half"]));
    expect(counts).toMatchObject({ "outside-band": 3 });
  });

  it("counts no pass that was there before the action, neither as one nor among all", async () => {
    const noop = { query: "SELECT 0", verdicts: [{ before: { value: 1, passed: true } }] };
    const half = [{ item: "shop/half", ...noop }, { item: "shop/half", ...noop }, ...item("shop/half", 1, 1)];
    const { items } = await selected([...half, { item: "shop/once", ...noop }, ...item("shop/once", 1, 0)], {
      band: { low: 0.1, high: 0.6 },
    });
    expect(items).toEqual(["sql:shop/half"]);
  });

  it("counts no attempt that is revoked", async () => {
    const runs = [{ attempts: item("shop/a", 2, 0) }, { attempts: item("shop/a", 0, 2) }];
    const settings = { expression: "eval_passed=true", maxPerItem: 9, band: { low: 0.1, high: 0.9 } };
    expect((await selectFrom(runs, settings)).rows).toHaveLength(2);
    const { rows, refusals } = await selectFrom(runs, {
      ...settings,
      revoked: ([, failing]) => ({ kind: "run", target: failing?.run ?? "" }),
    });
    expect(rows).toEqual([]);
    expect(refusals).toMatchObject([{ reason: "filter" }, { reason: "outside-band", count: 2 }]);
  });
});

describe("what the endpoint counted as longer than the limit", () => {
  const [long, short] = [{ promptTokens: 200 }, { promptTokens: 40 }];
  const query = (name: string) => `SELECT ${Array.from({ length: 70 }, (_, n) => `${name}_${n}`).join(", ")}`;

  it("takes no place in an item's share from what fits, and one that is free", async () => {
    const attempts = [
      { item: "shop/a", query: "SELECT 1", completionTokens: 2, ...long },
      { item: "shop/a", query: "SELECT 2", completionTokens: 3, ...long },
      { item: "shop/a", query: "SELECT 3", completionTokens: 9, ...short },
    ];
    const answers = async (maxTokens: number | null, maxPerItem: number) => {
      const { rows } = await selected(attempts, { maxTokens, maxPerItem });
      return rows.map(({ completion }) => completion[0]?.content).sort();
    };
    expect(await answers(100, 1)).toEqual(["SELECT 3"]);
    expect(await answers(100, 2)).toEqual(["SELECT 1", "SELECT 3"]);
    expect(await answers(null, 1)).toEqual(["SELECT 1"]);
  });

  it.each([
    ["one item", "shop/a"],
    ["two", "zoo/b"],
  ])("stands for no near-duplicate that fits, of %s", async (_, other) => {
    const attempts = [
      { item: "shop/a", query: `${query("column")} LIMIT 1`, completionTokens: 2, ...long },
      { item: other, query: `${query("column")} LIMIT 2`, completionTokens: 9, ...short },
    ];
    const task = "Count them.";
    const { rows, counts } = await selected(
      attempts.map((one) => ({ ...one, task })),
      { maxTokens: 100 },
    );
    expect(rows.map(({ completion }) => completion[0]?.content)).toEqual([`${query("column")} LIMIT 2`]);
    expect(counts).toEqual({ "near-duplicate": 1 });
  });

  it("makes a pair that stands behind those that fit", async () => {
    const asked = (prefix: string) => ({ tip: prefix, tipSpans: [] });
    const pair = (n: number, more: Partial<AttemptDraft>): AttemptDraft[] => [
      { item: "shop/a", query: `SELECT ${n}`, completionTokens: n, ...more },
      { item: "shop/a", query: `SELECT ${n} + 1`, completionTokens: n, verdicts: failed, ...more },
    ];
    const attempts = [...pair(1, { ...asked("It failed. "), ...long }), ...pair(9, short)];
    const { pairs } = await selectFrom([{ attempts }], {
      ...{ tier: "preference-pairs", withBad: true, expression: "eval_passed=true", maxPerItem: 1, maxTokens: 100 },
    });
    expect(pairs.map(({ chosen }) => chosen.content)).toEqual(["SELECT 9"]);
  });
});

describe("tries", () => {
  const attempts = [...item("shop/a", 3, 0), ...item("shop/b", 2, 1)];

  it("may be the first alone, whether or not it passed", async () => {
    const { rows, counts } = await selected(attempts, { tries: "first" });
    expect(rows.map(({ attempt }) => attempt.split("/").slice(1).join("/"))).toEqual(["sql:shop/a/1"]);
    expect(counts["not-first-try"]).toBe(4);
  });

  it("may be the best, which has the fewest completion tokens", async () => {
    const { rows } = await selected(attempts, { tries: "best" });
    expect(rows.map(({ attempt }) => attempt.split("/").at(-1))).toEqual(["3", "3"]);
  });

  it("is not the best for want of a count of its tokens", async () => {
    const { rows } = await selected(
      [
        { item: "shop/a", query: "SELECT 1", completionTokens: null },
        { item: "shop/a", query: "SELECT 2" },
      ],
      { tries: "best" },
    );
    expect(rows.map(({ completion }) => completion[0]?.content)).toEqual(["SELECT 2"]);
  });
});

describe("damping of easy items", () => {
  it("leaves out every item that all attempts solved where it is 1, and none that half of them did", async () => {
    const easy = Array.from({ length: 5 }, (_, n) => item(`shop/easy-${n}`, 2, 0)).flat();
    const { items, counts } = await selected([...easy, ...item("shop/hard", 1, 1)], { dampEasy: 1 });
    expect(items).toEqual(["sql:shop/hard"]);
    expect(counts["easy-item"]).toBe(10);
  });

  it("is drawn by the seed: about half of the easy items are left where it is 0.5", async () => {
    const easy = Array.from({ length: 60 }, (_, n) => ({ item: `shop/easy-${n}`, query: `SELECT ${n}` }));
    const first = await selected(easy, { dampEasy: 0.5 });
    expect(first.items.length).toBeGreaterThan(18);
    expect(first.items.length).toBeLessThan(42);
    expect((await selected(easy, { dampEasy: 0.5 })).items).toEqual(first.items);
    expect((await selected(easy, { dampEasy: 0.5, seed: 2 })).items).not.toEqual(first.items);
  });
});

describe("balance", () => {
  it("makes shares follow the temperature", () => {
    expect(balancedSizes([100, 400, 1600], 1)).toEqual([100, 400, 1600]);
    expect(balancedSizes([100, 400, 1600], 2)).toEqual([100, 200, 400]);
    expect(balancedSizes([100, 400, 1600], 1e9)).toEqual([100, 100, 100]);
  });

  it("keeps of every group at least one row, and at most what is there, in the rows' order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 60 }), fc.double({ min: 1, max: 50, noNaN: true }), (groups, t) => {
        const rows = Uint32Array.from(groups, (_, i) => i);
        const { kept, refused } = balanced(rows, (row) => groups[row] as number, t);
        expect([...kept, ...refused].sort((x, y) => x - y)).toEqual([...rows]);
        expect(new Set([...kept].map((row) => groups[row]))).toEqual(new Set(groups));
        expect([...kept]).toEqual([...kept].sort((x, y) => x - y));
      }),
    );
  });

  it("is of the training rows, by family", async () => {
    const attempts = [
      ...Array.from({ length: 16 }, (_, n) => ({ item: `shop/${n}`, query: `SELECT ${n}` })),
      { item: "zoo/a", query: "SELECT 99" },
    ];
    const { rows, counts } = await selected(attempts, { balance: { families: 2, skills: 1 } });
    expect(rows.filter(({ family }) => family === "shop")).toHaveLength(4);
    expect(rows.filter(({ family }) => family === "zoo")).toHaveLength(1);
    expect(counts.balance).toBe(12);
  });
});

describe("near-duplicates", () => {
  const words = (from: number, count: number) => Array.from({ length: count }, (_, i) => `w${from + i}`).join(" ");

  it("of one item are told by their answers, and of different items by task and answer together", async () => {
    const long = words(0, 200);
    const attempts = [
      { item: "shop/a", query: long },
      { item: "shop/a", query: `${long} end` },
      { item: "shop/a", query: words(500, 200) },
      { item: "zoo/b", query: `${long} tail` },
    ];
    const { rows, counts } = await selected(attempts, {});
    expect(rows).toHaveLength(2);
    expect(counts).toEqual({ "near-duplicate": 2 });
    expect((await selected(attempts, { nearThreshold: null })).rows).toHaveLength(4);
  });

  it("name the one that stays", async () => {
    const long = words(0, 200);
    const attempts = [
      { item: "shop/a", query: long },
      { item: "shop/a", query: `${long} end` },
    ];
    const { duplicates, written, refusals } = await selectFrom([{ attempts }]);
    const [kept, removed] = written[0]?.turns ?? [];
    expect(duplicates).toEqual([{ removed, kept, reason: "near-duplicate" }]);
    expect(refusals[0]?.examples).toEqual([`${removed} (as ${kept})`]);
  });

  it("with equal answers are told by their prompts, message by message", async () => {
    const printing = (printed: string) => ({ item: "shop/a", query: "SELECT 1", steps: [{ answer: "look", printed }] });
    const attempts = [
      printing(`${words(0, 200)} in 1.1 ms`),
      printing(`${words(0, 100)} at 2 o'clock ${words(100, 100)} in 1.1 ms`),
      printing(words(500, 200)),
      { item: "shop/a", query: "SELECT 1" },
    ];
    const { rows, duplicates, written } = await selectFrom([{ attempts }], { maxPerItem: 9, gatesOff: ["no-action"] });
    const turns = written[0]?.turns ?? [];
    expect(rows.map(({ turn }) => turn).sort()).toEqual([turns[0], turns[1], turns[5], turns[6]].sort());
    expect(duplicates.map(({ removed, kept, reason }) => [removed, kept, reason])).toEqual([
      [turns[2], turns[0], "exact-duplicate"],
      [turns[4], turns[0], "exact-duplicate"],
      [turns[3], turns[1], "near-duplicate"],
    ]);
  });

  it("are shares of the shingles that either text has", () => {
    const set = (text: string) => shingleSet(text);
    expect(jaccard(set(words(0, 14)), set(words(0, 14)))).toBe(1);
    expect(jaccard(set(words(0, 14)), set(words(4, 14)))).toBeCloseTo(6 / 14);
    expect(jaccard(set(words(0, 14)), set(words(90, 14)))).toBe(0);
  });
});

describe("hosted models", () => {
  it.each([
    "gpt-4o",
    "openai/gpt-5.1",
    "claude-opus-4-1",
    "us.anthropic.claude-3-7-sonnet",
    "gemini-2.5-pro",
    "o3-mini",
    "bedrock/us.anthropic.claude-3-5-sonnet",
    "openai:gpt-4o",
    "ft:gpt-4o-mini:me::x",
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2",
    "mistral-large-2407",
    "qwen-max",
    "qwen3-max",
    "openrouter/qwen/qwen3-coder-plus",
    "grok-code-fast-1",
    "sonnet",
    "opus",
    "magistral-medium",
    "mistral/codestral-latest",
    "computer-use-preview",
  ])("%s is one", (name) => expect([isHosted(name), isOpen(name)]).toEqual([true, false]));

  it.each([
    "gpt-oss-120b",
    "openai.gpt-oss-120b-1:0",
    "us.meta.llama3-1-70b-instruct-v1:0",
    "Qwen/Qwen2.5-Coder-32B-Instruct",
    "unsloth/Mistral-7B-Instruct-v0.3-GGUF",
    "magistral-small-2507",
    "google/gemma-4-31B-it",
    "qwen3:8b",
    "meta-llama/Llama-3.3-70B",
    "gpt2",
    "gpt-neox",
    "smollm2",
    "/weights/gemma-4-31B-it",
    "deepseek-v3",
  ])("%s is none, but open", (name) => expect([isHosted(name), isOpen(name)]).toEqual([false, true]));

  it.each(["o365", "stig-v1", "qwen3", "auto", "", "openai.".repeat(100_000)])("%.9s is neither", (name) =>
    expect([isHosted(name), isOpen(name)]).toEqual([false, false]),
  );

  it.each([
    ["http://127.0.0.1:8000/v1", true],
    ["http://[::1]:8000/v1", true],
    ["http://10.1.2.3:8000/v1", true],
    ["http://gpu-box:8000/v1", true],
    ["https://llm.acme.internal/v1", true],
    ["https://openrouter.ai/api/v1", false],
    ["https://8.8.8.8/v1", false],
    ["", false],
  ])("are not behind a server of the user's own: %s is one: %s", (url, isOwn) => expect(isOwnServer(url)).toBe(isOwn));

  const UNKNOWN: AttemptDraft = { item: "shop/a", model: "finetune-7", baseHash: null };

  const elsewhere = { isServedElsewhere: () => true };

  it.each<[string, AttemptDraft, Parameters<typeof selectFrom>[1], boolean]>([
    ["an unknown model", UNKNOWN, elsewhere, true],
    ["an unknown model that is allowed", UNKNOWN, { ...elsewhere, allowTeachers: ["finetune-7"] }, false],
    ["an open model", { ...UNKNOWN, model: "google/gemma-4-31B-it" }, elsewhere, false],
    ["a model without a name", { ...UNKNOWN, model: null }, elsewhere, true],
    [
      "one without a name that is allowed",
      { ...UNKNOWN, model: null },
      { ...elsewhere, allowTeachers: ["unnamed"] },
      false,
    ],
    ["an unknown model of the user's own server", UNKNOWN, {}, false],
    ["a model without a name of the user's own server", { ...UNKNOWN, model: null }, {}, false],
    ["our own base, served elsewhere", { item: "shop/a", model: "sonnet" }, elsewhere, false],
  ])("need a permission where they may be one: %s", async (_, attempt, overrides, isRefused) => {
    for (const isForeign of [false, true]) {
      const { refusals, rows } = await selectFrom([{ isForeign, attempts: [attempt] }], overrides);
      expect([refusals.map(({ reason }) => reason), rows.length]).toEqual(isRefused ? [["hosted-model"], 0] : [[], 1]);
    }
  });

  it("are taken where they are allowed by name", async () => {
    const attempts = [{ item: "shop/a", model: "claude-opus-4-1", baseHash: null }];
    expect((await selected(attempts, {})).counts).toEqual({ "hosted-model": 1 });
    expect((await selected(attempts, { allowTeachers: ["claude-opus-4-1"] })).rows).toHaveLength(1);
  });
});

describe("gates", () => {
  const clipped = [{ item: "shop/a", missing: ["tools" as const] }];

  it("can be turned off by name", async () => {
    expect((await selected(clipped, {})).counts).toEqual({ incomplete: 1 });
    expect((await selected(clipped, { gatesOff: ["incomplete"] })).rows).toHaveLength(1);
  });

  it("cannot be turned off where nothing would be left to prove an adapter with", async () => {
    await expect(selected(clipped, { gatesOff: ["not-train"] })).rejects.toMatchObject({ code: "GATE_IS_FIXED" });
    await expect(selected(clipped, { gatesOff: ["incomplte"] })).rejects.toMatchObject({ code: "UNKNOWN_GATE" });
  });
});
