/**
 * One process at a time: a lock file that holds its owner's process id.
 * A lock whose process is gone is stale and taken over. The file appears with its content in one step (a hard link),
 * so that no one ever sees a lock without an owner.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Refusal } from "./errors.ts";
import { temporarySibling } from "./files.ts";

/**
 * Takes the lock at `path` and returns the function that gives it back.
 * Throws: `LOCKED` with the owner's process id while that process lives.
 */
export function acquireLock(path: string, what: string): () => void {
  for (;;) {
    if (createLock(path)) return () => rmSync(path, { force: true });
    const owner = ownerOf(path);
    if (owner === "gone") continue;
    if (owner !== "nobody" && isAlive(owner)) {
      throw new Refusal({
        code: "LOCKED",
        message: `${what} is in use by another process.`,
        expected: "one process at a time",
        got: `process ${owner} holds the lock`,
        where: path,
        fix: `wait for process ${owner}, or end it`,
      });
    }
    removeStale(path, owner);
  }
}

function createLock(path: string): boolean {
  const draft = temporarySibling(path);
  writeFileSync(draft, `${process.pid}\n`);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a stale lock aside; where another process took it over between our look and the move, that one is put back. */
function removeStale(path: string, owner: number | "nobody"): void {
  const aside = temporarySibling(path);
  try {
    renameSync(path, aside);
    if (ownerOf(aside) !== owner) linkSync(aside, path);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** `gone`: there is no lock any more; `nobody`: its content is no process id. */
function ownerOf(path: string): number | "gone" | "nobody" {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : "nobody";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return "gone";
  }
}

/** Whether a process with this id is running, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
