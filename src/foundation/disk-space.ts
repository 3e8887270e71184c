/**
 * Whether a disk has room for what is about to be written: said before hours of work, not after.
 */
import { statfs } from "node:fs/promises";
import { Refusal } from "./errors.ts";

/**
 * Checks the room on the disk of a folder that is there.
 * Throws: `NO_DISK_SPACE`; `what` is named as that for which there is none.
 */
export async function checkDiskSpace(folder: string, neededBytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= neededBytes) return;
  throw new Refusal({
    code: "NO_DISK_SPACE",
    message: `The disk has no room for ${what}.`,
    expected: `${Math.ceil(neededBytes / 1e6)} MB`,
    got: `${Math.floor((bavail * bsize) / 1e6)} MB`,
    where: folder,
  });
}
