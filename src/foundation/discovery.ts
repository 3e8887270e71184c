/**
 * Finds extensions: every file of a folder whose default export satisfies that folder's contract.
 * The id is the file name, so adding a file is all that it takes; built-ins load by the same path.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { unknownName } from "./nearest.ts";

/** Lists the extension ids in a folder, sorted: `.ts` files of a checkout or `.js` files of a build. */
export async function extensionIds(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const ids = names.filter((n) => /\.(ts|js)$/.test(n) && !n.endsWith(".d.ts")).map((n) => n.replace(/\.(ts|js)$/, ""));
  return [...new Set(ids)].sort();
}

/**
 * Loads one extension by id.
 * Throws: `UNKNOWN_<KIND>` with the nearest known ids.
 */
export async function loadExtension<T>(folder: string, kind: string, id: string): Promise<T> {
  const names = await readdir(folder);
  const file = names.find((n) => n === `${id}.ts`) ?? names.find((n) => n === `${id}.js`);
  if (file === undefined) throw unknownName(kind, id, await extensionIds(folder));
  const module = (await import(pathToFileURL(join(folder, file)).href)) as { default: T };
  return module.default;
}
