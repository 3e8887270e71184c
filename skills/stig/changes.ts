/**
 * What a script left: the files of the overlay's upper layer. Some of them decide what a later mount or scan would
 * find, and are the scanner's, not the host's to be mended: a script that touches one is not scanned at all.
 */
import { Failure } from "../../src/foundation/errors.ts";
import type { Sandbox } from "./sandbox.ts";

const KINDS: Record<string, string> = { f: "file", d: "folder", l: "link", c: "removed", b: "device" };

/** What the scan itself stands on: program, libraries, package database, and the folders that it is mounted over. */
const SCANNERS =
  /^(usr|bin|sbin|lib\w*|opt|proc|dev|sys|run)(\/|$)|^var\/(lib\/(dpkg|apt)|cache\/apt)(\/|$)|^etc\/(ld\.so\.|(ssl|rpm|gcrypt)(\/|$))/;
const MUST_STAY_FOLDERS = /^(etc|tmp|var|var\/(lib|cache))$/;

/** A setting in the tree of folders, in any spelling, or a directive that brings in or takes away others. */
const APT_ELSEWHERE = '(^|[^a-z])(dir|rootdir)[[:space:]]*(::|\\{|")|#[[:space:]]*(include|clear|x-)';

export interface Change {
  path: string;
  /** file, folder, link, removed, ... */
  kind: string;
  /** Octal. */
  mode: string;
  owner: string;
  sizeBytes: number;
}

/** What differs from the root as it was set up. */
export interface Changes {
  /** By path. */
  list: Change[];
  /** False where there are more than can be listed. */
  isWhole: boolean;
}

/** Throws: a failure of the workspace where the files cannot be read. */
export async function changesIn(sandbox: Sandbox): Promise<Changes> {
  const { exitCode, stdout, stderr, isCut } = await sandbox.outside([
    "find",
    "upper",
    "-mindepth",
    "1",
    "-printf",
    "%y %m %U:%G %s %P\\0",
  ]);
  if (exitCode !== 0) {
    const message = `The sandbox's changes cannot be listed: ${stderr.trim()}`;
    throw new Failure({ boundary: "workspace", code: "SANDBOX_LOST", message });
  }
  // The last entry has no end where the output was cut.
  const list = stdout.split("\0").slice(0, -1).map(changeOf);
  return { list: list.sort((a, b) => (a.path < b.path ? -1 : 1)), isWhole: !isCut };
}

/** What differs between two lists: what one script did, where an earlier one had changed something too. */
export function changesSince(before: readonly Change[], now: readonly Change[]): Change[] {
  const known = new Set(before.map((change) => JSON.stringify(change)));
  return now.filter((change) => !known.has(JSON.stringify(change)));
}

/** The changed paths that belong to the scanner. A folder that was only passed through counts as unchanged. */
export function touchedScanner(changes: readonly Change[]): string[] {
  return changes
    .filter(({ path, kind }) => (MUST_STAY_FOLDERS.test(path) ? kind !== "folder" : SCANNERS.test(path)))
    .map(({ path }) => path);
}

/** Changed settings of apt that name another place or file: the scanner asks apt's library which packages there are. */
export async function redirectedApt(sandbox: Sandbox, changes: readonly Change[]): Promise<string[]> {
  const paths = changes
    .filter(({ path, kind }) => path.startsWith("etc/apt") && kind !== "folder")
    .map(({ path }) => path);
  const odd = changes.filter(({ path, kind }) => paths.includes(path) && kind !== "file" && kind !== "removed");
  if (odd.length > 0) return odd.map(({ path }) => path);
  const files = changes
    .filter(({ path, kind }) => paths.includes(path) && kind === "file")
    .map(({ path }) => `/${path}`);
  if (files.length === 0) return [];
  const words = ["/usr/bin/grep", "-lizE", "--", APT_ELSEWHERE, ...files];
  const { stdout } = await sandbox.run(words, { limitMs: 10_000, isReadOnly: true });
  return stdout
    .split("\0")
    .filter((path) => path !== "")
    .map((path) => path.slice(1));
}

function changeOf(line: string): Change {
  const [type = "", mode = "", owner = "", size = "", ...path] = line.split(" ");
  return { path: path.join(" "), kind: KINDS[type] ?? "special", mode, owner, sizeBytes: Number(size) };
}
