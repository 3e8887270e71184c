/**
 * Champions: which adapter answers at which place. The ledger says what was promoted and rolled back, in order; who is
 * champion now follows from it and stands nowhere else.
 */
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { LoggedEntry, Place, Promotion } from "../records/ledger-entries.ts";
import type { Home } from "../store/home.ts";
import { readLedger } from "../store/ledger.ts";

/** Stands for every skill. */
export const DEFAULT = "default";

export interface Champion extends Promotion {
  /** When it was promoted, or came back. */
  since: string;
}

/** What happened at a place, in order. */
export type PlaceEvent = Extract<LoggedEntry, { type: "promoted" | "rolled_back" }>;

/** Returns the champion of each place that has one, by `placeName`. Throws: `LEDGER_BROKEN`. */
export async function readChampions(home: Home): Promise<Map<string, Champion>> {
  const champions = new Map<string, Champion>();
  for (const [name, standing] of await standingPromotions(home)) {
    const last = standing.at(-1);
    if (last !== undefined) champions.set(name, last);
  }
  return champions;
}

/** Returns the adapter that answers for a role of a skill: the role's own champion, else the skill's, else the default. */
export function championFor(champions: ReadonlyMap<string, Champion>, { skill, role }: Place): Champion | null {
  const places = [{ skill, role }, { skill, role: null }, { skill: DEFAULT, role: null }]; // biome-ignore format: one line
  return places.map((place) => champions.get(placeName(place))).find((one) => one !== undefined) ?? null;
}

/** Where what answers for a role of a skill stands: to promote for the whole skill, beside a champion of the role, would change nothing. */
export function answeringPlace(champions: ReadonlyMap<string, Champion>, { skill, role }: Place): Place {
  return { skill, role: championFor(champions, { skill, role })?.role ?? null };
}

/** Returns, for each place, the promotions that were not rolled back, the champion last. Throws: `LEDGER_BROKEN`. */
export async function standingPromotions(home: Home): Promise<Map<string, Champion[]>> {
  const places = new Map<string, Champion[]>();
  for (const { type, data, at } of await readPlaceEvents(home)) {
    const name = placeName(data);
    const standing = places.get(name) ?? [];
    places.set(name, type === "promoted" ? [...standing, { ...data, since: at }] : backTo(standing, data.to, at));
  }
  return places;
}

/** Returns all promotions and rollbacks, of one place where it is given. Throws: `LEDGER_BROKEN`. */
export async function readPlaceEvents(home: Home, place?: Place): Promise<PlaceEvent[]> {
  const events: PlaceEvent[] = [];
  for await (const entry of readLedger(home)) {
    if (entry.type !== "promoted" && entry.type !== "rolled_back") continue;
    if (place === undefined || placeName(entry.data) === placeName(place)) events.push(entry);
  }
  return events;
}

/** `stig`, `stig/worker` or `default`. */
export function placeName({ skill, role }: Place): string {
  return role === null ? skill : `${skill}/${role}`;
}

/** Throws: `BAD_PLACE`. */
export function placeOf(name: string): Place {
  const [, skill, role = null] = /^([a-z0-9][a-z0-9_-]*)(?:\/([a-z]+))?$/.exec(name) ?? [];
  if (skill !== undefined && !(skill === DEFAULT && role !== null)) return { skill, role };
  throw new Refusal({
    code: "BAD_PLACE",
    message: "This is no place at which an adapter can be promoted.",
    expected: "a skill, a role of it as SKILL/ROLE, or default",
    got: `"${name}"`,
    fix: "--for sql, or --for sql/worker",
  });
}

function backTo(standing: readonly Champion[], to: Hash | null, at: string): Champion[] {
  const place = standing.findLastIndex(({ adapterHash }) => adapterHash === to);
  const back = standing[place];
  return back === undefined ? [] : [...standing.slice(0, place), { ...back, since: at }];
}
