/**
 * Keeps what a comparison judges by out of what is trained on: by family, and by items that say nearly the same as a
 * held-out one under another name.
 */
import { Refusal } from "../foundation/errors.ts";
import { shortHash } from "../foundation/hashing.ts";
import type { Item } from "../records/item.ts";
import { listSkills, loadSkill } from "../skills/load.ts";
import { scanItems } from "../skills/scan.ts";
import type { HeldPart } from "../store/comparisons.ts";
import { sqlText } from "../store/duckdb.ts";
import type { Lake } from "../store/lake.ts";
import type { ItemRange } from "./candidate-query.ts";
import type { ItemGate } from "./item-gate.ts";
import { type NearIndex, nearIndex } from "./near/near-index.ts";

export interface HeldOut {
  /** Returns what says why no example of an item may be trained on. */
  gate(range: ItemRange): Promise<ItemGate>;
}

/**
 * Reads what the registered comparisons hold out: the families of their items, and the items' texts.
 * Throws: `HELD_OUT_TEXT_UNKNOWN`.
 */
export async function openHeldOut(lake: Lake, parts: readonly HeldPart[]): Promise<HeldOut> {
  if (parts.length === 0) return { gate: async () => () => null };
  const families = new Map<string, string>();
  const items = new Map<string, string>();
  for (const part of parts) {
    const place = `comparison ${shortHash(part.comparisonHash)}`;
    for (const family of part.families) families.set(`${part.skill}/${family}`, place);
    for (const item of part.items) items.set(item, `${item} of ${place}`);
  }
  const known = items.size === 0 ? new Map<string, Set<string>>() : await textsOf(lake, parts);
  const texts = nearIndex(
    [...items].flatMap(([item, key]) => [...(known.get(item) ?? [])].map((text) => ({ key, text }))),
  );
  return { gate: (range) => gateOf(lake, { range, families, items, texts }) };
}

/**
 * All that the items said in any run, as a skill may have put them in other words since. The lake has the texts once an
 * arm of the comparison is sealed; before, the skill itself can say them.
 */
async function textsOf(lake: Lake, parts: readonly HeldPart[]): Promise<Map<string, Set<string>>> {
  const names = new Set(parts.flatMap(({ items }) => items.map(sqlText)));
  const texts = new Map<string, Set<string>>();
  const add = (item: string, task: string) => texts.set(item, (texts.get(item) ?? new Set()).add(task));
  const rows = await lake.query(
    `SELECT DISTINCT item, task FROM files.items WHERE item IN (${[...names].join(", ")}) ORDER BY item, task`,
  );
  for (const { item, task } of rows) add(String(item), String(task));
  for (const part of parts) {
    if (part.items.every((item) => texts.has(item))) continue;
    for (const { item, task } of await itemsOfSkill(part)) add(item, task);
    const unknown = part.items.find((item) => !texts.has(item));
    if (unknown !== undefined) throw textUnknown(unknown, part);
  }
  return texts;
}

async function itemsOfSkill({ skill: id, split }: HeldPart): Promise<Item[]> {
  if (!(await listSkills()).includes(id)) return [];
  const skill = await loadSkill(id);
  try {
    return await scanItems(skill, { seed: 1, split });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return []; // a skill that is not set up here
  } finally {
    await skill.close();
  }
}

function textUnknown(item: string, { comparisonHash }: HeldPart): Refusal {
  return new Refusal({
    code: "HELD_OUT_TEXT_UNKNOWN",
    message: "A registered comparison holds out an item whose text is not known, so nothing says what is like it.",
    expected: "the item in a sealed run, or given by its skill",
    got: item,
    where: `comparison ${shortHash(comparisonHash)}`,
    fix: "finish the comparison: tracemill validate with the same options, or seal its runs",
  });
}

async function gateOf(
  lake: Lake,
  held: { range: ItemRange; families: Map<string, string>; items: Map<string, string>; texts: NearIndex },
): Promise<ItemGate> {
  const { after, until } = held.range;
  const items = await lake.stream(
    "SELECT item, skill, family, task FROM files.items WHERE split = 'train' AND item > $after AND item <= $until",
    { after, until },
  );
  const reasons = new Map<string, { reason: string; because: string }>();
  for await (const rows of items) {
    for (const { item, skill, family, task } of rows) {
      const byFamily = held.families.get(`${skill}/${family}`);
      const like = byFamily === undefined ? held.texts.find(String(task)) : null;
      if (byFamily !== undefined) reasons.set(String(item), { reason: "held-out-family", because: `in ${byFamily}` });
      else if (like !== null) reasons.set(String(item), { reason: "held-out-text", because: `nearly ${like}` });
    }
  }
  return (item) => reasons.get(item) ?? null;
}
