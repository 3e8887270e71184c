/**
 * How a model behaves, told from its answers alone: whether it refuses, whether it runs in circles, whether it says the same
 * as another. Linear in the answer, whatever is in it.
 */
import type { Answer } from "./measure.ts";

/** A refusal is said at the beginning. */
const HEAD_CHARACTERS = 200;
/** How far back from its end an answer is looked at for a loop. */
const TAIL_CHARACTERS = 4000;
const LEAST_REPEATS = 3;
/** Shorter tails repeat by chance: dots, dashes. */
const LEAST_LOOP_CHARACTERS = 60;

const REFUSALS = [
  "i'm sorry, but",
  "i am sorry, but",
  "i'm sorry, i can",
  "i apologize, but",
  "i cannot ",
  "i can't ",
  "i can not ",
  "i'm unable to",
  "i am unable to",
  "i'm not able to",
  "i am not able to",
  "i won't ",
  "i will not ",
  "i must decline",
  "as an ai",
];

/** Whether the answer begins by refusing. A rule of thumb in English: it is for comparing two arms, not for counting. */
export function isRefusal({ text }: Answer): boolean {
  const head = text.slice(0, HEAD_CHARACTERS).toLowerCase().replaceAll("\u2019", "'");
  return REFUSALS.some((words) => head.includes(words));
}

/** Whether the answer repeats itself until it is cut off. */
export function isLoop({ text, isCut }: Answer): boolean {
  if (!isCut) return false;
  const tail = [...text.slice(-TAIL_CHARACTERS).trimEnd()].reverse();
  const repeats = prefixRepeats(tail);
  return repeats.some((length, period) => {
    const covered = period + length;
    return period > 0 && covered >= LEAST_REPEATS * period && covered >= LEAST_LOOP_CHARACTERS;
  });
}

/** Share of the prompts that both arms answered whose answers differ; null where there is none. */
export function changedFraction(
  base: ReadonlyMap<string, Answer>,
  candidate: ReadonlyMap<string, Answer>,
): number | null {
  const pairs = [...base].flatMap(([id, { text }]) => {
    const other = candidate.get(id);
    return other === undefined ? [] : [text !== other.text];
  });
  return fractionOf(pairs, (isChanged) => isChanged);
}

/** Share of what a rule holds for; null of nothing. */
export function fractionOf<T>(all: readonly T[], rule: (one: T) => boolean): number | null {
  return all.length === 0 ? null : all.filter(rule).length / all.length;
}

/**
 * For each place, how long what begins there equals what the list begins with.
 * Source: the Z-function; Gusfield 1997, Algorithms on Strings, Trees, and Sequences, section 1.4.
 */
function prefixRepeats(list: readonly string[]): number[] {
  const lengths = new Array<number>(list.length).fill(0);
  let from = 0;
  let to = 0;
  for (let at = 1; at < list.length; at++) {
    let length = at < to ? Math.min(to - at, lengths[at - from] as number) : 0;
    while (at + length < list.length && list[length] === list[at + length]) length += 1;
    lengths[at] = length;
    if (at + length > to) {
      from = at;
      to = at + length;
    }
  }
  return lengths;
}
