/**
 * A length of time as people write it: `90s`, `30m`, `12h`.
 */
import { Refusal } from "../foundation/errors.ts";

const UNITS_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 2 ** 31 - 1;

/** Units: returns milliseconds. Throws: `BAD_ARGUMENT`. */
export function readDuration(option: string, text: string): number {
  const [, count = "", unit = ""] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? 0);
  if (ms > 0 && ms <= LONGEST_MS) return ms;
  throw new Refusal({
    code: "BAD_ARGUMENT",
    message: `--${option} cannot be used as it is.`,
    expected: "a number with s, m or h, of at most 24 days: 90s, 30m, 12h",
    got: JSON.stringify(text),
  });
}
