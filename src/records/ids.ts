/**
 * The ids of everything that is recorded, and how one is built from another.
 * A run is `YYYYMMDD-HHMMSS-xxxx`, an item `<skill>:<native id>`, an attempt `<run>/<item>/<n>`, a turn `<attempt>#<k>`.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../foundation/clock.ts";
import type { Hash } from "../foundation/hashing.ts";

export type RunId = string & { readonly brand: "RunId" };
export type ItemId = string & { readonly brand: "ItemId" };
export type AttemptId = string & { readonly brand: "AttemptId" };
export type TurnId = string & { readonly brand: "TurnId" };
export type TipId = string & { readonly brand: "TipId" };
export type RowId = string & { readonly brand: "RowId" };

const branded = <T extends string>(pattern: RegExp, what: string) =>
  z.string().regex(pattern, `expected ${what}`) as unknown as z.ZodType<T>;

export const hashSchema = branded<Hash>(/^[0-9a-f]{64}$/, "a SHA-256 hash (64 hex digits)");
export const runIdSchema = branded<RunId>(/^\d{8}-\d{6}-[0-9a-f]{4}$/, "a run id YYYYMMDD-HHMMSS-xxxx");
export const itemIdSchema = branded<ItemId>(/^[a-z0-9-]+:.+$/s, "an item id <skill>:<native id>");
export const attemptIdSchema = branded<AttemptId>(
  /^\d{8}-\d{6}-[0-9a-f]{4}\/.+\/\d+$/s,
  "an attempt id <run>/<item>/<n>",
);
export const turnIdSchema = branded<TurnId>(/#\d+$/, "a turn id <attempt>#<k>");
export const tipIdSchema = branded<TipId>(/^tip-[0-9a-f]{16}$/, "a tip id tip-<16 hex digits>");
export const rowIdSchema = branded<RowId>(/^row-[0-9a-f]{16}$/, "a row id row-<16 hex digits>");

/** What an id's form says that it names; in the order in which the forms are tried. */
const FORMS = [
  ["run", runIdSchema],
  ["attempt", attemptIdSchema],
  ["turn", branded<TurnId>(/^\d{8}-\d{6}-[0-9a-f]{4}\/.+\/\d+#\d+$/s, "a turn id <attempt>#<k>")],
  ["tip", tipIdSchema],
  ["row", rowIdSchema],
  ["verifier", branded(/^.+@.+$/s, "a verifier <id>@<version>")],
  ["item", itemIdSchema],
] as const;

export type IdForm = (typeof FORMS)[number][0];

/** Tells what a text names by its form alone; null where it has the form of no id. */
export function formOf(text: string): IdForm | null {
  return FORMS.find(([, schema]) => schema.safeParse(text).success)?.[0] ?? null;
}

/** Makes a run id of the clock's second and four random digits. */
export function newRunId(clock: Clock): RunId {
  const digits = clock().toISOString().replaceAll(/[-:]/g, "").slice(0, 15).replace("T", "-");
  return `${digits}-${randomBytes(2).toString("hex")}` as RunId;
}

/** Names an item by its skill and what it is called there. */
export function itemId(skill: string, nativeId: string): ItemId {
  return `${skill}:${nativeId}` as ItemId;
}

/** Units: `n` counts the attempts at one item of one run from 1. */
export function attemptId(run: RunId, item: ItemId, n: number): AttemptId {
  return `${run}/${item}/${n}` as AttemptId;
}

/** What an item is called without its skill. */
export function nativeIdOf(item: ItemId): string {
  return item.slice(item.indexOf(":") + 1);
}

/** Units: `k` counts the turns of one attempt from 1. */
export function turnId(attempt: AttemptId, k: number): TurnId {
  return `${attempt}#${k}` as TurnId;
}

/** Splits an attempt id into its run, item and number; the item may itself hold slashes. */
export function attemptParts(attempt: AttemptId): { run: RunId; item: ItemId; n: number } {
  const first = attempt.indexOf("/");
  const last = attempt.lastIndexOf("/");
  return {
    run: attempt.slice(0, first) as RunId,
    item: attempt.slice(first + 1, last) as ItemId,
    n: Number(attempt.slice(last + 1)),
  };
}
