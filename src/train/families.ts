/**
 * Finds the family of a base. Families are files of `families/`.
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import { Refusal } from "../foundation/errors.ts";
import type { ModelFamily } from "./family.ts";

const FAMILIES = join(import.meta.dirname, "families");

/** Returns the family that a `model_type` belongs to. Throws: `UNKNOWN_FAMILY` with the types that are known. */
export async function familyOf(modelType: string): Promise<ModelFamily> {
  const names = await extensionIds(FAMILIES);
  const families = await Promise.all(names.map((name) => loadExtension<ModelFamily>(FAMILIES, "family", name)));
  const family = families.find(({ modelTypes }) => modelTypes.includes(modelType));
  if (family !== undefined) return family;
  throw new Refusal({
    code: "UNKNOWN_FAMILY",
    message: "It is not known which modules of this model get a LoRA.",
    expected: families.flatMap(({ modelTypes }) => modelTypes).join(", "),
    got: `model_type ${modelType}`,
    fix: "train another base, or add a file to src/train/families/",
  });
}
