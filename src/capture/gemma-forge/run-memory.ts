/**
 * What gemma-forge's memory said to a run, as far as its database still has it: the log names lessons and tips by their numbers,
 * and an item's history in earlier runs not at all. What the database cannot tell is null, never guessed.
 */
import { type JsonObject, textIn, timeIn } from "../reading/shapes.ts";
import type { StoreRun } from "./memory-store.ts";

export interface RunMemory {
  /** The text of a lesson by its number and the run that it comes from; null where it is not known. */
  lesson(run: unknown, id: unknown): string | null;
  tip(run: unknown, id: unknown): string | null;
  /** What the run itself learnt from an item's nth failed attempt, from 1. */
  learnt(item: string, n: number): string | null;
  /** An item's latest attempts before the run, the last one first; null where their order is not known. */
  attemptsAt(item: string): JsonObject[] | null;
  /** The banned patterns that the run began with, as it says how many; null where these are not the ones. */
  bans(count: number): string[] | null;
}

/** How many a run loads at most, and shows of an item. Source: the harness's memory store. */
const MOST_BANS = 200;
const MOST_SHOWN_ATTEMPTS = 5;

/** Of a log whose database is not there. */
export const NO_MEMORY: RunMemory = {
  lesson: () => null,
  tip: () => null,
  learnt: () => null,
  attemptsAt: () => null,
  bans: (count) => (count === 0 ? [] : null),
};

/** What a run could know of others of its skill that began before it; lessons and tips are found in any. */
export function memoryOf(run: StoreRun, all: readonly StoreRun[]): RunMemory {
  const startMs = run.startedAt?.getTime() ?? Number.NEGATIVE_INFINITY;
  const before = all.filter(
    (other) => other !== run && other.skill === run.skill && (other.startedAt?.getTime() ?? startMs) < startMs,
  );
  const lessons = new Map(all.flatMap((one) => one.lessons.map(({ id, lesson }) => [`${one.id} ${id}`, lesson])));
  const tips = new Map(all.flatMap((one) => one.tips.map(({ id, text }) => [`${one.id} ${id}`, text])));
  return {
    lesson: (source, id) => textIn(lessons.get(`${source} ${id}`)),
    tip: (source, id) => textIn(tips.get(`${source} ${id}`)),
    learnt(item, n) {
      const row = run.attempts.find(({ item_id, attempt_num }) => item_id === item && attempt_num === n);
      return textIn(row?.lesson) || null;
    },
    attemptsAt(item) {
      const rows = before.flatMap(({ attempts }) => attempts.filter(({ item_id }) => item_id === item));
      const dated = rows.map((row) => ({ row, at: instantOf(row.created_at) }));
      const isKnown = dated.every(({ at }) => at !== null) && new Set(dated.map(({ at }) => at)).size === dated.length;
      if (!isKnown) return null;
      dated.sort((a, b) => ((a.at as string) < (b.at as string) ? 1 : -1));
      return dated.slice(0, MOST_SHOWN_ATTEMPTS).map(({ row }) => row);
    },
    bans(count) {
      const patterns = [...new Set(before.flatMap(({ bans }) => bans))];
      const plain = patterns.toSorted((a, b) => (a < b ? -1 : 1)).slice(0, MOST_BANS);
      // The database sorts by its own locale, which it does not say: where two orders differ, neither is sure.
      const collator = new Intl.Collator("en");
      const isSure = patterns.toSorted(collator.compare).every((pattern, i) => i >= MOST_BANS || pattern === plain[i]);
      return plain.length === count && isSure ? plain : null;
    },
  };
}

/** A time that can be compared to the microsecond, which a date cannot hold; null where it is none. */
function instantOf(value: unknown): string | null {
  const at = timeIn(value);
  if (at === null) return null;
  const [, fraction = ""] = /\.(\d+)/.exec(String(value)) ?? [];
  return `${at.toISOString().slice(0, 19)}.${fraction.padEnd(9, "0")}`;
}
