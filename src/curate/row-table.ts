/**
 * What is remembered of each row that was put aside, until all have been seen: numbers alone, some 350 bytes a row with
 * what near-duplicates are found by, as there may be hundreds of thousands. Of rows that say the same the best is kept.
 */
import { hashText } from "../foundation/hashing.ts";
import { type NumberList, numberList } from "../foundation/number-list.ts";
import { originsOf } from "../records/selection.ts";
import { plainText } from "./answer.ts";
import { balanced } from "./balance.ts";
import type { SpillPlace } from "./example-spill.ts";
import { nearDuplicates } from "./near/near-duplicates.ts";
import type { SelectionSettings } from "./selection-settings.ts";
import type { TierRow } from "./tier.ts";

export interface RowTable {
  /** Rows of one item come one after another. */
  add(row: TierRow, place: SpillPlace): void;
  isTrain(row: number): boolean;
  placeOf(row: number): SpillPlace;
  /**
   * Returns the chosen rows in an order that only the seed and the turns' names decide, so that a first part is a fair
   * sample, and says of every other row why it is not chosen and which row stands for it.
   */
  choose(refuse: (row: number, reason: string, kept: number | null) => void): Uint32Array;
}

const DIGITS = 13; // as many as a number holds exactly
const NOT_COUNTED = 2 ** 32 - 1;

/** Makes an empty table. */
export function rowTable({ seed, balance, nearThreshold }: SelectionSettings): RowTable {
  const keys = [numberList("float64"), numberList("float64")] as const; // 104 bits: no two of any number are the same
  const ranks = numberList("float64");
  const trains = numberList("uint32");
  const tokens = numberList("uint32");
  const items = numberList("uint32");
  const families = namedGroups();
  const skills = namedGroups();
  const startBytes = numberList("float64");
  const sizesBytes = numberList("uint32");
  const near = nearThreshold === null ? null : nearDuplicates({ threshold: nearThreshold, seed });
  let lastItem = "";
  let itemCount = 0;

  /** Validation before train (a held-out copy must win), then fewest completion tokens. */
  const worthOf = (row: number) => trains.at(row) * 2 ** 33 + tokens.at(row);
  const byKey = (x: number, y: number) => keys[0].at(x) - keys[0].at(y) || keys[1].at(x) - keys[1].at(y);

  function copies(): Map<number, number> {
    const sorted = Uint32Array.from({ length: ranks.length }, (_, row) => row);
    sorted.sort((x, y) => byKey(x, y) || worthOf(x) - worthOf(y) || x - y);
    const copyOf = new Map<number, number>();
    for (const [i, row] of sorted.entries()) {
      const before = sorted[i - 1];
      if (before !== undefined && byKey(row, before) === 0) copyOf.set(row, copyOf.get(before) ?? before);
    }
    return copyOf;
  }

  return {
    add({ row, of: [first], key }, { startByte, sizeBytes }) {
      for (const [i, list] of keys.entries()) list.push(digits(key, i));
      ranks.push(digits(hashText(`${seed}:${originsOf(row)[0].turn}`), 0));
      trains.push(Number(row.part === "train"));
      tokens.push(first.completionTokens ?? NOT_COUNTED);
      if (row.item !== lastItem) itemCount += 1;
      lastItem = row.item;
      items.push(itemCount);
      families.push(`${row.skill}/${row.family}`);
      skills.push(row.skill);
      startBytes.push(startByte);
      sizesBytes.push(sizeBytes);
      near?.add(comparedText(row));
    },
    isTrain: (row) => trains.at(row) === 1,
    placeOf: (row) => ({ startByte: startBytes.at(row), sizeBytes: sizesBytes.at(row) }),
    choose(refuse) {
      const copyOf = copies();
      const isOfOtherItems = (x: number, y: number) => items.at(x) !== items.at(y);
      const likeOf = near?.resolve({ worth: worthOf, isComparable: isOfOtherItems });
      const distinct = Uint32Array.from({ length: ranks.length }, (_, row) => row).filter((row) => {
        const copied = copyOf.get(row);
        const like = likeOf?.[row] ?? -1;
        if (copied !== undefined) refuse(row, "exact-duplicate", copied);
        else if (like >= 0) refuse(row, "near-duplicate", like);
        return copied === undefined && like < 0;
      });
      const shuffled = distinct.sort((x, y) => ranks.at(x) - ranks.at(y) || x - y);
      const isHeld = (row: number) => trains.at(row) === 0;
      let kept: Uint32Array = shuffled.filter((row) => !isHeld(row));
      for (const [groups, temperature] of [
        [families, balance.families],
        [skills, balance.skills],
      ] as const) {
        const { kept: left, refused } = balanced(kept, groups.at, temperature);
        for (const row of refused) refuse(row, "balance", null);
        kept = left;
      }
      const isKept = new Set(kept);
      return shuffled.filter((row) => isHeld(row) || isKept.has(row));
    },
  };
}

/** What two rows of different items are compared by: what the task says, and the answers. */
function comparedText(row: TierRow["row"]): string {
  const task = row.prompt.filter(({ role }) => role !== "system").map(plainText);
  const answers = row.kind === "answer" ? row.completion : [row.chosen, row.rejected];
  return [...task, ...answers.map(plainText)].join("\n");
}

interface NamedGroups extends Pick<NumberList, "at"> {
  push(name: string): void;
}

/** The name of each row's group, as a number. */
function namedGroups(): NamedGroups {
  const numbers = new Map<string, number>();
  const list = numberList("uint32");
  return {
    at: (row) => list.at(row),
    push(name) {
      const number = numbers.get(name) ?? numbers.size;
      numbers.set(name, number);
      list.push(number);
    },
  };
}

function digits(hash: string, n: number): number {
  return Number.parseInt(hash.slice(n * DIGITS, (n + 1) * DIGITS), 16);
}
