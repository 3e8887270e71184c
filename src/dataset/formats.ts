/**
 * Finds formats: by name, or all of them. A file in `formats/` is one; what a dataset holds decides which can be taken.
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import { Refusal } from "../foundation/errors.ts";
import type { Tier } from "../records/selection.ts";
import type { DatasetFormat } from "./format.ts";

const FORMATS_FOLDER = join(import.meta.dirname, "formats");

/** Throws: `UNKNOWN_FORMAT` with the nearest known ones. */
export function loadFormat(id: string): Promise<DatasetFormat> {
  return loadExtension<DatasetFormat>(FORMATS_FOLDER, "format", id);
}

/** Returns every format by its id, sorted. */
export async function loadFormats(): Promise<Map<string, DatasetFormat>> {
  const ids = await extensionIds(FORMATS_FOLDER);
  return new Map(await Promise.all(ids.map(async (id) => [id, await loadFormat(id)] as const)));
}

/**
 * Loads a format that can hold a tier, with a base or without one.
 * Throws: `UNKNOWN_FORMAT`, `FORMAT_OF_ANOTHER_TIER`, `FORMAT_NEEDS_BASE`.
 */
export async function formatFor(
  id: string,
  { tier, hasBase }: { tier: Tier; hasBase: boolean },
): Promise<DatasetFormat> {
  const format = await loadFormat(id);
  if (!format.tiers.includes(tier)) {
    const able = [...(await loadFormats())].filter(([, { tiers }]) => tiers.includes(tier)).map(([name]) => name);
    throw new Refusal({
      code: "FORMAT_OF_ANOTHER_TIER",
      message: `The format "${id}" cannot hold rows of the tier "${tier}".`,
      expected: `a format that can: ${able.join(", ")}`,
      got: `${id}, which holds ${format.tiers.join(", ")}`,
      fix: `--format ${able[0]}, or another tier`,
    });
  }
  if (format.needsBase && !hasBase) {
    throw new Refusal({
      code: "FORMAT_NEEDS_BASE",
      message: `The format "${id}" is made of tokens, and there is no base to make them.`,
      expected: "a base whose tokenizer and chat template render the rows",
      got: "none",
      fix: "name one with --base, or take a format of texts: --format jsonl",
    });
  }
  return format;
}
