/**
 * Appending whole lines to a file so that a line is in the kernel's hands before anyone sees its effect, and a line
 * that could not be written whole leaves no trace. Does not know what the lines mean.
 */
import { closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { Refusal } from "../foundation/errors.ts";
import { isDiskFull } from "../foundation/system-refusal.ts";

/**
 * Appends bytes at the end of a file that is `sizeBytes` long and returns its new length.
 * Throws: `DISK_FULL` or `LOG_NOT_WRITTEN`; the file is then cut back to `sizeBytes`, and where even that fails its
 * torn tail is cut off when it is opened again.
 */
export function appendWhole(file: { fd: number; path: string; sizeBytes: number }, bytes: Buffer): number {
  let written = 0;
  try {
    while (written < bytes.length) {
      written += writeSync(file.fd, bytes, written, bytes.length - written, file.sizeBytes + written);
    }
  } catch (error) {
    cutBack(file);
    throw writeRefusal(file.path, error as NodeJS.ErrnoException);
  }
  return file.sizeBytes + bytes.length;
}

/** Appends to a file one piece after another. */
export interface Appends {
  /** Throws: as `appendWhole`. */
  append(bytes: Buffer): void;
  /** Writes what is held back. Throws: as `appendWhole`. */
  flush(): void;
}

interface OpenFile {
  fd: number;
  path: string;
  sizeBytes: number;
}

/** Every piece is in the kernel's hands when `append` returns. */
export function wholeAppends({ sizeBytes: startBytes, ...file }: OpenFile): Appends {
  let sizeBytes = startBytes;
  return {
    append(bytes) {
      sizeBytes = appendWhole({ ...file, sizeBytes }, bytes);
    },
    flush: () => {},
  };
}

/** Pieces are written many at a time: for a file that nobody knows of before it is whole. */
export function heldAppends(file: OpenFile): Appends {
  const { append } = wholeAppends(file);
  const held = Buffer.allocUnsafe(HELD_BYTES);
  let heldBytes = 0;
  const flush = () => {
    append(held.subarray(0, heldBytes));
    heldBytes = 0;
  };
  return {
    append(bytes) {
      if (heldBytes + bytes.length > HELD_BYTES) flush();
      if (bytes.length > HELD_BYTES) append(bytes);
      else heldBytes += bytes.copy(held, heldBytes);
    },
    flush,
  };
}

const HELD_BYTES = 1 << 20;

/**
 * Hands a file's content over to the disk.
 * Throws: as `appendWhole`.
 */
export function syncFile(fd: number, path: string): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    throw writeRefusal(path, error as NodeJS.ErrnoException);
  }
}

/**
 * Returns a function that hands a file's content over to the disk without holding anyone up; calls that come while it
 * is on its way share the next one, which begins after all of them.
 * Throws: as `appendWhole`.
 */
export function sharedFlush(fd: number, path: string): () => Promise<void> {
  const sync = promisify(fdatasync);
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function start(): Promise<void> {
    next = null;
    running = sync(fd)
      .catch((error) => {
        throw writeRefusal(path, error);
      })
      .finally(() => {
        running = null;
      });
    return running;
  }

  return () => {
    if (running === null) return start();
    next ??= running.catch(() => {}).then(start);
    return next;
  };
}

/**
 * Hands a file that was written and closed over to the disk, and that it is in its folder; without holding anyone up.
 * Throws: as `appendWhole`.
 */
export async function syncWritten(path: string): Promise<void> {
  try {
    const file = await open(path, "r+");
    await file.sync().finally(() => file.close());
  } catch (error) {
    throw writeRefusal(path, error as NodeJS.ErrnoException);
  }
  syncFolderOf(dirname(path));
}

/** Hands a folder's entries over to the disk, so that a new file in it survives a power cut. */
export function syncFolderOf(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!["EINVAL", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error; // no such thing here
  } finally {
    closeSync(fd);
  }
}

function cutBack(file: { fd: number; sizeBytes: number }): void {
  try {
    ftruncateSync(file.fd, file.sizeBytes);
  } catch {
    // The torn tail stays: reopening cuts it off.
  }
}

function writeRefusal(path: string, error: NodeJS.ErrnoException): Refusal {
  const isFull = isDiskFull(error);
  return new Refusal({
    code: isFull ? "DISK_FULL" : "LOG_NOT_WRITTEN",
    message: isFull ? "The disk is full: the event was not written." : "The event could not be written.",
    expected: "room for one more line",
    got: error.message,
    where: path,
    fix: "nothing recorded before is lost: free some space, then resume",
    cause: error,
  });
}
