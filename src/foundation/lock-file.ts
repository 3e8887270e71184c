/**
 * One process at a time: a lock file that holds its owner's process id.
 * A lock whose process is gone is stale and taken over.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { Refusal } from "./errors.ts";

/**
 * Takes the lock at `path` and returns the function that gives it back.
 * Throws: `LOCKED` with the owner's process id while that process lives.
 */
export function acquireLock(path: string, what: string): () => void {
  for (;;) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = ownerOf(path);
    if (owner !== null && isAlive(owner)) {
      throw new Refusal({
        code: "LOCKED",
        message: `${what} is in use by another process.`,
        expected: "one process at a time",
        got: `process ${owner} holds the lock`,
        where: path,
        fix: `wait for process ${owner}, or end it`,
      });
    }
    rmSync(path, { force: true });
  }
}

function ownerOf(path: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null; // the owner gave it back between our two looks
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
