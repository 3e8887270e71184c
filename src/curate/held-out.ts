/**
 * Keeps what a comparison judges by out of what is trained on: by family, and by items that say nearly the same as a
 * held-out one under another name.
 */
import { shortHash } from "../foundation/hashing.ts";
import type { Lake } from "../store/lake.ts";
import type { ItemRange } from "./candidate-query.ts";
import type { ItemGate } from "./item-rates.ts";
import { type NearIndex, nearIndex } from "./near/near-index.ts";
import type { HoldingPlan } from "./selection-settings.ts";

export interface HeldOut {
  /** Returns what says why no example of an item may be trained on. */
  gate(range: ItemRange): Promise<ItemGate>;
}

/** Reads what the registered comparisons hold out: the families of their items, and the items' texts as the lake has them. */
export async function openHeldOut(lake: Lake, comparisons: readonly HoldingPlan[]): Promise<HeldOut> {
  const plans = comparisons.filter(({ split }) => split !== "train");
  if (plans.length === 0) return { gate: async () => () => null };
  const families = new Map<string, string>();
  const items = new Map<string, string>();
  for (const { comparisonHash, skill, items: judged } of plans) {
    for (const { item, family } of judged) {
      const place = `comparison ${shortHash(comparisonHash)}`;
      families.set(`${skill.id}/${family}`, place);
      items.set(item, `${item} of ${place}`);
    }
  }
  const texts = nearIndex(await textsOf(lake, items));
  return { gate: (range) => gateOf(lake, { range, families, items, texts }) };
}

async function textsOf(lake: Lake, items: ReadonlyMap<string, string>): Promise<{ key: string; text: string }[]> {
  const rows = await lake.query(
    "SELECT DISTINCT item, task FROM files.items WHERE split <> 'train' ORDER BY item, task",
  );
  return rows.flatMap(({ item, task }) => {
    const key = items.get(String(item));
    return key === undefined ? [] : [{ key, text: String(task) }];
  });
}

async function gateOf(
  lake: Lake,
  held: { range: ItemRange; families: Map<string, string>; items: Map<string, string>; texts: NearIndex },
): Promise<ItemGate> {
  const { after, until } = held.range;
  const rows = await lake.query(
    `SELECT DISTINCT item, skill, family, task FROM files.items
     WHERE split = 'train' AND item > $after AND item <= $until ORDER BY item, task`,
    { after, until },
  );
  const reasons = new Map<string, { reason: string; because: string }>();
  for (const { item, skill, family, task } of rows) {
    const byFamily = held.families.get(`${skill}/${family}`);
    const like = held.texts.find(String(task));
    if (byFamily !== undefined) reasons.set(String(item), { reason: "held-out-family", because: `in ${byFamily}` });
    else if (like !== null) reasons.set(String(item), { reason: "held-out-text", because: `nearly ${like}` });
  }
  return (item) => reasons.get(item) ?? null;
}
