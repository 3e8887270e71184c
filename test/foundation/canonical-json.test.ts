import canonicalize from "canonicalize";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, hasCanonicalForm } from "../../src/foundation/canonical-json.ts";
import { hashJson, hashText } from "../../src/foundation/hashing.ts";

/** JSON has no minus zero: it is written as 0. */
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);

test("the sample of RFC 8785 is written as it prescribes", () => {
  const value = {
    numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
    literals: [null, true, false],
  };
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test("the text of a value reads back as the value", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(value);
    }),
  );
});

test("the order of keys does not change a hash", () => {
  const entries = fc.uniqueArray(fc.tuple(fc.string(), json), { selector: ([key]) => key });
  fc.assert(
    fc.property(entries, (pairs) => {
      expect(hashJson(Object.fromEntries(pairs))).toBe(hashJson(Object.fromEntries([...pairs].reverse())));
    }),
  );
});

test("every value is written as the library writes it, odd keys and depths too", () => {
  const key = fc.oneof(fc.string(), fc.constantFrom("10", "9", "__proto__", "a", "b", "toJSON"));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6 },
      json,
      fc.array(tie("tree")),
      fc.dictionary(key, tie("tree"), { noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      expect(canonicalJson(value)).toBe(canonicalize(value));
    }),
  );
  const deep = JSON.parse(`${"[".repeat(1000)}{"b":1,"a":2}${"]".repeat(1000)}`);
  expect(canonicalJson(deep)).toBe(canonicalize(deep));
});

test("a text or key with half of a surrogate pair, and a cycle, have no form", () => {
  const cycle: unknown[] = [];
  cycle.push({ cycle });
  expect(() => canonicalJson(["\ud800"])).toThrow("Lone surrogate");
  expect(() => canonicalJson({ "\udc00": 1 })).toThrow("Lone surrogate");
  expect(() => canonicalJson(cycle)).toThrow("Circular");
});

test("a value without JSON form is a bug", () => {
  for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, () => 1]) {
    expect(() => canonicalJson(value)).toThrow();
  }
});

test("a hash is SHA-256 in hex", () => {
  expect(hashText("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("what was read from JSON has a form where its texts, numbers and depth allow it, and only there", () => {
  const half = fc.constantFrom('"\\udc80"', '"a\\ud83d"', "1e999", '{"\\ude00":1}', '"\\ud83d\\ude00"', "1e308");
  const values = fc.tuple(json, fc.option(half)).map(([value, odd]) => {
    return JSON.parse(`{"a":[${JSON.stringify(value)},${odd ?? 1}]}`) as unknown;
  });
  const isWritten = (value: unknown) => {
    try {
      return canonicalJson(value) !== "";
    } catch {
      return false;
    }
  };
  fc.assert(fc.property(values, (value) => hasCanonicalForm(value) === isWritten(value)));
  const nested = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth)) as unknown;
  expect([200, 201, 100_000].map((depth) => hasCanonicalForm(nested(depth)))).toEqual([true, false, false]);
});
