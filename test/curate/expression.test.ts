import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFilter } from "../../src/curate/compile.ts";
import { type FilterTree, formatFilter, OPERATORS, parseFilter } from "../../src/curate/expression.ts";
import { FIELDS } from "../../src/curate/fields.ts";
import { Refusal } from "../../src/foundation/errors.ts";

const comparison: fc.Arbitrary<FilterTree> = fc.constantFrom(...FIELDS).chain(([field, { type }]) =>
  fc.record({
    kind: fc.constant("compare" as const),
    field: fc.constant(field),
    operator: fc.constantFrom(...(type === "number" ? OPERATORS : (["=", "!="] as const))),
    value:
      type === "number"
        ? fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
        : type === "boolean"
          ? fc.boolean()
          : fc.string({ unit: "binary" }),
  }),
);
const tree: fc.Arbitrary<FilterTree> = fc
  .array(comparison, { minLength: 1, maxLength: 5 })
  .map((all) => (all.length === 1 ? (all[0] as FilterTree) : { kind: "and", all }));

/** Everything that a compiled condition may consist of. */
const SAFE_SQL = new RegExp(
  `^\\(?(e\\.(${[...FIELDS.values()].map(({ column }) => column).join("|")}) (${OPERATORS.join("|")}) \\$filter\\d+( AND )?)+\\)?$`,
);

describe("a filter expression", () => {
  it("is read into fields, operators and typed values", () => {
    expect(parseFilter('eval_passed=true and confidence >= 0.9 AND kind=\'group by\' and model != "a""b"')).toEqual({
      kind: "and",
      all: [
        { kind: "compare", field: "eval_passed", operator: "=", value: true },
        { kind: "compare", field: "confidence", operator: ">=", value: 0.9 },
        { kind: "compare", field: "kind", operator: "=", value: "group by" },
        { kind: "compare", field: "model", operator: "!=", value: 'a"b' },
      ],
    });
  });

  it("takes a bare word as it is, also one that begins with `and`", () => {
    expect(parseFilter("item=sql:shop/3-a and family=android")).toMatchObject({
      all: [{ value: "sql:shop/3-a" }, { value: "android" }],
    });
  });

  it("reads back what was written, for every tree", () => {
    fc.assert(
      fc.property(tree, (written) => {
        expect(parseFilter(formatFilter(written))).toEqual(written);
      }),
    );
  });

  it("lets no text of the user into the SQL, only into its parameters", () => {
    fc.assert(
      fc.property(tree, (written) => {
        const { sql, parameters } = compileFilter(written, "e");
        expect(sql).toMatch(SAFE_SQL);
        const leaves = written.kind === "and" ? written.all : [written];
        expect(Object.values(parameters)).toEqual(leaves.map((leaf) => (leaf as { value: unknown }).value));
        expect(sql.match(/\$\w+/g)).toEqual(Object.keys(parameters).map((name) => `$${name}`));
      }),
    );
  });

  it("is refused or read, but never fails otherwise, whatever the text", () => {
    const pieces = fc.constantFrom(
      "eval_passed",
      "=",
      "true",
      " and ",
      "'",
      '"',
      ")",
      ";",
      "--",
      "\0",
      "kind",
      "1e999",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(pieces).map((all) => all.join("")),
        ),
        (text) => {
          try {
            expect(compileFilter(parseFilter(text), "e").sql).toMatch(SAFE_SQL);
          } catch (error) {
            expect(error).toBeInstanceOf(Refusal);
          }
        },
      ),
    );
  });

  it.each([
    ["evalpassed=true", "UNKNOWN_FILTER_FIELD", /did you mean "eval_passed"/],
    ["messages=x", "UNKNOWN_FILTER_FIELD", /eval_passed/],
    ["", "BAD_FILTER", /a field name/],
    ["eval_passed", "BAD_FILTER", /one of = != </],
    ["eval_passed=yes", "BAD_FILTER", /true or false/],
    ["confidence>=high", "BAD_FILTER", /a number/],
    ["confidence>=1e999", "BAD_FILTER", /a number/],
    ["kind<b", "BAD_FILTER", /kind is a text/],
    ["eval_passed=true or kind=a", "BAD_FILTER", /`and` or the end/],
    ["kind='open", "BAD_FILTER", /a value/],
    ["kind=a and ", "BAD_FILTER", /a field name/],
    ["kind=a;drop table runs", "BAD_FILTER", /`and` or the end/],
  ])("refuses %j", (text, code, said) => {
    try {
      parseFilter(text);
      expect.unreachable("it was read");
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
      expect((error as Refusal).code).toBe(code);
      const { expected, fix } = (error as Refusal).details;
      expect(`${expected} ${fix}`).toMatch(said);
    }
  });

  it("says at which character it could not be read", () => {
    expect(() => parseFilter("kind=a and confidence>=x")).toThrowError(
      expect.objectContaining({ details: expect.objectContaining({ where: "--filter, character 24", got: '"x"' }) }),
    );
  });
});
