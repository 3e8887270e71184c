/**
 * What a pattern of schedules is: it draws a schedule, in words and as five fields. A pattern is a family: no other
 * pattern draws a schedule that fires at the same times, so no answer learned in one can be right in another.
 * Its files are named `patterns-*.ts`; `patterns.ts` lists them all.
 */
import type { Random } from "../../src/foundation/random.ts";
import { type Clock, dailyTimeWords, hourWords, type Time, timeWords } from "./words.ts";

export interface Drawn {
  /** When, in words that can follow "run the backup": "every day at noon". */
  when: string;
  reference: string;
}

export interface Draw {
  random: Random;
  clock: Clock;
  /** One of several wordings. */
  say(...wordings: string[]): string;
  /** A time of the day in words. */
  at(time: Time): string;
  /** The same where every day is meant, so that midnight has its name. */
  daily(time: Time): string;
  /** An hour in words: its first minute. */
  hour(hour: number): string;
}

export interface Pattern {
  id: string;
  /** The part of the calendar that it turns on, for reports. */
  kind: "minutes" | "hours" | "day" | "week" | "month" | "year";
  draw(draw: Draw): Drawn;
}

/** Steps of minutes and hours that come out even over the hour and the day. */
export const MINUTE_STEPS = [2, 3, 4, 5, 6, 10, 12, 15, 20, 30] as const;
export const HOUR_STEPS = [2, 3, 4, 6, 8] as const;

/** Makes a draw in which all times are told in one way. */
export function drawFrom(random: Random, clock: Clock): Draw {
  return {
    random,
    clock,
    say: (...wordings) => random.pick(wordings),
    at: (time) => timeWords(time, clock),
    daily: (time) => dailyTimeWords(time, clock),
    hour: (hour) => hourWords(hour, clock),
  };
}

/** A time of the day: most often at a minute that people choose, now and then at any; noon and midnight are common. */
export function drawTime(random: Random): Time {
  if (random.next() < 0.12) return { hour: random.pick([0, 12, 12]), minute: 0 };
  const minute =
    random.next() < 0.8 ? random.pick([0, 0, 0, 15, 30, 30, 45, 5, 10, 20, 40, 50]) : random.integer(1, 59);
  return { hour: random.integer(0, 23), minute };
}

/** Two hours of a day that are `least` to `most` hours apart, the earlier one first. */
export function drawHours(random: Random, [least, most]: readonly [number, number]): [number, number] {
  const length = random.integer(least, most);
  const from = random.integer(Math.min(6, 23 - length), 23 - length);
  return [from, from + length];
}

/** `count` different values in rising order, drawn again while `isTaken` says that another pattern has them. */
export function drawRising(
  random: Random,
  { from, count }: { from: readonly number[]; count: number },
  isTaken: (values: readonly number[]) => boolean = () => false,
): number[] {
  for (;;) {
    const values = random.sample(from, count).sort((a, b) => a - b);
    if (!isTaken(values)) return values;
  }
}

/** Whether three values or more are evenly spaced: they could be written as a range with a step. */
export function areEven(values: readonly number[]): boolean {
  const [first = 0, second = 0] = values;
  return values.length > 2 && values.every((value, i) => value === first + i * (second - first));
}

/** Lists the numbers from `low` to `high`, both of them where the steps meet it. */
export function span(low: number, high: number, step = 1): number[] {
  return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step);
}
