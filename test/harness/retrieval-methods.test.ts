/** What every retrieval method keeps to: each file of `retrieval-methods/` is run. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { extensionIds, loadExtension } from "../../src/foundation/discovery.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { RetrievalMethod } from "../../src/harness/retrieval-method.ts";

const folder = join(PACKAGE_FOLDER, "src", "harness", "retrieval-methods");
const TEXTS = ["Count the red boats", "List the names of planes", "Count the red boats", ""];

describe.each(await extensionIds(folder))("the retrieval method %s", (id) => {
  const opened = async () => {
    const method = await loadExtension<RetrievalMethod>(folder, "retrieval", id);
    const similarity = method.open();
    for (const text of TEXTS) similarity.add(text);
    return similarity;
  };

  it("gives each text a score of at least 0, the same for the same text and at each look", async () => {
    const similarity = await opened();
    const scores = similarity.scores("How many red boats are there?");
    expect(scores).toHaveLength(TEXTS.length);
    expect(scores.every((score) => score >= 0)).toBe(true);
    expect(scores[0]).toBe(scores[2]);
    expect([...similarity.scores("How many red boats are there?")]).toEqual([...scores]);
  });

  it("scores what is about the task above what is not, and an empty text 0", async () => {
    const scores = (await opened()).scores("Count the red boats");
    expect(scores[0]).toBeGreaterThan(scores[1] ?? 0);
    expect(scores[3]).toBe(0);
  });

  it("has nothing to score before the first text", async () => {
    const method = await loadExtension<RetrievalMethod>(folder, "retrieval", id);
    expect(method.open().scores("anything")).toHaveLength(0);
    expect(method.summary).not.toBe("");
  });
});
