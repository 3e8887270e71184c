/**
 * What the machine itself refuses - a full disk, a folder that may not be written - told as a refusal instead of as a
 * bug. Where a stage knows more (what was kept, what goes on), it refuses by itself before this is asked.
 */
import { Refusal } from "./errors.ts";

interface Wording {
  code: string;
  message: string;
  fix: string;
}

const FULL: Wording = {
  code: "DISK_FULL",
  message: "The disk is full.",
  fix: "nothing recorded before is lost: free some space, then give the same command again",
};
const CLOSED: Wording = {
  code: "NO_ACCESS",
  message: "A file or folder may not be read or written.",
  fix: "change its permissions, or take another folder with --home DIR",
};
const MISPLACED: Wording = {
  code: "NOT_A_FOLDER",
  message: "A file is where a folder should be, or a folder where a file should be.",
  fix: "move it away, or take another folder with --home DIR",
};

const WORDINGS: Readonly<Record<string, Wording>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: FULL,
  EACCES: CLOSED,
  EPERM: CLOSED,
  EROFS: CLOSED,
  ENOTDIR: MISPLACED,
  EEXIST: MISPLACED,
  EISDIR: MISPLACED,
};

/**
 * Returns the refusal that a system call's error amounts to; null where it tells of a bug rather than of the machine.
 * Making a folder with all above it says ENOENT where it may not: on a read-only disk, or under /proc.
 */
export function systemRefusal(error: unknown): Refusal | null {
  if (!(error instanceof Error) || error instanceof Refusal) return null;
  const { code = "", syscall, path, message } = error as NodeJS.ErrnoException;
  const wording = syscall === undefined ? toldWording(message) : wordingOf(code, syscall);
  if (wording === undefined) return null;
  return new Refusal({ ...wording, got: message, ...(path !== undefined && { where: path }), cause: error });
}

/** Whether an error of the file system, or of DuckDB about it, says that there is no room. */
export function isDiskFull(error: unknown): boolean {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return WORDINGS[code] === FULL || toldWording(message) === FULL;
}

function wordingOf(code: string, syscall: string): Wording | undefined {
  return code === "ENOENT" && syscall === "mkdir" ? CLOSED : WORDINGS[code];
}

/** DuckDB tells of the system in words alone. */
function toldWording(message: string): Wording | undefined {
  return /no space left|file too large|disk quota/i.test(message) ? FULL : undefined;
}
