import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compileFilters } from "../../src/curate/compile.ts";
import { parseFilter } from "../../src/curate/expression.ts";
import { FIELDS, type FieldValue } from "../../src/curate/fields.ts";
import { type FilterTree, OPERATORS } from "../../src/curate/filter-tree.ts";
import { type Database, openDatabase, rowsOf } from "../../src/store/duckdb.ts";
import { anyFilter, anyRow, few, WHOLE, wild } from "./any-filter.ts";
import { evaluate, type FilterRow } from "./evaluate.ts";

const COLUMNS = [...FIELDS.values()].map(({ column, type }) => {
  const sqlType = WHOLE[column] ?? { text: "VARCHAR", number: "DOUBLE", boolean: "BOOLEAN" }[type];
  return { column, sqlType };
});
const ROWS = 40;

let database: Database;
let rows: FilterRow[];

beforeAll(async () => {
  database = await openDatabase({ memoryLimitMb: 128, threads: 1, spillFolder: "" });
  const columns = COLUMNS.map(({ column, sqlType }) => `"${column}" ${sqlType}`);
  await database.run(`CREATE TABLE examples (id INTEGER, ${columns.join(", ")}, flags VARCHAR[])`);
  rows = fc.sample(anyRow, { numRuns: ROWS, seed: 1 });
  for (const [id, row] of rows.entries()) await insert(id, row);
});
afterAll(() => database.close());

async function insert(id: number, { flags, ...row }: FilterRow): Promise<void> {
  const held = Array.isArray(flags) ? flags : null;
  const parameters = Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, typeof value === "number" ? String(value) : value]),
  ) as Record<string, string | boolean | null>;
  const values = COLUMNS.map(({ column, sqlType }) => `$${column}::${sqlType}`);
  const list = held === null ? "NULL" : `[${held.map((_, i) => `$flag${i}`)}]::VARCHAR[]`;
  const named = Object.fromEntries((held ?? []).map((flag, i) => [`flag${i}`, flag]));
  await rowsOf(
    database.stream(`INSERT INTO examples VALUES (${id}, ${values.join(", ")}, ${list})`, { ...parameters, ...named }),
  );
}

/** The rows of which SQL says that the condition is true, and those of which it says that it is unknown. */
async function bySql(tree: FilterTree): Promise<{ isTrue: number[]; unknown: number }> {
  const { sql, parameters } = compileFilters([tree], "e");
  const found = await rowsOf(
    database.stream(`SELECT id, ${sql[0]} AS is_true FROM examples e ORDER BY id`, parameters),
  );
  return {
    isTrue: found.filter(({ is_true }) => is_true === true).map(({ id }) => Number(id)),
    unknown: found.filter(({ is_true }) => is_true === null).length,
  };
}

const byTree = (tree: FilterTree) => [...rows.keys()].filter((id) => evaluate(tree, rows[id] as FilterRow));

it("what SQL says of a row is what the tree says of it, and never unknown", async () => {
  let mixed = 0;
  await fc.assert(
    fc.asyncProperty(anyFilter(few), async (tree) => {
      const expected = byTree(tree);
      if (expected.length > 0 && expected.length < ROWS) mixed++;
      expect(await bySql(tree)).toEqual({ isTrue: expected, unknown: 0 });
    }),
    { numRuns: 600, seed: 7 },
  );
  expect(mixed).toBeGreaterThan(200); // filters that are true of all rows or of none would show little
});

it("values of every kind are taken by DuckDB as they are", async () => {
  await fc.assert(
    fc.asyncProperty(anyFilter(wild), async (tree) => {
      expect(await bySql(tree)).toEqual({ isTrue: byTree(tree), unknown: 0 });
    }),
    { numRuns: 200, seed: 7 },
  );
});

it.each([
  ["confidence>=0.9", false],
  ["not confidence>=0.9", true],
  ["not not confidence>=0.9", false],
  ["confidence!=0.9", false],
  ["confidence in (0.9)", false],
  ["confidence not in (0.9)", false],
  ["not confidence not in (0.9)", true],
  ["confidence is null", true],
  ["confidence is not null", false],
  ["flag(noop-pass)", false],
  ["not flag(noop-pass)", true],
  ["eval_passed=true or confidence<0.9", false],
  ["not (eval_passed=true and confidence<0.9)", true],
])("%s of a row without a value is %s", async (text, isTrue) => {
  const tree = parseFilter(text);
  expect(evaluate(tree, {})).toBe(isTrue);
  const { sql, parameters } = compileFilters([tree], "e");
  const empty = `(SELECT NULL::DOUBLE AS confidence, NULL::BOOLEAN AS eval_passed, NULL::VARCHAR[] AS flags) e`;
  const [row] = await rowsOf(database.stream(`SELECT ${sql[0]} AS is_true FROM ${empty}`, parameters));
  expect(row?.is_true).toBe(isTrue);
});

it("no text of the user comes into the SQL, only into its parameters", () => {
  const columns = COLUMNS.map(({ column }) => column).join("|");
  const words = `coalesce|list_contains|NOT NULL|NOT IN|NOT|AND|OR|IN|IS|NULL|false|::DOUBLE|e\\.flags`;
  const safe = new RegExp(`^(?:${words}|e\\."(?:${columns})"|\\$filter\\d+|${OPERATORS.join("|")}|[(), ])+$`);
  fc.assert(
    fc.property(fc.array(anyFilter(wild), { minLength: 1, maxLength: 3 }), (trees) => {
      const { sql, parameters } = compileFilters(trees, "e");
      const values = trees.flatMap(valuesOf);
      expect(sql).toHaveLength(trees.length);
      for (const condition of sql) expect(condition).toMatch(safe);
      expect(Object.values(parameters).map(String)).toEqual(values.map(String));
      expect(sql.join(" ").match(/\$\w+/g) ?? []).toEqual(Object.keys(parameters).map((name) => `$${name}`));
    }),
  );
});

function valuesOf(tree: FilterTree): FieldValue[] {
  switch (tree.kind) {
    case "and":
    case "or":
      return tree.of.flatMap(valuesOf);
    case "not":
      return valuesOf(tree.negated);
    case "compare":
      return [tree.value];
    case "in":
      return tree.values;
    case "null":
      return [];
    case "flag":
      return [tree.flag];
  }
}

it("the longest and the deepest expressions are taken by DuckDB", async () => {
  const wide = Array(1600).fill("turn=1").join(" or ");
  const deep = `${"not (turn=1 and ".repeat(32)}turn=2${")".repeat(32)}`;
  const list = `kind in (${Array(3000).fill("a")})`;
  for (const text of [wide, deep, list]) {
    const tree = parseFilter(text);
    expect((await bySql(tree)).isTrue).toEqual(byTree(tree));
  }
});
