/** `tracemill readiness` on a real home: two skills, one of them with an answer that is too long for the base. */
import { expect, test } from "vitest";
import { previewExport } from "../../src/commands/export.ts";
import { measure } from "../../src/commands/readiness.ts";
import { printedReadiness } from "../../src/commands/readiness-report.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { writeBaseManifest } from "../../src/store/manifests.ts";
import { plainPrompt, type RunDraft, writeRun } from "../curate/written-run.ts";
import { sampleBase } from "../dataset/sample-selection.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";
import { withHome } from "../store/sample-run.ts";

const WRONG = [{ passed: false, value: 0, failureMode: "wrong-rows" }];
const LONG = `SELECT ${Array.from({ length: 200 }, (_, n) => `c${n}`).join(", ")} FROM t`;
const RUNS: RunDraft[] = [
  {
    number: 1,
    attempts: [
      { item: "shop/a", query: "SELECT 1" },
      { item: "shop/a", query: "SELECT 2" },
      { item: "shop/b", query: LONG },
      { item: "zoo/c", query: "SELECT 3" },
      { item: "zoo/d", verdicts: WRONG },
    ],
  },
  { number: 2, split: "validation", attempts: [{ item: "moon/e" }] },
  {
    number: 3,
    skill: "cron",
    attempts: [
      { item: "shop/f", query: "0 5 * * *" },
      { item: "day/g", verdicts: WRONG },
    ],
  },
];

const hfFolder = await smollm2Tokenizer();
const { base } = await sampleBase();

const withRuns = <T>(use: (home: Home) => Promise<T>) =>
  withHome(async (home) => {
    await writeBaseManifest(home, { ...base, hfFolder, contextTokens: 200 });
    for (const run of RUNS) await writeRun(home, run);
    return use(home);
  });

test("counts per role, skill and family what an export would write, with what the base refuses taken off", () =>
  withRuns(async (home) => {
    const { roles, coverage, ...measured } = await measure({ target: "B" }, { home });
    expect(measured).toMatchObject({ base: "smollm2", skills: ["cron", "sql"], contextTokens: 200 });
    expect(roles).toMatchObject([{ role: "worker", examples: 8, trainRows: 4, validationRows: 1 }]);
    expect(roles[0]?.families).toEqual([
      { skill: "sql", family: "shop", rows: 2 },
      { skill: "cron", family: "shop", rows: 1 },
      { skill: "sql", family: "zoo", rows: 1 },
    ]);
    expect(roles[0]?.refusals.map(({ reason, count }) => [reason, count])).toEqual([
      ["filter", 2],
      ["too-long", 1],
    ]);
    expect(roles[0]?.byRun.map(({ rows }) => rows)).toEqual([3, 1]);
    expect(roles[0]?.answersPerItem).toBeCloseTo(4 / 3);
    expect(coverage).toEqual([
      { skill: "cron", items: 2, families: 2, solved: 1, never: 1 },
      { skill: "sql", items: 4, families: 2, solved: 3, never: 1 },
    ]);
  }));

test("tokens are those of the rows that are left, as the base renders them", () =>
  withRuns(async (home) => {
    const { roles } = await measure({ target: "B" }, { home });
    const { renderer } = await sampleBase();
    const lengths = ["a:SELECT 1", "a:SELECT 2", "c:SELECT 3", "f:0 5 * * *"].map((text) => {
      const [name, ...answer] = text.split(":");
      const item = `${name === "c" ? "zoo" : "shop"}/${name}`;
      return renderer.example(plainPrompt(item), { role: "assistant", content: answer.join(":") }, null).ids.length;
    });
    const [, p50, , largest] = lengths.sort((x, y) => x - y);
    expect(roles[0]?.tokens).toEqual({ p50, p99: largest, largest });
  }));

test("counts an answer once that an item has under two prompts", () =>
  withHome(async (home) => {
    const steps = [{ answer: "SELECT 0", printed: "no" }];
    const attempts = [
      { item: "shop/a", query: "SELECT 1" },
      { item: "shop/a", query: "SELECT 1", steps, verdicts: [{}] },
    ];
    await writeRun(home, { isForeign: true, upstream: "http://127.0.0.1:1/v1", attempts });
    const { roles } = await measure({ target: "A", skill: "sql", base: "none" }, { home });
    expect(roles[0]).toMatchObject({ trainRows: 3, answersPerItem: 2, tokens: null });
  }));

