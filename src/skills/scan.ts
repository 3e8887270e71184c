/**
 * A skill's items of one split, in an order that any beginning of it is spread over families and kinds: a limit
 * takes as many items of each as it can.
 */
import { Failure, Refusal } from "../foundation/errors.ts";
import { random } from "../foundation/random.ts";
import type { Item, Split } from "../records/item.ts";
import type { Draft, Skill } from "./contract.ts";
import { splitOf } from "./splits.ts";

interface ScanOptions {
  seed: number;
  itemsFile?: string;
  split: Split;
  /** Most items. */
  limit?: number;
  /** Whether only families are wanted that this seed alone gives. */
  isFresh?: boolean;
}

/**
 * Returns the items of a split, in an order that the seed fixes.
 * Throws: `NO_FRESH_FAMILIES`; `DUPLICATE_ITEM`; `NO_ITEMS` where no family lies in the split; whatever the skill refuses; `BAD_ITEMS` where it
 * throws something else.
 */
export async function scanItems(
  skill: Skill,
  { seed, itemsFile, split, limit, isFresh = false }: ScanOptions,
): Promise<Item[]> {
  if (isFresh && (skill.freshItems === undefined || itemsFile !== undefined)) throw noFreshFamilies(skill, itemsFile);
  const drafts = await draftsOf(skill, { seed, isFresh, ...(itemsFile !== undefined && { itemsFile }) });
  refuseDuplicates(drafts);
  const items = drafts
    .map((draft) => ({ ...draft, split: splitOf(skill.manifest, draft.family) }))
    .filter((item) => item.split === split);
  if (items.length === 0) throw noItems(skill, split, new Set(drafts.map(({ family }) => family)));
  return spread(items, seed).slice(0, limit ?? items.length);
}

/** A skill's author need not know of refusals: a plain error is told as one, with the line that threw it. */
async function draftsOf(
  skill: Skill,
  { isFresh, ...options }: Parameters<Skill["items"]>[0] & { isFresh: boolean },
): Promise<Draft[]> {
  try {
    return isFresh && skill.freshItems ? await skill.freshItems(options) : await skill.items(options);
  } catch (cause) {
    if (cause instanceof Refusal || cause instanceof Failure) throw cause;
    const place =
      cause instanceof Error ? cause.stack?.split("\n").find((line) => line.startsWith("    at ")) : undefined;
    throw new Refusal({
      code: "BAD_ITEMS",
      message: `The skill ${skill.manifest.id} gives no items.`,
      expected: "a list of items",
      got: String(cause),
      ...(place !== undefined && { where: place.trim() }),
      cause,
    });
  }
}

/**
 * Turns: the k-th turn takes one item of each family, in an order drawn anew each turn. A family's own items come
 * kind by kind in the same way, each family's kinds in an order of its own.
 */
function spread(items: readonly Item[], seed: number): Item[] {
  const families = groups(items, ({ family }) => family).map(([family, members]) => {
    const kinds = groups(members, ({ kind }) => kind ?? "").map(([kind, ofKind]) =>
      random("scan-kind", seed, family, kind).shuffle(ofKind),
    );
    return inTurns(kinds, (turn) => random("scan-turn", seed, family, turn));
  });
  return inTurns(families, (turn) => random("scan-families", seed, turn));
}

function inTurns<T>(queues: readonly (readonly T[])[], chance: (turn: number) => ReturnType<typeof random>): T[] {
  const longest = Math.max(...queues.map((queue) => queue.length));
  return Array.from({ length: longest }, (_, turn) =>
    chance(turn).shuffle(queues.flatMap((queue) => queue.slice(turn, turn + 1))),
  ).flat();
}

function groups<T>(values: readonly T[], key: (value: T) => string): [string, T[]][] {
  const found = new Map<string, T[]>();
  for (const value of values) {
    const group = found.get(key(value)) ?? [];
    group.push(value);
    found.set(key(value), group);
  }
  return [...found];
}

function refuseDuplicates(drafts: readonly Draft[]): void {
  const seen = new Set<string>();
  for (const { item } of drafts) {
    if (!seen.has(item)) {
      seen.add(item);
      continue;
    }
    throw new Refusal({
      code: "DUPLICATE_ITEM",
      message: "Two items have the same id.",
      expected: "ids that occur once",
      got: item,
      fix: "give one of them another id",
    });
  }
}

function noFreshFamilies({ manifest }: Skill, itemsFile: string | undefined): Refusal {
  return new Refusal({
    code: "NO_FRESH_FAMILIES",
    message: `The skill ${manifest.id} does not make families of a seed's own${itemsFile === undefined ? "" : " out of a file"}.`,
    expected: "a skill with `freshItems`, and no file of items",
    got: itemsFile ?? manifest.id,
    fix: "leave --fresh-families out: candidates on the same families are then judged ever more strictly",
  });
}

function noItems(skill: Skill, split: Split, families: ReadonlySet<string>): Refusal {
  const places = [...families].slice(0, 12).map((family) => `${family} (${splitOf(skill.manifest, family)})`);
  return new Refusal({
    code: "NO_ITEMS",
    message: `The skill ${skill.manifest.id} has no items in the ${split} split.`,
    expected: `at least one family that lies in ${split}`,
    got: places.length === 0 ? "no items at all" : places.join(", "),
    fix: "take another --split, or add items of more families: a family's name alone decides where it lies",
  });
}
