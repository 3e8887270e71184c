/**
 * Finds training methods. Methods are files of `methods/`.
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import type { Tier } from "../records/selection.ts";
import type { TrainMethod } from "./method.ts";

const METHODS = join(import.meta.dirname, "methods");

/** Throws: `UNKNOWN_METHOD`. */
export function methodNamed(name: string): Promise<TrainMethod> {
  return loadExtension<TrainMethod>(METHODS, "method", name);
}

/** Returns the names of the methods that take a tier. */
export async function methodsFor(tier: Tier): Promise<string[]> {
  const names = await extensionIds(METHODS);
  const methods = await Promise.all(names.map(methodNamed));
  return names.filter((_, i) => methods[i]?.tier === tier);
}
