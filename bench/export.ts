/**
 * How far an export reaches: a lake of 175,000 turns with prompts of 4 kB, and how time and memory grow up to a million
 * (`BENCH_EXPORT_TURNS`, separated by commas, chooses the sizes). Programs run as a user starts them; the peer is the same
 * selection written by hand with Hugging Face datasets, which gets the same examples as one file of JSON lines.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../src/foundation/errors.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { homeAt } from "../src/store/home.ts";
import { buildLake } from "../src/store/lake.ts";
import type { BenchRow } from "./bench-row.ts";
import { writeManyTurns } from "./lakes/many-turns.ts";
import { type Measured, measured, TRACEMILL } from "./processes/measured.ts";

const SIZES = (process.env.BENCH_EXPORT_TURNS ?? "20000,60000,175000").split(",").map(Number);
const PYTHON = join(PACKAGE_FOLDER, ".venv", "bin", "python");
const PEER = join(PACKAGE_FOLDER, "bench", "processes", "datasets_selection.py");
const FREE_OF_SECRETS = ["--scrub", "off", "--scrub-reason", "measured by itself"];

const EXPORTS: Record<string, readonly string[]> = {
  "all gates and near-duplicates": FREE_OF_SECRETS,
  pairs: ["--tier", "preference-pairs", "--format", "dpo", ...FREE_OF_SECRETS],
  "all gates, near-duplicates and secrets": [],
  "pairs and secrets": ["--tier", "preference-pairs", "--format", "dpo"],
};

export async function benchExport(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const turns of SIZES) rows.push(...(await exportsOf(turns)));
  return rows;
}

async function exportsOf(turns: number): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-bench-export-"));
  try {
    const home = homeAt(join(folder, "home"));
    const examples = join(folder, "examples.jsonl");
    await writeManyTurns(home, { turns, examples });
    await buildLake(home);
    const rows: BenchRow[] = [];
    for (const [name, words] of Object.entries(EXPORTS))
      rows.push(...rowsOf(`export of ${turns} turns, ${name}`, await exported(home.path, words)));
    const plain = await exported(home.path, ["--near", "off", ...FREE_OF_SECRETS]);
    const peer = await measured([...peerProgram(), examples, join(folder, "peer.jsonl")]);
    const name = `export of ${turns} turns without near-duplicates, beside datasets`;
    rows.push({
      name,
      ours: turns / plain.seconds,
      peer: turns / peer.seconds,
      ratio: peer.seconds / plain.seconds,
      unit: "turns/s",
    });
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function exported(home: string, words: readonly string[]): Promise<Measured> {
  const out = join(home, "rows.jsonl");
  return measured([...TRACEMILL, "export", "--skill", "forms", "--base", "none", "--out", out, ...words], home);
}

function rowsOf(name: string, { seconds, cpuSeconds, peakMegabytes }: Measured): BenchRow[] {
  const alone = { peer: null, ratio: null };
  return [
    { name, ours: seconds, ...alone, unit: "s" },
    { name: `${name}, processor`, ours: cpuSeconds, ...alone, unit: "s" },
    { name: `${name}, peak memory`, ours: peakMegabytes, ...alone, unit: "MB" },
  ];
}

function peerProgram(): string[] {
  if (existsSync(PYTHON)) return [PYTHON, PEER];
  throw new Refusal({
    code: "PEER_MISSING",
    message: "The peer needs Python's datasets, which is not here.",
    expected: PYTHON,
    fix: "make setup",
  });
}
