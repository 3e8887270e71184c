import fc from "fast-check";
import { expect, it } from "vitest";
import { candidatesQuery, filteredOutQuery, type ItemRange, type Scope } from "../../src/curate/candidate-query.ts";
import { clauseTally } from "../../src/curate/clause-counts.ts";
import { parseFilter } from "../../src/curate/expression.ts";
import { FIELDS } from "../../src/curate/fields.ts";
import { clausesOf, formatFilter } from "../../src/curate/filter-tree.ts";
import type { RunId } from "../../src/records/ids.ts";
import { type Lake, openLake } from "../../src/store/lake.ts";
import { withHome } from "../store/sample-run.ts";
import { anyFilter, few } from "./any-filter.ts";
import { evaluate, type FilterRow } from "./evaluate.ts";
import { settingsOf } from "./selection-settings.ts";
import { type AttemptDraft, writeRun } from "./written-run.ts";

const ALL: ItemRange = { after: "", until: "\u{10ffff}" };
const COLUMNS = [...new Set(["turn", "flags", ...[...FIELDS.values()].map(({ column }) => column)])];
const ATTEMPTS: AttemptDraft[] = [
  { item: "shop/a" },
  { item: "shop/b", verdicts: [{ confidence: 0.5 }] },
  { item: "shop/b", verdicts: [{ confidence: 0.5, flags: ["noop-pass"] }] },
  { item: "shop/c", verdicts: [{ passed: false, value: 0, failureMode: "wrong-rows" }] },
  { item: "shop/d", verdicts: [] },
  { item: "zoo/a", verdicts: [{ flags: ["noop-pass"] }] },
  { item: "zoo/b", verdicts: [] },
  { item: "zoo/c", verdicts: [] },
  { item: "zoo/d", verdicts: [] },
];

interface Written {
  lake: Lake;
  turns: string[];
  scopeOf: (text: string) => Scope;
}

const withLake = (use: (written: Written) => Promise<void>) =>
  withHome(async (home) => {
    const { run, turns } = await writeRun(home, { attempts: ATTEMPTS });
    const foreign = await writeRun(home, { number: 2, isForeign: true, attempts: [{ item: "moon/a", query: null }] });
    const runs: RunId[] = [run, foreign.run];
    const lake = await openLake(home);
    try {
      const scopeOf = (text: string): Scope => settingsOf(runs, { filter: parseFilter(text) });
      await use({ lake, turns: [...turns, ...foreign.turns], scopeOf });
    } finally {
      lake.close();
    }
  });

async function countsOf(lake: Lake, scope: Scope, ranges: readonly ItemRange[] = [ALL]) {
  const tally = clauseTally(scope.filter);
  for (const range of ranges) {
    const { sql, parameters } = filteredOutQuery(scope, range, 3);
    for (const row of await lake.query(sql, parameters)) tally.add(row);
  }
  return tally.counts();
}

async function rowsOf(lake: Lake, scope: Scope): Promise<FilterRow[]> {
  const { sql, parameters } = candidatesQuery(scope, ALL, COLUMNS);
  return (await lake.query(sql, parameters)) as FilterRow[];
}

it("an example counts for the first clause, in the order written, that refuses it", () =>
  withLake(async ({ lake, turns, scopeOf }) => {
    const text = "eval_passed=true and confidence>=0.9 and attempt>=1 and not (flag(noop-pass) or is_foreign=true)";
    const named = (...places: number[]) => places.map((place) => turns[place]);
    const expected = [
      { clause: "eval_passed=true", count: 5, examples: named(3, 4, 6) },
      { clause: "confidence>=0.9", count: 2, examples: named(1, 2) },
      { clause: "attempt>=1", count: 0, examples: [] },
      { clause: "not (flag(noop-pass) or is_foreign=true)", count: 2, examples: named(5, 9).sort() },
    ];
    expect(await countsOf(lake, scopeOf(text))).toEqual(expected);
    const ranges = ["sql:shop/b", "sql:zoo/c", "\u{10ffff}"].map((until, i, all) => ({
      after: all[i - 1] ?? "",
      until,
    }));
    expect(await countsOf(lake, scopeOf(text), ranges)).toEqual(expected);
    expect((await rowsOf(lake, scopeOf(text))).map(({ turn }) => turn)).toEqual(named(0));
  }));

it("a filter that is no `and` is one clause", () =>
  withLake(async ({ lake, scopeOf }) => {
    expect(await countsOf(lake, scopeOf("family=shop or family=zoo"))).toEqual([
      { clause: "family='shop' or family='zoo'", count: 1, examples: [expect.stringContaining("moon/a")] },
    ]);
  }));

it("the lake's own rows are let through and counted as each clause's tree says", () =>
  withLake(async ({ lake, scopeOf }) => {
    const everything = await rowsOf(lake, scopeOf("turn>=1"));
    expect(everything).toHaveLength(ATTEMPTS.length + 1);
    await fc.assert(
      fc.asyncProperty(anyFilter(few), async (tree) => {
        const scope = scopeOf(formatFilter(tree));
        const passing = everything.filter((row) => evaluate(tree, row));
        expect(await rowsOf(lake, scope)).toEqual(passing);
        const clauses = clausesOf(tree);
        const firsts = everything.map((row) => clauses.findIndex((clause) => !evaluate(clause, row)));
        expect((await countsOf(lake, scope)).map(({ count }) => count)).toEqual(
          clauses.map((_, i) => firsts.filter((first) => first === i).length),
        );
      }),
      { numRuns: 25, seed: 3 },
    );
  }));

it("every field is a column of the lake of its type", () =>
  withLake(async ({ lake, scopeOf }) => {
    const any = { text: "'x'", number: "1", boolean: "true" };
    const asked = [...FIELDS].map(
      ([name, { type }]) => `${name}=${any[type]} or ${name}!=${any[type]} or ${name} is null`,
    );
    const rows = await rowsOf(lake, scopeOf(`(${asked.join(") and (")})`));
    expect(rows).toHaveLength(ATTEMPTS.length + 1);
    const typed = { text: "string", number: "number", boolean: "boolean" };
    for (const [name, { column, type }] of FIELDS) {
      const values = rows.map((row) => row[column]).filter((value) => value !== null);
      expect([name, ...new Set(values.map((value) => typeof value))]).toEqual(
        values.length > 0 ? [name, typed[type]] : [name],
      );
    }
  }));

it.each([
  ["role=worker and phase=act and turns=1", 10],
  ["is_foreign=true", 1],
  ["is_clipped=true", 0],
  ["latency_ms<5", 10],
  ["exit_code=0", 9],
  ["value=0 or value is null", 5],
  ["not value>0", 5],
  ["flag(noop-pass) and confidence<0.9", 1],
])("%s is true of %i examples", (text, count) =>
  withLake(async ({ lake, scopeOf }) => {
    expect(await rowsOf(lake, scopeOf(text))).toHaveLength(count);
  }),
);