test("says how many of the rows an export takes that sets no cap on an item's", () =>
  withHome(async (home) => {
    const queries = ["SELECT 1", "SELECT 2", "SELECT 3"];
    const attempts = [...queries.map((query) => ({ item: "shop/a", query })), { item: "zoo/b", query: "SELECT 4" }];
    await writeRun(home, { attempts });
    const readiness = await measure({ target: "A", skill: "sql", base: "none" }, { home });
    const { counts } = await previewExport({ skills: ["sql"], base: "none" }, { home });
    expect(readiness.roles[0]).toMatchObject({ trainRows: 4, rowsByDefault: counts.trainRows });
    expect(printedReadiness(readiness)).toContain("here are 4 of the worker (3 at --max-per-item 2, the default).");
  }));

test("leaves out what is revoked: its items, and its run as the latest", () =>
  withHome(async (home) => {
    const { run: kept } = await writeRun(home, { number: 1, attempts: [{ item: "shop/a", query: "SELECT 1" }] });
    const { run: target } = await writeRun(home, { number: 2, attempts: [{ item: "zoo/b", query: "SELECT 2" }] });
    const data = { kind: "run" as const, target, reason: "its database was empty" };
    appendLedger(home, { type: "revoked", data }, systemClock);
    const { roles, coverage } = await measure({ target: "A", skill: "sql", base: "none" }, { home });
    expect(roles[0]?.byRun).toEqual([{ run: kept, rows: 1 }]);
    expect(coverage).toEqual([{ skill: "sql", items: 1, families: 1, solved: 1, never: 0 }]);
  }));

test("takes nothing off for a base where none is to be asked", () =>
  withRuns(async (home) => {
    const { roles, base: asked } = await measure({ target: "A", skill: "sql", base: "none" }, { home });
    expect([asked, roles[0]?.trainRows]).toEqual([null, 4]);
  }));

test("prints the rows of each skill by itself, those of a family beside its skill", () =>
  withRuns(async (home) => {
    const printed = printedReadiness(await measure({ target: "B" }, { home }));
    expect(printed).toContain("Target B: adapters over cron, sql\nrendered by smollm2");
    expect(printed).toContain("worker, cron: 1 row: shop 1\nworker, sql: 3 rows: shop 2, zoo 1");
    expect(printed).toMatch(/worker +8 +4 +1 +3 +1\.3 +filter 2, too-long 1/);
    expect(printed).toContain("worker: the latest of 2 runs has 1 row that");
    expect(printed).toMatch(/worker: an example has \d+ tokens \(p50\), .* the base holds 200/);
    expect(printed).toContain("here are 4 of the worker.");
    expect(printed).toContain("sql: 4 train items of 2 families were tried; 3 were solved at least once, 1 never");
    expect(printed).toMatch(/sql: with its \d+ test items of \d+ families, once each, 80 % power: \d/);
    const few = { skill: "few", items: 10, families: 2, differences: [{ discordant: 0.3, difference: null }] };
    const ofFew = printedReadiness({ ...(await measure({ target: "B" }, { home })), detectable: [few] });
    expect(ofFew).toContain(
      "few: with its 10 test items of 2 families, once each, 80 % power: no difference that there",
    );
  }));

test("a pass that was there before the action solves no item", () =>
  withHome(async (home) => {
    const before = { value: 1, passed: true };
    await writeRun(home, { attempts: [{ item: "shop/a", verdicts: [{ before }] }, { item: "shop/b" }] });
    const { coverage } = await measure({ target: "A", skill: "sql", base: "none" }, { home });
    expect(coverage).toEqual([{ skill: "sql", items: 2, families: 1, solved: 1, never: 1 }]);
  }));

test("an item of a run that another one stands for was not tried", () =>
  withHome(async (home) => {
    const { run: recorded } = await writeRun(home, { number: 1, attempts: [{ item: "call/a" }] });
    const { run } = await writeRun(home, { number: 2, attempts: [{ item: "shop/a" }] });
    appendLedger(home, { type: "run_joined", data: { run, recorded } }, systemClock);
    const { coverage } = await measure({ target: "A", skill: "sql", base: "none" }, { home });
    expect(coverage).toEqual([{ skill: "sql", items: 1, families: 1, solved: 1, never: 0 }]);
  }));

test("takes no skill for target B, which is over all", () =>
  withRuns(async (home) => {
    await expect(measure({ target: "B", skill: "sql" }, { home })).rejects.toMatchObject({ code: "SKILL_NOT_ALONE" });
  }));

test("asks for the skill of target A", () =>
  withRuns(async (home) => {
    await expect(measure({ target: "A" }, { home })).rejects.toMatchObject({ code: "SKILL_MISSING" });
  }));
