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

export interface Change {
  path: string;
  /** file, folder, link, removed, ... */
  kind: string;
  /** Octal. */
  mode: string;
  owner: string;
  sizeBytes: number;
}

/** Every file that differs from the root as it was set up, by path. */
export async function changesIn(sandbox: Sandbox): Promise<Change[]> {
  const { exitCode, stdout, stderr, isCut } = await sandbox.outside([
    "find",
    "upper",
    "-mindepth",
    "1",
    "-printf",
    "%y %m %U:%G %s %P\\0",
  ]);
  if (exitCode !== 0 || isCut) {
    const message = `The sandbox's changes cannot be listed: ${isCut ? "too many" : stderr.trim()}`;
    throw new Failure({ boundary: "workspace", code: "SANDBOX_LOST", message });
  }
  const lines = stdout.split("\0").filter((line) => line !== "");
  return lines.map(changeOf).sort((a, b) => (a.path < b.path ? -1 : 1));
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

function changeOf(line: string): Change {
  const [type = "", mode = "", owner = "", size = "", ...path] = line.split(" ");
  return { path: path.join(" "), kind: KINDS[type] ?? "special", mode, owner, sizeBytes: Number(size) };
}
