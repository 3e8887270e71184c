/**
 * What a server of its own says, in a file that does not grow without end: past a size it begins anew, and what it said before
 * stays beside it as `.old`. Files of processes that are gone are kept, but only the last few: one that was killed may be
 * asked for why.
 */
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isAlive } from "../foundation/lock-file.ts";

const MOST_BYTES = 10_000_000;
const KEPT_OF_THE_GONE = 3;

export interface ServerLog {
  write(text: string): void;
}

/** Begins the file anew. */
export function serverLog(path: string, mostBytes = MOST_BYTES): ServerLog {
  mkdirSync(dirname(path), { recursive: true });
  removeOld(path);
  writeFileSync(path, "");
  let sizeBytes = 0;
  return {
    write(text) {
      sizeBytes += Buffer.byteLength(text);
      try {
        if (sizeBytes > mostBytes) {
          renameSync(path, `${path}.old`);
          sizeBytes = Buffer.byteLength(text);
        }
        appendFileSync(path, text);
      } catch {
        // A full disk is no reason to end a server.
      }
    },
  };
}

/** Takes a log away with what it said before. */
export function removeServerLog(path: string): void {
  for (const file of [path, `${path}.old`]) rmSync(file, { force: true });
}

/** Of the logs beside this one, all but the newest few go that no living process writes. */
function removeOld(path: string): void {
  const folder = dirname(path);
  const ofGone = readdirSync(folder).flatMap((name) => {
    const [, pid] = /-(\d+)\.log$/.exec(name) ?? [];
    const isGone = pid !== undefined && name !== basename(path) && !isAlive(Number(pid));
    return isGone ? [{ file: join(folder, name), atMs: statSync(join(folder, name)).mtimeMs }] : [];
  });
  const newestFirst = ofGone.sort((x, y) => y.atMs - x.atMs);
  for (const { file } of newestFirst.slice(KEPT_OF_THE_GONE)) removeServerLog(file);
}
