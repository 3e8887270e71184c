/**
 * An option that takes several names: repeated, separated by commas, or both. Not for what may hold a comma itself, as paths and texts do.
 */
import { z } from "zod";

const SEPARATOR = ",";

/** The entry of such an option in a command's table. */
export function namesList<Name extends z.ZodType<string>>(name: Name): z.ZodArray<Name> {
  return z.array(name).meta({ separator: SEPARATOR });
}

/** Whether an entry of a table is such an option. */
export function isNamesList(schema: z.ZodType): boolean {
  return schema.meta()?.separator === SEPARATOR;
}

/** Splits one word of such an option. A name that is missing stays, as the empty one, for whoever refuses it. */
export function namesIn(word: string): string[] {
  return word.split(SEPARATOR).map((name) => name.trim());
}
