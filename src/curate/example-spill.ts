/**
 * Examples put aside on the disk, so that they can be read again in any order: which of them are wanted, and in which
 * order, is known only when all have been seen. The file has no name from the start, so that nothing is left of it
 * whatever happens to the process.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { temporarySibling } from "../foundation/files.ts";
import type { SelectedRow } from "../records/selection.ts";

export interface ExampleSpill {
  /** Puts a row aside and returns where it lies. */
  put(row: SelectedRow): SpillPlace;
  get(place: SpillPlace): SelectedRow;
  close(): void;
}

export interface SpillPlace {
  startByte: number;
  sizeBytes: number;
}

/** Opens an empty spill on the disk that holds `folder`. */
export function openSpill(folder: string): ExampleSpill {
  const path = temporarySibling(join(folder, "examples"));
  const file = openSync(path, "wx+");
  rmSync(path);
  let buffer = Buffer.alloc(1 << 16); // one for all: garbage of this size would pile up before it is collected
  let endByte = 0;
  const makeRoom = (sizeBytes: number) => {
    if (buffer.length < sizeBytes) buffer = Buffer.alloc(2 * sizeBytes);
  };
  return {
    put(row) {
      const text = JSON.stringify(row);
      makeRoom(3 * text.length);
      const sizeBytes = buffer.write(text);
      const startByte = endByte;
      while (endByte < startByte + sizeBytes) {
        const done = endByte - startByte;
        endByte += writeSync(file, buffer, done, sizeBytes - done, endByte);
      }
      return { startByte, sizeBytes };
    },
    get({ startByte, sizeBytes }) {
      makeRoom(sizeBytes);
      readSync(file, buffer, 0, sizeBytes, startByte);
      return JSON.parse(buffer.toString("utf8", 0, sizeBytes));
    },
    close: () => closeSync(file),
  };
}
