/**
 * Judges one schedule against a reference: the next fire times from several dates must be the same ones.
 *
 * Fifty times of a schedule that fires each minute are not an hour, so a fixed date alone would let much pass. Where the
 * fields differ in what they mean, one more date is taken: the minute before the first difference.
 */
import { assert } from "../../src/foundation/errors.ts";
import { everFires, firstDifference, haveSameTimes } from "./calendar.ts";
import { readSchedule, type Schedule } from "./fields.ts";
import { fireTimes } from "./fire-times.ts";
import type { FailureMode } from "./manifest.ts";

export const FIRE_TIMES = 50;

/** Before a leap day, a year's end, a month of 30 days, a common February, and within a minute on a Sunday. */
const STARTS = [
  "2024-02-27T10:07:00.000Z",
  "2024-12-30T22:58:00.000Z",
  "2025-04-28T00:00:00.000Z",
  "2026-02-26T17:31:00.000Z",
  "2025-08-31T23:59:30.000Z",
];
const MINUTE_MS = 60_000;

/** `difference` is where the fire times first differ; null where all are the same. */
type Comparison = {
  start: string;
  difference: { index: number; expected: string | null; got: string | null } | null;
};

export interface Outcome {
  failureMode: FailureMode | null;
  reason: string | null;
  /** Ends at the first that differs. */
  comparisons: Comparison[];
  /** The schedule's next times from the first date; null where it has none. */
  next: string[] | null;
}

/**
 * Returns a judge of schedules for one reference; what it finds of the reference it keeps.
 * Throws: an error that says what is wrong with the reference.
 */
export function judgeFor(reference: string): (expression: string) => Outcome {
  const expected = readSchedule(reference);
  if (!("fields" in expected)) throw new Error(expected.reason);
  if (!everFires(expected.fields)) throw new Error("it never fires");
  const known = new Map<string, string[]>();
  const expectedFrom = (start: string): string[] => {
    const times = known.get(start) ?? fireTimes(expected.text, new Date(start), FIRE_TIMES);
    known.set(start, times);
    return times;
  };
  return (expression) => judge(expression, expected, expectedFrom);
}

function judge(expression: string, expected: Schedule, expectedFrom: (start: string) => string[]): Outcome {
  const got = readSchedule(expression);
  const nothing = { comparisons: [], next: null };
  if (!("fields" in got)) return { ...got, ...nothing };
  if (!everFires(got.fields)) return { failureMode: "never-fires", reason: "there is no such day", ...nothing };
  const difference = firstDifference(expected.fields, got.fields);
  const own = difference === null ? [] : [new Date(difference.getTime() - MINUTE_MS).toISOString()];
  const comparisons: Comparison[] = [];
  let next: string[] | null = null;
  for (const start of [...STARTS, ...own]) {
    const times = fireTimes(got.text, new Date(start), FIRE_TIMES);
    next ??= times;
    comparisons.push({ start, difference: compared(expectedFrom(start), times) });
    if (comparisons.at(-1)?.difference !== null) break;
  }
  const last = comparisons.at(-1);
  assert((last?.difference === null) === (difference === null), `croner and the fields disagree on ${got.text}`);
  if (!last?.difference) return { failureMode: null, reason: null, comparisons, next };
  const failureMode = haveSameTimes(expected.fields, got.fields) ? "wrong-days" : "wrong-times";
  const { expected: right, got: wrong } = last.difference;
  return { failureMode, reason: `expected ${right} where it fires ${wrong}`, comparisons, next };
}

function compared(expected: readonly string[], got: readonly string[]): Comparison["difference"] {
  const index = expected.findIndex((time, i) => time !== got[i]);
  return index === -1 ? null : { index, expected: expected[index] ?? null, got: got[index] ?? null };
}
