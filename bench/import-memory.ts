/**
 * What memory and time the program takes for a file that is far larger than memory should be: conversations of short texts,
 * whose many messages and attempts are what could add up. The program runs as a user starts it; its peak is what the
 * kernel says of its process.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, random } from "../src/foundation/random.ts";
import type { BenchRow } from "./bench-row.ts";
import { measured, TRACEMILL } from "./processes/measured.ts";

const GIGABYTES = Number(process.env.BENCH_IMPORT_GB ?? 2);
const MESSAGE_CHARACTERS = 300;
const WORDS = "the agent looks at what there is and then writes down which of these files it has to change next".split(
  " ",
);
const ROWS_A_WRITE = 1000;

export async function benchImportMemory(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-bench-memory-"));
  try {
    const file = join(folder, "rows.jsonl");
    const bytes = writeRows(file, GIGABYTES * 1e9);
    const words = [...TRACEMILL, "import", file, "--format", "openai-chat"];
    const { seconds, peakMegabytes } = await measured(words, join(folder, "home"));
    const name = `import ${GIGABYTES} GB of short conversations`;
    const alone = { peer: null, ratio: null };
    return [
      { name: `${name}, peak memory`, ours: peakMegabytes, ...alone, unit: "MB" },
      { name, ours: bytes / 1e6 / seconds, ...alone, unit: "MB/s" },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rows of 4 to 10 messages, no text of which is another's. Returns how many bytes they came to. */
function writeRows(path: string, bytes: number): number {
  const dice = random(1, "rows");
  const file = openSync(path, "w");
  let written = 0;
  for (let row = 0; written < bytes; ) {
    const rows = Array.from({ length: ROWS_A_WRITE }, () => `${JSON.stringify(rowOf(row++, dice))}\n`);
    written += writeSync(file, rows.join(""));
  }
  closeSync(file);
  return written;
}

function rowOf(row: number, dice: Random): object {
  const turns = dice.integer(2, 5);
  const messages = Array.from({ length: 2 * turns }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: textOf(dice),
  }));
  return { id: `item-${row}`, messages, reward: dice.integer(0, 1) };
}

function textOf(dice: Random): string {
  let text = "";
  while (text.length < MESSAGE_CHARACTERS) text += `${dice.pick(WORDS)} ${dice.integer(0, 9999)} `;
  return text;
}
