/**
 * On which days a schedule fires, and where two schedules first differ: told from their fields alone, over 28 years,
 * in which every date falls on every weekday. So no difference is too rare to be seen.
 */
import type { Fields, Values } from "./fields.ts";

const FIRST_DAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Source: the Gregorian calendar repeats after 28 years where no century falls among them. */
const DAYS = Array.from({ length: 28 * 365 + 7 }, (_, i) => {
  const date = new Date(FIRST_DAY + i * DAY_MS);
  return { day: date.getUTCDate(), month: date.getUTCMonth() + 1, weekday: date.getUTCDay() };
});

type Day = (typeof DAYS)[number];

/** Each date and weekday that come together, once. */
const DATES = [...new Map(DAYS.map((day) => [`${day.month} ${day.day} ${day.weekday}`, day])).values()];

/** Whether there is any day on which the schedule fires. */
export function everFires(fields: Fields): boolean {
  return DATES.some((day) => firesOn(fields, day));
}

/** The first minute from 2024 on at which just one of the two fires; null where they are the same schedule. */
export function firstDifference(a: Fields, b: Fields): Date | null {
  const minute = firstOtherMinute(a, b);
  for (const [i, day] of DAYS.entries()) {
    const [first, second] = [firesOn(a, day), firesOn(b, day)];
    if (!first && !second) continue;
    if (first && second && minute === null) continue;
    const at = first && second ? minute : firstMinute(first ? a : b);
    return new Date(FIRST_DAY + i * DAY_MS + (at ?? 0) * MINUTE_MS);
  }
  return null;
}

/** Whether two schedules fire at the same times of a day. */
export function haveSameTimes(a: Fields, b: Fields): boolean {
  return packed(a.minutes) === packed(b.minutes) && packed(a.hours) === packed(b.hours);
}

/** A text that two schedules share only if they always fire together. */
export function scheduleKey(fields: Fields): string {
  return [fields.minutes, fields.hours, DATES.map((day) => firesOn(fields, day))].map(packed).join(" ");
}

function packed(values: Values): string {
  return values.map((value) => (value ? "1" : "0")).join("");
}

function firesOn(fields: Fields, { day, month, weekday }: Day): boolean {
  if (fields.months[month] !== true) return false;
  const isDay = fields.days[day] === true;
  const isWeekday = fields.weekdays[weekday] === true;
  return fields.isAnyDay || fields.isAnyWeekday ? isDay && isWeekday : isDay || isWeekday;
}

/** Units: minutes of the day; null where both fire at the same ones. */
function firstOtherMinute(a: Fields, b: Fields): number | null {
  if (haveSameTimes(a, b)) return null;
  for (let minute = 0; ; minute++) if (firesAt(a, minute) !== firesAt(b, minute)) return minute;
}

function firstMinute(fields: Fields): number {
  for (let minute = 0; ; minute++) if (firesAt(fields, minute)) return minute;
}

function firesAt({ hours, minutes }: Fields, minute: number): boolean {
  return hours[Math.floor(minute / 60)] === true && minutes[minute % 60] === true;
}
