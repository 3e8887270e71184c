/**
 * docs/files.md as text: every source file with the first sentence of its own header, by folder. What a folder is comes
 * from README.md's tree, which so has to name every folder that holds sources.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { groupBy } from "../src/foundation/group-by.ts";

const ROOTS = ["src", "skills", "python/tracemill_train", "bench", "scripts"];
const SOURCE = /\.(ts|py|sh)$/;

/** Renders the page. Throws: where README.md's tree has no phrase for a folder, or a file no header. */
export function filesPage(root: string): string {
  const phrases = folderPhrases(readFileSync(join(root, "README.md"), "utf8"));
  const files = ROOTS.flatMap((folder) => sourcesUnder(root, folder));
  const folders = groupBy(files, (path) => path.slice(0, path.lastIndexOf("/") + 1));
  const sections = [...folders].map(([folder, paths]) => {
    const phrase = phrases.get(folder);
    if (phrase === undefined) throw new Error(`README.md's tree has no row for \`${folder}\``);
    return [`## ${folder}`, "", `${capital(phrase)}.`, "", ...paths.map((path) => line(root, path))].join("\n");
  });
  return `${[
    "# Files",
    "Made by `make docs` from the first sentence of each file's header, and from the tree in `README.md`; edit those, not this\npage.",
    ...sections,
  ].join("\n\n")}\n`;
}

/** Returns the phrases of the tree's folders, by their path with a slash at its end. */
function folderPhrases(readme: string): Map<string, string> {
  const rows = readme.matchAll(/^\| `([\w./-]+\/)` \| (.+?) \|$/gm);
  return new Map([...rows].map(([, folder = "", phrase = ""]) => [folder, phrase]));
}

/** Returns the sources of a folder and of those below it: its own files first. */
function sourcesUnder(root: string, folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((x, y) => (x.name < y.name ? -1 : 1));
  const files = entries.filter((entry) => entry.isFile() && SOURCE.test(entry.name));
  const folders = entries.filter((entry) => entry.isDirectory());
  return [
    ...files.map(({ name }) => `${folder}/${name}`),
    ...folders.flatMap(({ name }) => sourcesUnder(root, `${folder}/${name}`)),
  ];
}

function line(root: string, path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const header = headerOf(readFileSync(join(root, path), "utf8"));
  if (header === null) throw new Error(`${path} opens with no header`);
  return `- [\`${name}\`](../${path}): ${firstSentence(header)}`;
}

/** Reads the comment that a file opens with as one line of text; null where there is none. */
export function headerOf(source: string): string | null {
  const block = /^\/\*\*(.*?)\*\//s.exec(source)?.[1]?.replaceAll(/^\s*\* ?/gm, "");
  const docstring = /^"""(.*?)"""/s.exec(source)?.[1];
  const hashes = /^(?:#!.*\n)?((?:# .*\n)+)/.exec(source)?.[1]?.replaceAll(/^# /gm, "");
  const text = (block ?? docstring ?? hashes)?.replaceAll(/\s+/g, " ").trim();
  return text === undefined || text === "" ? null : text;
}

/** Returns a text up to the first full stop that ends a sentence. */
export function firstSentence(text: string): string {
  return /^.*?[.!?](?= |$)/.exec(text)?.[0] ?? text;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
