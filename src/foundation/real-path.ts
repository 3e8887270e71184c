/**
 * Where a path leads, so that two names of one file are told as one.
 */
import { realpathSync } from "node:fs";

/** Returns the path itself where nothing is there: it may be one of another machine. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
