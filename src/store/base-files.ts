/**
 * Whether the weights of a base, which may be referenced in place, are still those that were added: an adapter of other ones
 * would claim a base that it is none of.
 */
import { resolve } from "node:path";
import type { BaseFile, BaseManifest } from "../records/base-manifest.ts";
import { hashFiles, type OnHash } from "./file-hashes.ts";
import { changedFile, missingFile } from "./file-refusals.ts";
import type { Home } from "./home.ts";

/** Reads only what was changed since it was last read. Throws: `BASE_CHANGED`, `MISSING_FILE`. */
export async function checkBaseFiles(
  home: Home,
  base: BaseManifest,
  { format, onHash = () => {} }: { format: BaseFile["format"]; onHash?: OnHash | undefined },
): Promise<void> {
  const folder = home.baseFolder(base.name);
  const files = base.files.filter((file) => file.format === format);
  const paths = files.map(({ path }) => resolve(folder, path));
  const hashed = await hashFiles(paths, folder, onHash).catch((cause: NodeJS.ErrnoException) => {
    throw missingFile(cause.path ?? folder, `the base's ${format}`, cause);
  });
  for (const [index, { path, hash: got }] of hashed.entries()) {
    const expected = files[index]?.hash;
    if (got !== expected) throw changedFile("BASE_CHANGED", path, { expected, got });
  }
}
