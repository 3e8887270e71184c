/**
 * Text that may be JSON, from whoever wrote it. What it holds is for a schema to say, which refuses `undefined` too.
 */

/** Returns the value of a JSON text; undefined where it is none. */
export function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
