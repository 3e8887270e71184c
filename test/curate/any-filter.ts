/** Filter trees of every shape, and rows of the lake's examples with and without values, for property tests. */
import fc from "fast-check";
import { FIELDS, type Field, type FieldType, type FieldValue } from "../../src/curate/fields.ts";
import { type FilterTree, joined, OPERATORS } from "../../src/curate/filter-tree.ts";
import { VERDICT_FLAGS } from "../../src/records/verdict.ts";
import type { FilterRow } from "./evaluate.ts";

type AnyValue = (type: FieldType) => fc.Arbitrary<FieldValue>;

/** Whatever an expression can hold. */
export const wild: AnyValue = (type) =>
  type === "number"
    ? fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
    : type === "boolean"
      ? fc.boolean()
      : fc.string({ unit: "binary" });

/** Few different values, so that rows and filters often agree. */
export const few: AnyValue = (type) =>
  type === "number"
    ? fc.oneof({ weight: 6, arbitrary: fc.constantFrom(0, 1, 2) }, fc.constantFrom(0.9, -1.5, 1e300, 2 ** 63, 5e-324))
    : type === "boolean"
      ? fc.boolean()
      : fc.constantFrom("", "a", "b", "B", "null", "true", "1", "é", "e\u0301", "\0", "'", "a b");

function anyLeaf(value: AnyValue): fc.Arbitrary<FilterTree> {
  const isNegated = fc.boolean();
  const ofField = ([field, { type }]: [string, Field]) =>
    fc.oneof(
      fc.record({
        kind: fc.constant("compare" as const),
        field: fc.constant(field),
        operator: fc.constantFrom(...(type === "number" ? OPERATORS : (["=", "!="] as const))),
        value: value(type),
      }),
      fc.record({
        kind: fc.constant("in" as const),
        field: fc.constant(field),
        isNegated,
        values: fc.array(value(type), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant("null" as const), field: fc.constant(field), isNegated }),
    );
  const flag = fc.record({ kind: fc.constant("flag" as const), flag: fc.constantFrom(...VERDICT_FLAGS) });
  return fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...FIELDS).chain(ofField) }, { weight: 1, arbitrary: flag });
}

/** Trees up to five deep. */
export function anyFilter(value: AnyValue): fc.Arbitrary<FilterTree> {
  const leaf = anyLeaf(value);
  const above = (tree: fc.Arbitrary<FilterTree>): fc.Arbitrary<FilterTree> =>
    fc.oneof(
      leaf,
      tree.map((negated): FilterTree => ({ kind: "not", negated })),
      fc
        .tuple(fc.constantFrom("and" as const, "or" as const), fc.array(tree, { minLength: 1, maxLength: 3 }))
        .map(([kind, trees]) => joined(kind, trees)),
    );
  return above(above(above(above(leaf))));
}

const flags = fc.option(fc.subarray([...VERDICT_FLAGS], { maxLength: 2 }));

/** Columns of whole numbers in the lake; the other numbers are fractions. */
export const WHOLE: Readonly<Record<string, string>> = {
  attempt_number: "INTEGER",
  turn_number: "INTEGER",
  turns: "BIGINT",
  prompt_tokens: "BIGINT",
  completion_tokens: "BIGINT",
  exit_code: "BIGINT",
};

/** A row that has every column, about a third of them without a value. */
export const anyRow: fc.Arbitrary<FilterRow> = fc
  .record(
    Object.fromEntries(
      [...FIELDS.values()].map(({ column, type }) => [
        column,
        fc.option(column in WHOLE ? fc.constantFrom(0, 1, 2, 2 ** 31 - 1) : few(type), { freq: 2 }),
      ]),
    ),
  )
  .chain((row) => flags.map((held): FilterRow => ({ ...row, flags: held })));
