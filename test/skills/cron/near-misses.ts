/**
 * Schedules that are wrong by little: each with one field changed as a model gets it wrong. All mean something else.
 */
import { firstDifference } from "../../../skills/cron/calendar.ts";
import { readSchedule } from "../../../skills/cron/fields.ts";

const HIGHEST = [59, 23, 31, 12, 6];

/** The schedules with one number moved by one, a step, a range or a list made plain, or a field left open. */
export function nearMisses(reference: string): string[] {
  const right = readSchedule(reference);
  if (!("fields" in right)) throw new Error(right.reason);
  const variants = reference.split(" ").flatMap((_, i) => variantsOf(reference.split(" "), i));
  return [...new Set(variants)].filter((variant) => {
    const other = readSchedule(variant);
    return "fields" in other && firstDifference(right.fields, other.fields) !== null;
  });
}

function variantsOf(fields: string[], at: number): string[] {
  const field = fields[at] as string;
  const moved = [...field.matchAll(/\d+/g)].flatMap(({ 0: number, index }) =>
    [-1, 1].map((by) => {
      const value = Math.min(HIGHEST[at] as number, Math.max(0, Number(number) + by));
      return `${field.slice(0, index)}${value}${field.slice(index + number.length)}`;
    }),
  );
  const others = [
    "*",
    field.replace(/\/\d+/, ""),
    field.replace(/^(\d+)-\d+.*/, "$1"),
    field.replace(/,\d+$/, ""),
    field.replace(/^\d+,/, ""),
    field.replace(/^\*\//, ""),
    at < 2 && field === "*" ? "0" : field,
    at >= 2 && field === "*" ? "1" : field,
    at === 4 && field === "*" ? "1-5" : field,
  ];
  return [...moved, ...others].map((other) => fields.with(at, other).join(" "));
}
