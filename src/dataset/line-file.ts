/**
 * A file written line by line in large pieces, flushed to the disk when it is closed.
 */
import { open } from "node:fs/promises";

const PIECE_CHARACTERS = 1 << 16;

export interface LineFile {
  write(line: string): Promise<void>;
  /** Does nothing the second time. */
  close(): Promise<void>;
}

/** Creates a file that must not be there yet. */
export async function createLineFile(path: string): Promise<LineFile> {
  const file = await open(path, "wx");
  let lines: string[] = [];
  let characters = 0;
  let isOpen = true;

  async function flush() {
    await file.writeFile(lines.map((line) => `${line}\n`).join(""));
    lines = [];
    characters = 0;
  }

  return {
    async write(line) {
      lines.push(line);
      characters += line.length;
      if (characters >= PIECE_CHARACTERS) await flush();
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await flush();
      await file.sync();
      await file.close();
    },
  };
}
