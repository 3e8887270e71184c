import fc from "fast-check";
import { expect, test } from "vitest";
import { stopText } from "../../src/serve/stop-text.ts";

function run(pieces: string[], stops: string[]): { text: string; isStopped: boolean } {
  const stop = stopText(stops);
  let text = "";
  for (const piece of pieces) {
    const met = stop.push(piece);
    text += met.text;
    if (met.isStopped) return { text, isStopped: true };
  }
  return { text: text + stop.end(), isStopped: false };
}

test("a stop string that is spread over pieces is found, and nothing of it is shown", () => {
  expect(run(["SELECT 1", ";\n", "\nmore"], [";\n\n"])).toEqual({ text: "SELECT 1", isStopped: true });
});

test("what only looked like the beginning of a stop string is shown later", () => {
  const stop = stopText(["<end>"]);
  expect(stop.push("a <en")).toEqual({ text: "a ", isStopped: false });
  expect(stop.push("emy")).toEqual({ text: "<enemy", isStopped: false });
  expect(stop.push(" <")).toEqual({ text: " ", isStopped: false });
  expect(stop.end()).toBe("<");
});

test("the earliest of several stop strings cuts", () => {
  expect(run(["abcdef"], ["e", "bc"])).toEqual({ text: "a", isStopped: true });
});

test("any text in any pieces is cut where the whole text would be", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
  const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 2, maxLength: 4 }), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 8 }), stops, (pieces, given) => {
      const whole = pieces.join("");
      const { text, isStopped } = run(pieces, given);
      const contained = given.filter((stop) => whole.includes(stop));
      expect(isStopped).toBe(contained.length > 0);
      if (isStopped) {
        expect(contained.some((stop) => whole.startsWith(text + stop))).toBe(true);
        expect(given.some((stop) => text.includes(stop))).toBe(false);
      } else {
        expect(text).toBe(whole);
      }
    }),
  );
});
