import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DatasetRow } from "../../src/dataset/format.ts";
import jsonl from "../../src/dataset/formats/jsonl.ts";
import { sampleExample, toolExample } from "./sample-selection.ts";

const examples = [
  sampleExample(1),
  sampleExample(2, { model: null, baseHash: null, completion: [{ role: "assistant", content: 'naïve "☃"\u2028\n' }] }),
  toolExample(3),
];
const rows = examples.map(({ part: _, ...example }, n): DatasetRow => ({ id: `row-${n}`, ...example }));
const lines = rows.map((row) => jsonl.line(row));

/** Column sets that the `datasets` JSON loader takes for an agent's trace and reshapes. */
const TRACE_MARKERS = [
  ["type", "message"],
  ["type", "payload"],
  ["id", "source", "model", "system_prompt", "messages"],
  ["type", "id", "version", "cwd"],
];

describe("the jsonl format", () => {
  it("writes the rows of the golden file", async () => {
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(join(import.meta.dirname, "golden", "rows.jsonl"));
  });

  it("gives every row the same keys in the same order, on one line", () => {
    const keys = lines.map((line) => Object.keys(JSON.parse(line)));
    expect(new Set(keys.map((all) => all.join())).size).toBe(1);
    expect(lines.join("")).not.toContain("\n");
  });

  it("gives every column one type in every row", () => {
    const types = lines.map((line) => Object.values(JSON.parse(line)).map((value) => typeof value));
    expect(new Set(types.map((all) => all.join())).size).toBe(1);
    for (const line of lines) expect(line).toMatch(/"reward":\d\.\d+,/);
  });

  it("has none of the column sets that a loader reshapes as a trace", () => {
    const keys = Object.keys(JSON.parse(lines[0] as string));
    for (const marker of TRACE_MARKERS) expect(marker.every((key) => keys.includes(key))).toBe(false);
  });
});
