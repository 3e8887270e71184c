import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { createRenderer, type Renderer } from "../../src/render/renderer.ts";
import { textStream } from "../../src/render/text-stream.ts";
import { readTokenizerFiles } from "../../src/render/tokenizer-files.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";

let renderer: Renderer;

beforeAll(async () => {
  renderer = createRenderer(await readTokenizerFiles(await smollm2Tokenizer()));
}, 120_000);

function piecesOf(ids: number[]): string[] {
  const stream = textStream(renderer);
  return [...ids.map((id) => stream.push(id)), stream.end()];
}

test("the pieces of any text join to that text, and none is half a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
      const ids = renderer.encode(text);
      const pieces = piecesOf(ids);
      expect(pieces.join("")).toBe(renderer.decode(ids));
      if (!text.includes("\ufffd")) for (const piece of pieces.slice(0, -1)) expect(piece).not.toContain("\ufffd");
    }),
  );
});

test("the pieces of any ids join to their text without special tokens", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 49_151 }), { maxLength: 30 }), (ids) => {
      expect(piecesOf(ids).join("")).toBe(renderer.decode(ids, { skipSpecial: true }));
    }),
  );
});

test("a character of several tokens comes when it is whole", () => {
  const ids = renderer.encode("世🙂");
  expect(ids.length).toBeGreaterThan(2);
  expect(
    piecesOf(ids)
      .filter((piece) => piece !== "")
      .join("|"),
  ).toBe("世|🙂");
});
