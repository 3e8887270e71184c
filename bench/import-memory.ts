/**
 * What memory and time the program takes for a file that is far larger than memory should be: conversations of short texts,
 * whose many messages and attempts are what could add up. The program runs as a user starts it; its peak is what the
 * kernel says of its process.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { type Random, random } from "../src/foundation/random.ts";
import type { BenchRow } from "./bench-row.ts";

const GIGABYTES = Number(process.env.BENCH_IMPORT_GB ?? 2);
const MESSAGE_CHARACTERS = 300;
const WORDS = "the agent looks at what there is and then writes down which of these files it has to change next".split(
  " ",
);
const ROWS_A_WRITE = 1000;
const POLL_MS = 100;

export async function benchImportMemory(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-bench-memory-"));
  try {
    const file = join(folder, "rows.jsonl");
    const bytes = writeRows(file, GIGABYTES * 1e9);
    const startMs = performance.now();
    const peak = await peakMegabytes(["import", file, "--format", "openai-chat"], join(folder, "home"));
    const seconds = (performance.now() - startMs) / 1000;
    const name = `import ${GIGABYTES} GB of short conversations`;
    const alone = { peer: null, ratio: null };
    return [
      { name: `${name}, peak memory`, ours: peak, ...alone, unit: "MB" },
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

/** Runs the program to its end. */
async function peakMegabytes(words: readonly string[], home: string): Promise<number> {
  const program = spawn(process.execPath, [join(PACKAGE_FOLDER, "bin", "tracemill.js"), ...words], {
    env: { ...process.env, TRACEMILL_HOME: home },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(program, "exit");
  let peak = 0;
  while (program.exitCode === null && program.signalCode === null) {
    peak = Math.max(peak, peakOf(program.pid ?? 0));
    await Promise.race([ended, setTimeout(POLL_MS)]);
  }
  if (program.exitCode !== 0) throw new Error(`the import ended with ${program.exitCode ?? program.signalCode}`);
  return peak;
}

/** Source: proc(5), VmHWM of /proc/PID/status, in kB. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1000;
  } catch {
    return 0; // it has just ended
  }
}
