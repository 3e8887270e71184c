/**
 * Programs that are not part of tracemill: whether a file is one, and where one lies.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Returns the path that is named, else that of `name` on the PATH, else the first of `besides`; null where none runs. */
export function executableNamed(
  named: string | undefined,
  { name, besides = [] }: { name: string; besides?: readonly string[] },
): string | null {
  if (named !== undefined && named !== "") return isExecutable(named) ? named : null;
  return [...pathFolders().map((folder) => join(folder, name)), ...besides].find(isExecutable) ?? null;
}

/** The folders of the PATH. */
export function pathFolders(): string[] {
  return (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
}

/** Whether a path is there and may be run by this user. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
