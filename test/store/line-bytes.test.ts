import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../../src/foundation/canonical-json.ts";
import { firstText, itemObjects } from "../../src/store/line-bytes.ts";

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const text = fc.oneof(
  fc.string(),
  fc.constantFrom('"', "\\", '\\"', '"item":"', '","item":"x', "]}", '{"items":[', "☃🙂"),
);
const item = fc.record({ item: text, detail: fc.dictionary(text, fc.oneof(json, text)), family: text, task: text });

test("the items of a line come out as they went in, each with its id", () => {
  fc.assert(
    fc.property(fc.array(item), text, (items, other) => {
      const line = Buffer.from(canonicalJson({ at: "x", data: { items }, prev: other, seq: 1, type: "items_scanned" }));
      const found = [...itemObjects(line)];
      expect(found.map(({ object }) => `${object}`)).toEqual(items.map(canonicalJson));
      expect(found.map(({ item: id }) => JSON.parse(`"${id}"`))).toEqual(items.map(({ item: id }) => id));
    }),
  );
});

test("the text of a key is found behind any other texts", () => {
  fc.assert(
    fc.property(text, text, text, (before, attempt, after) => {
      const line = Buffer.from(canonicalJson({ at: before, data: { about: before, attempt, z: after } }));
      expect(JSON.parse(`"${firstText(line, "attempt")}"`)).toBe(attempt);
    }),
  );
});

test("bytes that are no such line give nothing and end", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 50 }),
      fc.constantFrom('"items":[', '"items":[{', '"items":[{"item":"'),
      (bytes, start) => {
        const found = [...itemObjects(Buffer.concat([Buffer.from(start), bytes]))];
        expect(found.length).toBeLessThanOrEqual(50);
      },
    ),
  );
  expect(firstText(Buffer.from('{"a":"b"}'), "attempt")).toHaveLength(0);
});
