/**
 * How fast files are imported, beside a bare `JSON.parse` of the same lines: an import also checks every value, gives every message
 * its hash, writes the log with its chain, and seals it. The files are the tests' own samples, said again and again with other
 * names and longer texts.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { importFiles } from "../src/capture/index.ts";
import { systemClock } from "../src/foundation/clock.ts";
import { hashText } from "../src/foundation/hashing.ts";
import { readLines } from "../src/foundation/jsonl.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { homeAt } from "../src/store/home.ts";
import type { BenchRow } from "./bench-row.ts";

const SAMPLES = join(PACKAGE_FOLDER, "test/capture/importers/samples");
const MEGABYTES = 24;
const FILE_BYTES = 300_000;
const ROUNDS = 3;
/** What a longer text is made of. */
const WORDS =
  "The agent looks at what there is, thinks about it for a while, and then writes down what it will do next. ".repeat(
    8,
  );
/** Ids by which lines refer to each other. */
const ID = /^(?:[0-9a-f]{8,}(?:-[0-9a-f]{4,})*|(?:msg|toolu|call|req)_\w+)$/;

export async function benchImport(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const format of readdirSync(SAMPLES).sort()) {
    const samples = lineFilesOf(join(SAMPLES, format));
    if (samples.length > 0) rows.push(await measured(format, samples));
  }
  return rows;
}

async function measured(format: string, samples: readonly string[]): Promise<BenchRow> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-bench-import-"));
  try {
    const files = join(folder, "files");
    mkdirSync(files);
    const paths = samples.flatMap((sample) =>
      enlarged(sample, { folder: files, bytes: (MEGABYTES * 1e6) / samples.length }),
    );
    const megabytes = paths.reduce((sum, path) => sum + statSync(path).size, 0) / 1e6;
    const best = { ours: Number.POSITIVE_INFINITY, peer: Number.POSITIVE_INFINITY };
    for (let round = 0; round < ROUNDS; round++) {
      const home = homeAt(join(folder, `home-${round}`));
      best.ours = Math.min(
        best.ours,
        await secondsOf(async () => {
          const report = await importFiles({
            ...{ home, path: files, format, skill: null, postgres: null, onto: null, words: null, familyOf: null },
            ...{ clock: systemClock, codeVersion: "bench", signal: new AbortController().signal },
          });
          if (report.imported.length === 0) throw new Error(`${format}: nothing was imported`);
        }),
      );
      best.peer = Math.min(best.peer, await secondsOf(async () => paths.forEach(parseLines)));
      rmSync(home.path, { recursive: true });
    }
    const [ours, peer] = [megabytes / best.ours, megabytes / best.peer];
    return { name: `import ${format} (peer: JSON.parse)`, ours, peer, ratio: ours / peer, unit: "MB/s" };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function lineFilesOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return names.filter((name) => name.endsWith(".jsonl")).map((name) => join(folder, name));
}

/** Repeats a file's lines, each time with other ids and with texts of a usual length, in files as long as a session. */
function enlarged(sample: string, { folder, bytes }: { folder: string; bytes: number }): string[] {
  const lines = readFileSync(sample, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  const paths: string[] = [];
  for (let copy = 0, size = 0; size < bytes; ) {
    const parts: string[] = [];
    for (let fileBytes = 0; fileBytes < FILE_BYTES; copy++) {
      const text = lines.map((line) => `${JSON.stringify(renamed(line, copy))}\n`).join("");
      parts.push(text);
      fileBytes += text.length;
      size += text.length;
    }
    const path = join(folder, `${paths.length}-${basename(sample)}`);
    writeFileSync(path, parts.join(""));
    paths.push(path);
  }
  return paths;
}

function renamed(value: unknown, copy: number): unknown {
  if (typeof value === "string") {
    if (ID.test(value)) return value.replace(/[0-9a-f]{8}/, hashText(`${value} ${copy}`).slice(0, 8));
    return value.includes(" ") && value.length < 400 ? `${value} (${copy}) ${WORDS}` : value;
  }
  if (Array.isArray(value)) return value.map((one) => renamed(one, copy));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, renamed(one, copy)]));
}

function parseLines(path: string): void {
  for (const { bytes } of readLines(path)) JSON.parse((bytes as Buffer).toString("utf8"));
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}
