/**
 * Which servers of this home run: `servers/<pid>.json`, written by each `tracemill serve`. Whoever needs their memory
 * holds `servers/<pid>.pause`, a lock: the server gives its memory back while a living process holds it, and takes it again
 * when that process lets go or is gone, however it went. Nothing has to be mended after a crash.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeJsonAtomic } from "../foundation/files.ts";
import { acquireLock, birthOf, lockOwner } from "../foundation/lock-file.ts";
import type { Home } from "./home.ts";
import { livingNote, processNoteSchema } from "./process-notes.ts";

const noteSchema = processNoteSchema.extend({
  url: z.string(),
  base: z.string(),
  adapters: z.array(z.string()),
  target: z.string(),
  state: z.enum(["serving", "paused"]),
});

export type ServerNote = z.infer<typeof noteSchema>;

/** Lists this process as a server, or what has changed of it. */
export async function noteServer(home: Home, note: Omit<ServerNote, "pid" | "birth">): Promise<void> {
  const { pid } = process;
  await writeJsonAtomic(notePath(home, pid), { ...note, pid, birth: birthOf(pid) });
}

/** Removes the note of this process, if there is one. */
export async function forgetServer(home: Home): Promise<void> {
  await rm(notePath(home, process.pid), { force: true });
}

/** Lists the servers that live, by their ids; those whose process is gone are forgotten. */
export async function listServers(home: Home): Promise<ServerNote[]> {
  const names = await readdir(home.servers).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const paths = names.filter((name) => /^\d+\.json$/.test(name)).map((name) => join(home.servers, name));
  const notes = await Promise.all(paths.map((path) => livingNote(path, noteSchema)));
  return notes.flatMap((note) => note ?? []).sort((x, y) => x.pid - y.pid);
}

/** Asks a server for its memory until the returned function is called. Throws: `LOCKED` where another process holds it. */
export function holdPause(home: Home, pid: number): () => void {
  return acquireLock(pausePath(home, pid), `The memory of server ${pid}`);
}

/** Whether a living process wants this one's memory. */
export function isPauseHeld(home: Home): boolean {
  return lockOwner(pausePath(home, process.pid)) !== null;
}

function notePath(home: Home, pid: number): string {
  return join(home.servers, `${pid}.json`);
}

function pausePath(home: Home, pid: number): string {
  return join(home.servers, `${pid}.pause`);
}
