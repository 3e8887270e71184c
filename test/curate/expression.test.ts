import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_DEPTH, MAX_LENGTH, parseFilter } from "../../src/curate/expression.ts";
import { formatFilter } from "../../src/curate/filter-tree.ts";
import { Refusal } from "../../src/foundation/errors.ts";
import { anyFilter, wild } from "./any-filter.ts";

const said = (text: string) => formatFilter(parseFilter(text));

function refusalOf(text: string): Refusal {
  try {
    parseFilter(text);
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    return error as Refusal;
  }
  return expect.unreachable("it was read");
}

describe("a filter expression", () => {
  it("is read into fields, operators and typed values", () => {
    expect(parseFilter('eval_passed=true and confidence >= 0.9 AND kind=\'group by\' and model != "a""b"')).toEqual({
      kind: "and",
      of: [
        { kind: "compare", field: "eval_passed", operator: "=", value: true },
        { kind: "compare", field: "confidence", operator: ">=", value: 0.9 },
        { kind: "compare", field: "kind", operator: "=", value: "group by" },
        { kind: "compare", field: "model", operator: "!=", value: 'a"b' },
      ],
    });
  });

  it("is read into lists, flags and questions of absence", () => {
    const text =
      "eval_passed=true and confidence>=0.9 and attempt=1 and not flag(noop-pass) and family in (sshd,audit)" +
      " and kind not in ('c d') and value is null and split IS NOT NULL";
    expect(parseFilter(text)).toEqual({
      kind: "and",
      of: [
        { kind: "compare", field: "eval_passed", operator: "=", value: true },
        { kind: "compare", field: "confidence", operator: ">=", value: 0.9 },
        { kind: "compare", field: "attempt", operator: "=", value: 1 },
        { kind: "not", negated: { kind: "flag", flag: "noop-pass" } },
        { kind: "in", field: "family", isNegated: false, values: ["sshd", "audit"] },
        { kind: "in", field: "kind", isNegated: true, values: ["c d"] },
        { kind: "null", field: "value", isNegated: false },
        { kind: "null", field: "split", isNegated: true },
      ],
    });
  });

  it.each([
    ["kind=a or kind=b and kind=c", "kind='a' or kind='b' and kind='c'", "or"],
    ["(kind=a or kind=b) and kind=c", "(kind='a' or kind='b') and kind='c'", "and"],
    ["not kind=a and kind=b", "not kind='a' and kind='b'", "and"],
    ["not(kind=a and kind=b)", "not (kind='a' and kind='b')", "not"],
    ["Not Not Flag( 'noop-pass' )", "not not flag(noop-pass)", "not"],
    ["((kind=a and (kind=b and kind=c)))", "kind='a' and kind='b' and kind='c'", "and"],
    ["NOT(kind IN(a))OR(turn<2)", "not kind in ('a') or turn<2", "or"],
    ["eval_passed=TRUE", "eval_passed=true", "compare"],
    ["kind='null'", "kind='null'", "compare"],
    ["attempt in (-0, +1.50, 1e3)", "attempt in (0, 1.5, 1000)", "in"],
  ])("%j has the usual precedence and is written out as %j", (text, written, kind) => {
    expect(said(text)).toBe(written);
    expect(parseFilter(text).kind).toBe(kind);
  });

  it("takes a bare word as it is, also one that is or begins with a word of the language", () => {
    expect(said("item=sql:shop/3-a and family=android")).toBe("item='sql:shop/3-a' and family='android'");
    expect(said("kind=and and family in (or, inner)")).toBe("kind='and' and family in ('or', 'inner')");
  });

  it("reads back what was written, for every tree", () => {
    fc.assert(
      fc.property(anyFilter(wild), (written) => {
        expect(parseFilter(formatFilter(written))).toEqual(written);
      }),
    );
  });

  it("says at which character it could not be read", () => {
    expect(refusalOf("kind=a and confidence>=x").details).toMatchObject({
      where: "--filter, character 24",
      got: '"x"',
    });
    expect(refusalOf("kind=a and (confdence>=1)").details.where).toBe("--filter, character 13");
  });
});

