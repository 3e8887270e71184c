import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sumOf } from "../../src/foundation/sums.ts";
import { orderedBatch, sequenceMark } from "../../src/serve/llamacpp-batches.ts";

type Item = Parameters<typeof orderedBatch>[0]["items"][number];

function item(sequence: number, length: number, outputs: "last" | "all" | "none" = "last"): Item {
  const logits = Array.from(
    { length },
    (_, i) => outputs === "all" || (outputs === "last" && i === length - 1) || undefined,
  );
  return {
    tokens: new Array(length).fill(7),
    logits: logits as (true | undefined)[],
    evaluationPriority: sequenceMark(sequence),
  };
}

interface BatchToken {
  sequence: number;
  isOutput: boolean;
}

function batchOf(chosen: ReturnType<typeof orderedBatch>): BatchToken[] {
  return chosen.flatMap(({ item: { evaluationPriority, logits }, processAmount }) =>
    Array.from({ length: processAmount }, (_, i) => ({
      sequence: evaluationPriority as number,
      isOutput: logits[i] === true,
    })),
  );
}

/**
 * How llama.cpp splits a batch whose sequences have separate caches: each part takes equally many tokens of a run of
 * consecutive sequence numbers, in the order of their first unused tokens.
 * Source: llama.cpp, src/llama-batch.cpp, llama_batch_allocr::split_equal with `sequential`.
 */
function splitAsLlamaCpp(batch: BatchToken[]): number[][] {
  const used = new Set<number>();
  const parts: number[][] = [];
  while (used.size < batch.length) {
    const run: number[] = [];
    for (const [i, { sequence }] of batch.entries()) {
      if (used.has(i) || run.includes(sequence)) continue;
      if (run.length === 0 || sequence === (run.at(-1) as number) + 1) run.push(sequence);
    }
    const left = run.map((sequence) =>
      [...batch.keys()].filter((i) => !used.has(i) && batch[i]?.sequence === sequence),
    );
    const width = Math.min(...left.map(({ length }) => length));
    const part = left.flatMap((indices) => indices.slice(0, width));
    for (const i of part) used.add(i);
    parts.push(part);
  }
  return parts;
}

const waiting = fc
  .uniqueArray(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 16 })
  .chain((sequences) =>
    fc.tuple(
      ...sequences.map((sequence) =>
        fc
          .tuple(
            fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 80 })),
            fc.constantFrom("last", "last", "last", "all", "none"),
          )
          .map(([length, outputs]) => item(sequence, length, outputs as "last" | "all" | "none")),
      ),
    ),
  );

describe("a batch", () => {
  test("never makes llama.cpp bring its outputs back into order", () => {
    fc.assert(
      fc.property(waiting, fc.integer({ min: 16, max: 512 }), (items, size) => {
        const batch = batchOf(orderedBatch({ items, size }));
        const outputs = splitAsLlamaCpp(batch)
          .flat()
          .filter((i) => batch[i]?.isOutput);
        expect(outputs).toEqual(outputs.toSorted((x, y) => x - y));
      }),
      { numRuns: 2000 },
    );
  });

  test("has at least one token and at most as many as fit, each item once and no further than its end", () => {
    fc.assert(
      fc.property(waiting, fc.integer({ min: 1, max: 512 }), (items, size) => {
        const chosen = orderedBatch({ items, size });
        const total = sumOf(chosen, ({ processAmount }) => processAmount);
        expect(total).toBeGreaterThan(0);
        expect(total).toBeLessThanOrEqual(size);
        expect(new Set(chosen.map((one) => one.item)).size).toBe(chosen.length);
        for (const one of chosen) expect(one.processAmount).toBeLessThanOrEqual(one.item.tokens.length);
      }),
    );
  });

  test("gets everything evaluated in the end", () => {
    fc.assert(
      fc.property(waiting, (items) => {
        let left = [...items];
        for (let round = 0; left.length > 0; round++) {
          expect(round).toBeLessThan(100);
          for (const { item: done, processAmount } of orderedBatch({ items: left, size: 64 })) {
            const rest = {
              ...done,
              tokens: done.tokens.slice(processAmount),
              logits: done.logits.slice(processAmount),
            };
            left = left.filter((one) => one !== done);
            if (rest.tokens.length > 0) left.push(rest);
          }
        }
      }),
    );
  });

  test("of one token for each sequence is one run, whatever the order they came in", () => {
    const items = [5, 0, 3, 7, 1, 6, 2, 4].map((sequence) => item(sequence, 1));
    expect(splitAsLlamaCpp(batchOf(orderedBatch({ items, size: 512 })))).toHaveLength(1);
    expect(splitAsLlamaCpp(batchOf(items.map((one) => ({ item: one, processAmount: 1 })))).length).toBeGreaterThan(3);
  });

  test("takes a new prompt to its end beside those that are answering", () => {
    const items = [item(2, 40), item(0, 1), item(3, 1), item(1, 1)];
    const chosen = orderedBatch({ items, size: 512 });
    expect(
      chosen.map(({ item: { evaluationPriority }, processAmount }) => [evaluationPriority, processAmount]),
    ).toEqual([
      [0, 1],
      [1, 1],
      [3, 1],
      [2, 40],
    ]);
  });
});
