/**
 * Near-duplicates beside datasketch, on the same file of texts of 4 kB with planted copies and with the same parameters: texts
 * a second, what each finds of the pairs that an exact comparison finds, and how time and memory grow.
 * datasketch is no dependency: `make bench-peers` installs it, and without it its column is empty.
 */
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLines } from "../src/foundation/jsonl.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { exactSimilarities, plantedTexts } from "../test/curate/near/planted-texts.ts";
import type { BenchRow } from "./bench-row.ts";

const PYTHON = join(PACKAGE_FOLDER, ".venv-bench/bin/python");
const COMPARED_COUNTS = [10_000, 50_000];
const GROWTH_COUNTS = [10_000, 50_000, 175_000, 500_000];
/** So many of the file's first texts are compared exactly, each with each. */
const EXACT_COUNT = 3000;
const THRESHOLD = 0.85;
/** Two standard errors of a similarity of 0.85 estimated by 128 places: within it of the threshold chance decides. */
const MARGIN = 2 * Math.sqrt((0.85 * 0.15) / 128);
/** Words of a text; 800 are 4 kB. */
const WORDS: [number, number] = [600, 1000];

interface Found {
  seconds: number;
  /** Of them those after the last text was read and added. */
  findSeconds: number;
  /** Of the whole process: what else the machine does hardly changes it. */
  cpuSeconds: number;
  peakMegabytes: number;
  pairs: [number, number][];
}

export async function benchNear(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-bench-near-"));
  try {
    const file = join(folder, "texts.jsonl");
    writeTexts(file, Math.max(...GROWTH_COUNTS));
    const hasPeer = existsSync(PYTHON);
    if (!hasPeer) console.error(`no datasketch at ${PYTHON}: make bench-peers installs it`);
    const peer = (count: number) => (hasPeer ? found([PYTHON, "datasketch_pairs.py"], [file, String(count)]) : null);
    const ours = (count: number, what: "pairs" | "resolve") =>
      found([process.execPath, "near-pairs.ts"], [file, String(count), what]);
    return [
      ...qualityRows(file, ours(EXACT_COUNT, "pairs"), peer(EXACT_COUNT)),
      ...COMPARED_COUNTS.flatMap((count) => comparedRows(count, ours(count, "pairs"), peer(count))),
      ...GROWTH_COUNTS.flatMap((count) => growthRows(count, ours(count, "resolve"))),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeTexts(path: string, count: number): void {
  const file = openSync(path, "w");
  for (const text of plantedTexts({ seed: 1, count, words: WORDS, copiedFraction: 0.3 }))
    writeSync(file, `${JSON.stringify(text)}\n`);
  closeSync(file);
}

function found([program = "", script = ""]: string[], words: string[]): Found {
  const printed = execFileSync(program, [join(import.meta.dirname, "processes", script), ...words], {
    ...{ encoding: "utf8", maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "inherit"] },
  });
  return JSON.parse(printed) as Found;
}

function qualityRows(file: string, ours: Found, peer: Found | null): BenchRow[] {
  const similarities = exactSimilarities(firstTexts(file, EXACT_COUNT));
  const exact = new Set([...similarities].filter(([, similarity]) => similarity >= THRESHOLD).map(([pair]) => pair));
  const namesOf = ({ pairs }: Found) => new Set(pairs.map(String));
  const fraction = (of: Set<string>, among: Set<string>) => [...of].filter((pair) => among.has(pair)).length / of.size;
  const oursFound = namesOf(ours);
  const peerFound = peer === null ? null : namesOf(peer);
  const row = (what: string, of: (found: Set<string>) => number): BenchRow => {
    const [mine, other] = [of(oursFound), peerFound === null ? null : of(peerFound)];
    return {
      ...{ name: `near ${what} (peer: datasketch)`, ours: mine, peer: other },
      ...{ ratio: other === null ? null : mine / other, unit: "fraction" },
    };
  };
  const clear = [...similarities].filter(([, similarity]) => Math.abs(similarity - THRESHOLD) > MARGIN);
  const clearPairs = clear.filter(([, similarity]) => similarity > THRESHOLD).length;
  const decided = (found: Set<string>) =>
    clear.filter(([pair, similarity]) => found.has(pair) === similarity > THRESHOLD).length / clear.length;
  const rows = [
    row(`recall of ${exact.size} exact pairs`, (found) => fraction(exact, found)),
    row(`precision of ${exact.size} exact pairs`, (found) => fraction(found, exact)),
    row(`as exactly, ${clear.length} pairs clear of the threshold, ${clearPairs} of them alike`, decided),
  ];
  if (peerFound === null) return rows;
  const [byPeer, byUs] = [fraction(oursFound, peerFound), fraction(peerFound, oursFound)];
  const name = "near pairs that the other finds too (peer: datasketch)";
  return [...rows, { name, ours: byPeer, peer: byUs, ratio: byPeer / byUs, unit: "fraction" }];
}

function firstTexts(path: string, count: number): string[] {
  const texts: string[] = [];
  for (const { bytes } of readLines(path)) {
    if (texts.length === count) break;
    texts.push(JSON.parse((bytes as Buffer).toString("utf8")));
  }
  return texts;
}

function comparedRows(count: number, ours: Found, peer: Found | null): BenchRow[] {
  const compared = (what: string, unit: string, of: (found: Found) => number): BenchRow => ({
    ...{ name: `near ${what}, ${count} texts (peer: datasketch)`, ours: of(ours), unit },
    ...{ peer: peer === null ? null : of(peer), ratio: peer === null ? null : of(ours) / of(peer) },
  });
  return [
    compared("speed", "texts/s", ({ seconds }) => count / seconds),
    compared("speed", "texts/s of processor time", ({ cpuSeconds }) => count / cpuSeconds),
    compared("peak memory", "MB", ({ peakMegabytes }) => peakMegabytes),
    compared("pairs found", "pairs", ({ pairs }) => pairs.length),
  ];
}

function growthRows(count: number, { seconds, findSeconds, cpuSeconds, peakMegabytes }: Found): BenchRow[] {
  const alone = (what: string, ours: number, unit: string): BenchRow => ({
    ...{ name: `near ${what}, ${count} texts`, ours, unit },
    ...{ peer: null, ratio: null },
  });
  return [
    alone("time with reading", seconds, "s"),
    alone("processor time", cpuSeconds, "s"),
    alone("time of finding alone", findSeconds, "s"),
    alone("peak memory", peakMegabytes, "MB"),
  ];
}
