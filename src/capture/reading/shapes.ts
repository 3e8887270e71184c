/**
 * Reads values of unknown shape: what another program wrote, or an agent sent.
 */
import type { Json } from "../../foundation/canonical-json.ts";

export type JsonObject = { [key: string]: Json };

/** Whether a value is an object that is neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects of a list; none where it is no list. */
export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** An object, or an empty one where the value is none. */
export function objectIn(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** A text; null where the value is none. */
export function textIn(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** The entries that hold something. */
export function known(values: Record<string, Json | undefined>): Record<string, Json> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as Record<string, Json>;
}

const MOST_SHORT_CHARACTERS = 1000;

/** The entries of an object that hold something short, without those of some keys. */
export function shortEntries(value: unknown, without: readonly string[] = []): Record<string, Json> {
  const entries = Object.entries(known(objectIn(value))).filter(
    ([key, entry]) => !without.includes(key) && JSON.stringify(entry).length <= MOST_SHORT_CHARACTERS,
  );
  return Object.fromEntries(entries);
}

/** A finite number; null where the value is none. */
export function numberIn(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A whole number from 0; null where the value is none. */
export function countIn(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}

/** A list of whole numbers from 0; null where the value is none. */
export function countsIn(value: unknown): number[] | null {
  return Array.isArray(value) && value.length > 0 && value.every((one) => countIn(one) !== null) ? value : null;
}

const EARLIEST_MS = Date.UTC(2000);
const LATEST_MS = Date.UTC(2100);

/** A date and a time of day without a zone, as databases and pandas write them. */
const WITHOUT_ZONE = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)$/;

/**
 * A time as ISO 8601 or as seconds, milliseconds, microseconds or nanoseconds since 1970; null outside of this century.
 * Without a zone it is one of UTC, so that a file says the same on every machine.
 */
export function timeIn(value: unknown): Date | null {
  const ms = typeof value === "string" && !/^\d+$/.test(value) ? textMs(value) : epochMs(Number(value));
  return ms >= EARLIEST_MS && ms < LATEST_MS ? new Date(ms) : null;
}

function textMs(text: string): number {
  const [, day, time] = WITHOUT_ZONE.exec(text) ?? [];
  return Date.parse(time === undefined ? text : `${day}T${time.replace(",", ".")}Z`);
}

/** The unit is told by the size: the same count in another unit would lie outside of this century. */
function epochMs(count: number): number {
  const unit = [1e-6, 1e-3, 1, 1e3].find((factor) => count * factor >= EARLIEST_MS && count * factor < LATEST_MS);
  return unit === undefined ? Number.NaN : count * unit;
}
