/**
 * Which tokens llama.cpp evaluates together, and in which order. Both matter more than they should:
 *
 * - llama.cpp splits a batch into runs of consecutive sequence numbers, and each run reads all the weights once: in
 *   ascending order 16 sequences are one run, in the order in which their last tokens were sampled up to 16.
 * - Where the outputs of the splits are not in the batch's order, llama.cpp swaps their rows when the first is read. The
 *   binding reads them from several threads at once, so these swaps race, and an answer silently gets the tokens of
 *   another one. Batches made here never have anything to swap.
 *
 * So: single tokens come first, ascending; then longer stretches, each one token short of its end, where its output is;
 * then one stretch up to its end; and a stretch with several outputs is alone. (That this order always suffices is
 * shown by a property test over a copy of llama.cpp's split.)
 */
import type { BatchItem, EvaluationPriority, PrioritizedBatchItem } from "node-llama-cpp";
import { sumOf } from "../foundation/sums.ts";
import type { Evaluated } from "./target.ts";

/** The binding tells a strategy nothing of an item's sequence but this number, so it carries the sequence's. */
export function sequenceMark(sequenceNumber: number): EvaluationPriority {
  return sequenceNumber as EvaluationPriority;
}

/** Chooses the next batch from what waits to be evaluated; `size` is the most tokens that it may have. */
export function orderedBatch({ items, size }: { items: readonly BatchItem[]; size: number }): PrioritizedBatchItem[] {
  const ascending = items.toSorted((x, y) => x.evaluationPriority - y.evaluationPriority);
  const scored = ascending.find(({ logits }) => logits.filter(Boolean).length > 1);
  if (scored !== undefined) return [{ item: scored, processAmount: Math.min(scored.tokens.length, size) }];

  const singles = ascending.filter(({ tokens }) => tokens.length === 1);
  const stretches = ascending.filter(({ tokens }) => tokens.length > 1);
  // The shortest one is the likeliest to fit with its end.
  const last = stretches.toSorted((x, y) => x.tokens.length - y.tokens.length)[0];
  let room = size;
  const take = (item: BatchItem, most: number): PrioritizedBatchItem[] => {
    const processAmount = Math.min(most, room);
    room -= processAmount;
    return processAmount > 0 ? [{ item, processAmount }] : [];
  };
  const now = singles.flatMap((item) => take(item, 1));
  const end = last === undefined ? [] : take(last, last.tokens.length);
  const others = stretches.filter((item) => item !== last).flatMap((item) => take(item, item.tokens.length - 1));
  return [...now, ...others, ...end];
}

/** `orderedBatch` with a count of what it chose; the binding asks for a choice exactly once before each decode. */
export function countedBatches(): { chooseBatch: typeof orderedBatch; evaluated(): Evaluated } {
  let batches = 0;
  let tokens = 0;
  return {
    chooseBatch(waiting) {
      const chosen = orderedBatch(waiting);
      batches += 1;
      tokens += sumOf(chosen, ({ processAmount }) => processAmount);
      return chosen;
    },
    evaluated: () => ({ batches, tokens }),
  };
}