describe("what cannot be read", () => {
  it.each([
    ["evalpassed=true", "UNKNOWN_FILTER_FIELD", /did you mean "eval_passed"/],
    ["messages=x", "UNKNOWN_FILTER_FIELD", /eval_passed/],
    ["flag(noop-pas)", "UNKNOWN_VERDICT_FLAG", /did you mean "noop-pass"/],
    ["flag(noop-pass", "BAD_FILTER", /\)/],
    ["flag=noop-pass", "BAD_FILTER", /\( and a verdict flag/],
    ["", "BAD_FILTER", /a field name/],
    ["eval_passed", "BAD_FILTER", /one of = != </],
    ["eval_passed=yes", "BAD_FILTER", /true or false/],
    ["confidence>=high", "BAD_FILTER", /a number/],
    ["confidence>=1e999", "BAD_FILTER", /a number/],
    ["confidence in (1, high)", "BAD_FILTER", /a number/],
    ["confidence=null", "BAD_FILTER", /`confidence is null` asks/],
    ["family in (null)", "BAD_FILTER", /`family is null` asks/],
    ["kind<b", "BAD_FILTER", /kind is a text/],
    ["eval_passed=true or", "BAD_FILTER", /a field name/],
    ["eval_passed=true xor kind=a", "BAD_FILTER", /`and`, `or` or the end/],
    ["kind=a and and kind=b", "BAD_FILTER", /a field name/],
    ["kind='open", "BAD_FILTER", /a value/],
    ["kind=a and ", "BAD_FILTER", /a field name/],
    ["kind=a;drop table runs", "BAD_FILTER", /`and`, `or` or the end/],
    ["kind=a)", "BAD_FILTER", /`and`, `or` or the end/],
    ["(kind=a", "BAD_FILTER", /`and`, `or` or \)/],
    ["kind in ()", "BAD_FILTER", /a value/],
    ["kind in a", "BAD_FILTER", /a list such as/],
    ["kind in (a b)", "BAD_FILTER", /, or \)/],
    ["kind not a", "BAD_FILTER", /`in` and a list/],
    ["kind is a", "BAD_FILTER", /`null` or `not null`/],
    ["kind=\ud800", "BAD_FILTER", /whole characters/],
  ])("is refused: %j", (text, code, told) => {
    const refusal = refusalOf(text);
    expect(refusal.code).toBe(code);
    expect(refusal.details.where).toMatch(/^--filter, character \d+$/);
    expect(`${refusal.details.expected} ${refusal.details.fix}`).toMatch(told);
  });

  it.each([
    ["parentheses", "(", ")"],
    ["negations", "not ", ""],
  ])("is refused for %s one deeper than may be, and for as many as fit", (_, open, close) => {
    const nested = (depth: number) => `${open.repeat(depth)}turn=1${close.repeat(depth)}`;
    expect(parseFilter(nested(MAX_DEPTH))).toBeTruthy();
    for (const depth of [MAX_DEPTH + 1, 4_900]) {
      expect(refusalOf(nested(depth)).details).toMatchObject({
        expected: expect.stringContaining("at most 64"),
        where: `--filter, character ${MAX_DEPTH * open.length + 1}`,
      });
    }
  });

  it("is refused for its length, as it is or written out", () => {
    for (const text of [
      "(".repeat(MAX_LENGTH + 1),
      "(".repeat(1_000_000),
      `kind='${"x".repeat(MAX_LENGTH)}'`,
      `kind in (${Array(MAX_LENGTH / 2 - 10).fill("x")})`,
    ])
      expect(refusalOf(text)).toMatchObject({ code: "BAD_FILTER", details: { where: "--filter" } });
  });

  it("is a refusal and nothing else, whatever the text; what is read is written as what reads back", () => {
    const pieces = fc.constantFrom(
      ...[
        "eval_passed",
        "kind",
        "turn",
        "=",
        "<",
        "true",
        "1",
        "1e999",
        " and ",
        " or ",
        "not ",
        " in ",
        " is ",
        "null",
      ],
      ...["(", ")", ",", "flag", "noop-pass", "'", '"', ";", "--", "\0", "kind=a", "turn<2"],
    );
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(pieces, { maxLength: 20 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const tree = parseFilter(text);
          expect(parseFilter(formatFilter(tree))).toEqual(tree);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
