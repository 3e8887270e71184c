/**
 * What is remembered of each row that was put aside, until all have been seen: numbers alone, some 350 bytes a row with
 * what near-duplicates are found by, as there may be hundreds of thousands. Of rows that say the same the best is kept.
 */
import { type NumberList, numberList } from "../foundation/number-list.ts";
import { looksTooLong, plainText } from "./answer.ts";
import { balanced } from "./balance.ts";
import type { Candidate } from "./candidate.ts";
import type { SpillPlace } from "./example-spill.ts";
import { nearDuplicates } from "./near/near-duplicates.ts";
import { rowRank } from "./row-rank.ts";
import type { SelectionSettings } from "./selection-settings.ts";
import type { TierRow } from "./tier.ts";

export interface RowTable {
  /** Rows of one item come one after another; `task` says in words what it asks for. */
  add(row: TierRow, place: SpillPlace, task: string): void;
  isTrain(row: number): boolean;
  placeOf(row: number): SpillPlace;
  /**
   * Returns the chosen rows in the order of their ranks (`row-rank.ts`), and says of every other row why it is not chosen
   * and which row stands for it.
   */
  choose(refuse: RefuseRow): Uint32Array;
}

type RefuseRow = (row: number, reason: string, kept: number | null) => void;

const DIGITS = 13; // as many as a number holds exactly
const NOT_COUNTED = 2 ** 32 - 1;
/**
 * What is worse than any number of tokens, so that the other row is kept: one that looks too long, a bad answer; and a row
 * that is trained on.
 */
const LONG = 2 ** 32;
const BAD = 2 ** 33;
const TRAIN = 2 ** 34;

/** Makes an empty table. */
export function rowTable({ seed, balance, nearThreshold, maxTokens }: SelectionSettings): RowTable {
  const columns = emptyColumns();
  const near = nearThreshold === null ? null : nearDuplicates({ threshold: nearThreshold, seed });
  let lastItem = "";
  let itemCount = 0;

  return {
    add({ row, of: [first], key }, { startByte, sizeBytes }, task) {
      for (const [i, list] of columns.keys.entries()) list.push(digits(key, i));
      columns.ranks.push(digits(rowRank(row, seed), 0));
      columns.worths.push(worthOf(row, first, { maxTokens }));
      if (row.item !== lastItem) itemCount += 1;
      lastItem = row.item;
      columns.items.push(itemCount);
      columns.families.push(`${row.skill}/${row.family}`);
      columns.skills.push(row.skill);
      columns.startBytes.push(startByte);
      columns.sizesBytes.push(sizeBytes);
      near?.add(comparedText(row, task));
    },
    isTrain: (row) => columns.worths.at(row) >= TRAIN,
    placeOf: (row) => ({ startByte: columns.startBytes.at(row), sizeBytes: columns.sizesBytes.at(row) }),
    choose(refuse) {
      const { items, worths, ranks } = columns;
      const likeOf = near?.resolve({
        worth: worths.at,
        isComparable: (row, kept) => items.at(row) !== items.at(kept),
      });
      const distinct = withoutCopies(columns, { likeOf, refuse });
      const shuffled = distinct.sort((x, y) => ranks.at(x) - ranks.at(y) || x - y);
      return evenedOut(shuffled, columns, { balance, refuse });
    },
  };
}

interface Columns {
  /** 104 bits of the row's key: no two of any number are the same. */
  keys: readonly [NumberList, NumberList];
  ranks: NumberList;
  /** Lower is better: validation before train (a held-out copy must win), good before bad, what fits before what looks too long, then fewest completion tokens. */
  worths: NumberList;
  items: NumberList;
  families: NamedGroups;
  skills: NamedGroups;
  startBytes: NumberList;
  sizesBytes: NumberList;
}

function worthOf(row: TierRow["row"], first: Candidate, settings: Pick<SelectionSettings, "maxTokens">): number {
  const isBad = row.kind === "answer" && !row.label;
  const worse = (row.part === "train" ? TRAIN : 0) + (isBad ? BAD : 0) + (looksTooLong(first, settings) ? LONG : 0);
  return worse + (first.completionTokens ?? NOT_COUNTED);
}

function emptyColumns(): Columns {
  return {
    keys: [numberList("float64"), numberList("float64")],
    ranks: numberList("float64"),
    worths: numberList("float64"),
    items: numberList("uint32"),
    families: namedGroups(),
    skills: namedGroups(),
    startBytes: numberList("float64"),
    sizesBytes: numberList("uint32"),
  };
}

function withoutCopies(
  columns: Columns,
  { likeOf, refuse }: { likeOf: Int32Array | undefined; refuse: RefuseRow },
): Uint32Array<ArrayBuffer> {
  const copyOf = copies(columns);
  return Uint32Array.from({ length: columns.ranks.length }, (_, row) => row).filter((row) => {
    const copied = copyOf.get(row);
    const like = likeOf?.[row] ?? -1;
    if (copied !== undefined) refuse(row, "exact-duplicate", copied);
    else if (like >= 0) refuse(row, "near-duplicate", like);
    return copied === undefined && like < 0;
  });
}

/** For each row that says exactly what a better one says, that one. */
function copies({ keys, worths }: Columns): Map<number, number> {
  const byKey = (x: number, y: number) => keys[0].at(x) - keys[0].at(y) || keys[1].at(x) - keys[1].at(y);
  const sorted = Uint32Array.from({ length: worths.length }, (_, row) => row);
  sorted.sort((x, y) => byKey(x, y) || worths.at(x) - worths.at(y) || x - y);
  const copyOf = new Map<number, number>();
  for (const [i, row] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before !== undefined && byKey(row, before) === 0) copyOf.set(row, copyOf.get(before) ?? before);
  }
  return copyOf;
}

/** Balances the training rows; rows that are held out only watch. */
function evenedOut(
  rows: Uint32Array<ArrayBuffer>,
  { worths, families, skills }: Columns,
  { balance, refuse }: { balance: SelectionSettings["balance"]; refuse: RefuseRow },
): Uint32Array {
  const isTrain = (row: number) => worths.at(row) >= TRAIN;
  const dropped = new Set<number>();
  const drop = (groups: NamedGroups, temperature: number) => {
    const left = rows.filter((row) => isTrain(row) && !dropped.has(row));
    for (const row of balanced(left, groups.at, temperature).refused) dropped.add(row);
  };
  drop(families, balance.families);
  drop(skills, balance.skills);
  for (const row of dropped) refuse(row, "balance", null);
  return rows.filter((row) => !dropped.has(row));
}

/**
 * What two rows of different items are compared by. Not by their prompts, most of which all items of a skill may have in
 * common: texts that are alike though they ask for different things would each be compared with all others.
 */
function comparedText(row: TierRow["row"], task: string): string {
  const answers = row.kind === "answer" ? row.completion : [row.chosen, row.rejected];
  return [task, ...answers.map(plainText)].join("\n");
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
