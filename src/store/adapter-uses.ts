/**
 * Which adapters of a server that is not ours are used from this home: `servers/uses/<pid>-<number>.json`, one for each of our
 * servers that uses any, so that only the last of them takes an adapter away. A note whose process is gone counts for nothing.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeJsonAtomic } from "../foundation/files.ts";
import { birthOf, inTurn } from "../foundation/lock-file.ts";
import type { Home } from "./home.ts";
import { livingNote, processNoteSchema } from "./process-notes.ts";

const noteSchema = processNoteSchema.extend({
  /** Of the server. */
  origin: z.string(),
  /** By their names there. */
  adapters: z.array(z.string()),
});

export interface AdapterUses {
  /** Notes what is used from now on, in place of what was. */
  note(adapters: readonly string[]): Promise<void>;
  /** What others of this home use there. */
  ofOthers(): Promise<Set<string>>;
  /** Does what must not meet another's loading or unloading. Throws: `LOCKED` where another takes longer than is waited for. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

let users = 0;

/** One more user of the server at `origin`, with nothing yet; its turn is waited for as long as `longestMs`. */
export function adapterUses(home: Home, { origin, longestMs }: { origin: string; longestMs: number }): AdapterUses {
  const { pid } = process;
  const folder = join(home.servers, "uses");
  const own = `${pid}-${users++}.json`;
  return {
    async note(adapters) {
      const path = join(folder, own);
      if (adapters.length === 0) await rm(path, { force: true });
      else await writeJsonAtomic(path, { pid, birth: birthOf(pid), origin, adapters });
    },
    async ofOthers() {
      const names = (await readdir(folder)).filter((name) => /^\d+-\d+\.json$/.test(name) && name !== own);
      const notes = await Promise.all(names.map((name) => livingNote(join(folder, name), noteSchema)));
      return new Set(notes.flatMap((note) => (note?.origin === origin ? note.adapters : [])));
    },
    async inTurn(work) {
      await mkdir(folder, { recursive: true });
      return inTurn(
        { path: join(folder, "turn.lock"), what: `The list of what is loaded at ${origin}`, longestMs },
        work,
      );
    },
  };
}
