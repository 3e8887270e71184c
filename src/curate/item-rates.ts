/**
 * How often each item was solved, and which items are left out for it: those outside a band, and easy ones more surely
 * the easier they are. An item that every attempt solves teaches little, and one that none solves nothing.
 */
import { random } from "../foundation/random.ts";
import type { Lake } from "../store/lake.ts";
import { type ItemRange, solveRatesQuery } from "./candidate-query.ts";
import type { ItemGate } from "./item-gate.ts";
import type { SelectionSettings } from "./selection-settings.ts";

/** Share of an item's attempts from which on it is easy. */
const EASY_FRACTION = 0.5;

/** Reads how often the items of a range were solved, where anything is asked of them. */
export async function rateGate(lake: Lake, settings: SelectionSettings, range: ItemRange): Promise<ItemGate> {
  const { band, dampEasy, seed } = settings;
  if (band === null && dampEasy === 0) return () => null;
  const { sql, parameters } = solveRatesQuery(settings, range);
  const rates = new Map<string, number>();
  for (const { item, attempts, solved } of await lake.query(sql, parameters))
    rates.set(String(item), Number(solved) / Number(attempts));
  return (item) => {
    const rate = rates.get(item);
    if (rate === undefined) return null;
    if (band !== null && (rate < band.low || rate > band.high)) return { reason: "outside-band" };
    const damping = (dampEasy * Math.max(0, rate - EASY_FRACTION)) / (1 - EASY_FRACTION);
    return random(seed, "easy-item", item).next() < damping ? { reason: "easy-item" } : null;
  };
}
