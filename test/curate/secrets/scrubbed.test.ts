import { expect, test } from "vitest";
import { scrubbed } from "../../../src/curate/index.ts";
import type { AnswerRow, Selection } from "../../../src/records/selection.ts";
import { sampleExample, sampleSelection } from "../../dataset/sample-selection.ts";

/** A row of the attempt at item `n` that asks and says this. */
const row = (n: number, asked: string, said: string): AnswerRow =>
  sampleExample(n, { prompt: [{ role: "user", content: asked }], completion: [{ role: "assistant", content: said }] });

async function textsOf(selection: Selection): Promise<string[]> {
  const texts: string[] = [];
  for await (const one of selection.rows())
    if (one.kind === "answer") texts.push(`${one.prompt[0]?.content}: ${one.completion[0]?.content}`);
  return texts;
}

const ROWS = [
  row(1, "Is db7.prod.corp up?", "ping db7.prod.corp"),
  row(2, "Is db8.prod.corp up?", "ping db8.prod.corp"),
  row(1, "And db8.prod.corp, beside db7.prod.corp?", "ping db8.prod.corp"),
];

test("placeholders are the same in all rows of an attempt, and begin anew in another one", async () => {
  const selection = await scrubbed(sampleSelection(ROWS), null);
  const texts = ["Is <HOST_1> up?: ping <HOST_1>", "Is <HOST_1> up?: ping <HOST_1>"];
  const read = [...texts, "And <HOST_2>, beside <HOST_1>?: ping <HOST_2>"];
  expect(await textsOf(selection)).toEqual(read);
  expect(selection.scrub.counts()).toEqual({ HOST: 7 });
  expect(await textsOf(selection)).toEqual(read);
  expect(selection.scrub.counts()).toEqual({ HOST: 7 });
});

test("texts and names stay as they are for a reason", async () => {
  const selection = await scrubbed(sampleSelection(ROWS), "made up");
  expect(await textsOf(selection)).toEqual(await textsOf(sampleSelection(ROWS)));
  expect(selection.scrub.nameOf(sampleExample(1).item)).toBe(sampleExample(1).item);
});
