/**
 * Says numbers, times of day, dates and lists in several ways. A text keeps to one way of telling the time.
 */
import type { Random } from "../../src/foundation/random.ts";

export interface Time {
  hour: number;
  minute: number;
}

/** How times are told: `07:45`, `7:45 am`, `7:45 a.m.`, "quarter to eight in the morning" or "minute 45 of hour 7". */
export type Clock = "24" | "12" | "12-dots" | "words" | "fields";

const NUMBERS =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(
    " ",
  );
const ORDINALS =
  "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(
    " ",
  );
const MONTHS = "January February March April May June July August September October November December".split(" ");
const WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Minutes of the hour that a worded clock has a word for. */
const PAST: Record<number, string> = { 5: "five", 10: "ten", 15: "quarter", 20: "twenty", 25: "twenty-five" };

/** Draws how a text tells the time; some ways come more often. */
export function drawClock(random: Random): Clock {
  return random.pick(["24", "24", "24", "12", "12", "12-dots", "words", "words", "fields", "fields"] as const);
}

/** A time in the given way; where "words" has no words for it, as `7:43 am`. */
export function timeWords(time: Time, clock: Clock): string {
  const { hour, minute } = time;
  if (clock === "24") return `${two(hour)}:${two(minute)}`;
  if (clock === "fields") return `minute ${minute} of hour ${hour}`;
  if (hour === 12 && minute === 0) return "noon";
  const worded = clock === "words" ? wordedTime(time) : null;
  if (worded !== null) return worded;
  const half = hour < 12 ? "am" : "pm";
  const suffix = clock === "12-dots" ? `${half[0]}.m.` : half;
  return `${hour % 12 || 12}${minute === 0 ? "" : `:${two(minute)}`} ${suffix}`;
}

/** As `timeWords`, with midnight by its name: only where it cannot be taken for the end of a day. */
export function dailyTimeWords(time: Time, clock: Clock): string {
  const isNamed = clock !== "24" && clock !== "fields" && time.hour === 0 && time.minute === 0;
  return isNamed ? "midnight" : timeWords(time, clock);
}

/** The first minute of an hour. */
export function hourWords(hour: number, clock: Clock): string {
  return clock === "fields" ? `hour ${hour}` : timeWords({ hour, minute: 0 }, clock);
}

function wordedTime({ hour, minute }: Time): string | null {
  const named = minute > 30 ? hour + 1 : hour;
  if (named % 12 === 0) return null;
  const name = `${NUMBERS[named % 12]} ${partOfDay(named)}`;
  if (minute === 0) return name.replace(" ", " o'clock ");
  if (minute === 30) return `half past ${name}`;
  const past = PAST[minute > 30 ? 60 - minute : minute];
  return past === undefined ? null : `${past} ${minute > 30 ? "to" : "past"} ${name}`;
}

function partOfDay(hour: number): string {
  if (hour < 12) return "in the morning";
  if (hour < 18) return "in the afternoon";
  return hour < 21 ? "in the evening" : "at night";
}

/** A whole number in digits or, up to twenty and at 30 and 45, in words. */
export function numberWords(value: number, random: Random): string {
  const word = NUMBERS[value] ?? { 30: "thirty", 45: "forty-five" }[value];
  return word !== undefined && random.next() < 0.5 ? word : String(value);
}

/** `15th` or "fifteenth". */
export function ordinalWords(value: number, random: Random): string {
  const word = ORDINALS[value];
  if (word !== undefined && random.next() < 0.4) return word;
  const ending = Math.floor(value / 10) === 1 ? undefined : { 1: "st", 2: "nd", 3: "rd" }[value % 10];
  return `${value}${ending ?? "th"}`;
}

/** "every 3 hours", "every three hours", "every third hour", "once every 3 hours"; "every other hour" for 2. */
export function everyWords(step: number, unit: string, random: Random): string {
  const ways = [`every ${numberWords(step, random)} ${unit}s`, `every ${numberWords(step, random)} ${unit}s`];
  ways.push(`once every ${numberWords(step, random)} ${unit}s`, `at intervals of ${step} ${unit}s`);
  if (step === 2) ways.push(`every other ${unit}`, `every second ${unit}`);
  if (step > 2 && step < 10) ways.push(`every ${ORDINALS[step]} ${unit}`);
  return random.pick(ways);
}

/** "at 20 minutes past", "at quarter past", "at minute 20 of", ready for "every hour". */
export function pastWords(minute: number, random: Random): string {
  if (minute === 0) return random.pick(["at the start of", "at minute 0 of"]);
  const minutes = minute === 1 ? "minute" : "minutes";
  const ways = [`at ${minute} ${minutes} past`, `at minute ${minute} of`, `${minute} ${minutes} after the start of`];
  const word = minute === 30 ? "half" : PAST[minute];
  if (word !== undefined) ways.push(`at ${word} past`);
  return random.pick(ways);
}

/** "a and b", "a, b and c" or "a, b, and c". */
export function listWords(words: readonly string[], random: Random): string {
  const comma = words.length > 2 && random.next() < 0.5 ? "," : "";
  return `${words.slice(0, -1).join(", ")}${comma} and ${words.at(-1)}`;
}

/** `month` is 1 to 12. */
export function monthWords(month: number): string {
  return MONTHS[month - 1] as string;
}

/** `weekday` is 0 (Sunday) to 7 (Sunday too). */
export function weekdayWords(weekday: number): string {
  return WEEKDAYS[weekday % 7] as string;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
