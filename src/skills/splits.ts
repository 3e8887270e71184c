/**
 * Which split a family lies in: a function of the skill, its salt and the family's name alone. No seed and no new
 * item or family ever moves one, so what was held out once stays held out.
 */
import { hashJson } from "../foundation/hashing.ts";
import type { Split } from "../records/item.ts";
import type { SkillManifest } from "./contract.ts";

/** Returns the split of a family; the shares of the splits are those of the manifest in expectation. */
export function splitOf(manifest: Pick<SkillManifest, "id" | "salt" | "splitFractions">, family: string): Split {
  const hash = hashJson([manifest.id, manifest.salt, family]);
  const position = Number.parseInt(hash.slice(0, 12), 16) / 2 ** 48;
  const { train, validation } = manifest.splitFractions;
  if (position < train) return "train";
  return position < train + validation ? "validation" : "test";
}
