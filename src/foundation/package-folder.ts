/**
 * The folder that holds package.json, `python/` and, in a checkout, `.venv/`: found by walking up from this file, as
 * the sources lie one level deeper in a build.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

function findPackageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

export const PACKAGE_FOLDER: string = findPackageFolder();
