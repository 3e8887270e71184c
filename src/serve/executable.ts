/**
 * Finds the executable of a server that is not part of tracemill.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Returns the path that is named, else that of `name` on the PATH, else the first of `besides`; null where none runs. */
export function executableNamed(
  named: string | undefined,
  { name, besides = [] }: { name: string; besides?: readonly string[] },
): string | null {
  if (named !== undefined && named !== "") return isExecutable(named) ? named : null;
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders.map((folder) => join(folder, name)), ...besides].find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
