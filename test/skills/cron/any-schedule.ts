/**
 * Random schedules of everything that plain cron has: values, names, lists, ranges and steps, in all five fields.
 */
import fc from "fast-check";

function field(low: number, high: number, names: readonly string[] = []): fc.Arbitrary<string> {
  const value = fc.integer({ min: low, max: high });
  const step = fc.integer({ min: 1, max: Math.min(9, high - low) });
  const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const single = fc.oneof(
    value.map(String),
    value.map((n) => String(n).padStart(2, "0")),
    ...names.map((name) => fc.constant(name)),
  );
  const item = fc.oneof(
    single,
    single,
    range,
    fc.tuple(range, step).map(([a, n]) => `${a}/${n}`),
    step.map((n) => `*/${n}`),
  );
  const list = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(","));
  return fc.oneof({ weight: 3, arbitrary: fc.constant("*") }, { weight: 4, arbitrary: list });
}

export const anySchedule: fc.Arbitrary<string> = fc
  .tuple(
    field(0, 59),
    field(0, 23),
    field(1, 31),
    field(1, 12, ["JAN", "apr", "Dec"]),
    field(0, 7, ["SUN", "wed", "MON-FRI", "SAT-SUN", "TUE-sat/2"]),
  )
  .map((fields) => fields.join(" "));
