/**
 * What a folder holds, where one that is not there holds nothing.
 */
import { readdir } from "node:fs/promises";

/** Returns the names in a folder, in no order; none where there is no such folder. Throws: what else keeps it from being read. */
export async function namesInFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
}
