/**
 * One process at a time: a lock file that holds its owner's process id, and where the system tells it the process's
 * birth, for ids are given anew after a restart. A lock whose process is gone is stale and taken over. The file
 * appears with its content in one step (a hard link), so that no one ever sees a lock without an owner.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Refusal } from "./errors.ts";
import { temporarySibling } from "./files.ts";

/**
 * Takes the lock at `path` and returns the function that gives it back.
 * Throws: `LOCKED` with the owner's process id while that process lives.
 */
export function acquireLock(path: string, what: string): () => void {
  for (;;) {
    if (createLock(path)) return () => rmSync(path, { force: true });
    const content = contentOf(path);
    if (content === null) continue;
    const owner = livingOwner(content);
    if (owner !== null) {
      throw new Refusal({
        code: "LOCKED",
        message: `${what} is in use by another process.`,
        expected: "one process at a time",
        got: `process ${owner} holds the lock`,
        where: path,
        fix: `wait for process ${owner}, or end it`,
      });
    }
    removeStale(path, content);
  }
}

const RETRY_MS = 10;

/**
 * Does short work that only one may do at a time, one after another; others of this process wait as well.
 * Throws: `LOCKED` where another keeps the lock for `longestMs`; what the work throws.
 */
export async function inTurn<T>(
  { path, what, longestMs }: { path: string; what: string; longestMs: number },
  work: () => Promise<T>,
): Promise<T> {
  const release = await takeTurn(path, what, longestMs);
  try {
    return await work();
  } finally {
    release();
  }
}

async function takeTurn(path: string, what: string, longestMs: number): Promise<() => void> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    try {
      return acquireLock(path, what);
    } catch (error) {
      if (!(error instanceof Refusal && error.code === "LOCKED") || waitedMs >= longestMs) throw error;
      await setTimeout(RETRY_MS);
    }
  }
}

function createLock(path: string): boolean {
  const draft = temporarySibling(path);
  try {
    writeFileSync(draft, `${process.pid}\n${birthOf(process.pid) ?? ""}\n`);
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
function removeStale(path: string, content: string): void {
  const aside = temporarySibling(path);
  try {
    renameSync(path, aside);
    if (contentOf(aside) !== content) linkSync(aside, path);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Null where there is no lock any more. */
function contentOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return null;
  }
}

/** Returns the process that holds the lock at `path`, null where none that lives does. */
export function lockOwner(path: string): number | null {
  const content = contentOf(path);
  return content === null ? null : livingOwner(content);
}

/** Returns the owner's process id while that very process lives; a content that names none has no owner. */
function livingOwner(content: string): number | null {
  const [first = "", birth = ""] = content.split("\n");
  const pid = Number.parseInt(first, 10);
  return isProcess({ pid, birth: birth === "" ? null : birth }) ? pid : null;
}

/** Whether that very process lives; where its birth is not known, whether one of its id does. */
export function isProcess({ pid, birth }: { pid: number; birth: string | null }): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return false;
  const birthNow = birthOf(pid);
  return birth === null || birthNow === null || birthNow === birth;
}

/**
 * Returns when a process began, in the kernel's ticks since the machine did; null where the system does not tell.
 * Source: proc(5), field 22 of /proc/PID/stat, counted behind the command's name, which may hold anything.
 */
export function birthOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
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
