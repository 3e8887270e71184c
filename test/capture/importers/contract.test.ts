/** What holds for every importer: told by its files, whole, once, and never the worse for broken bytes. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ImportReport } from "../../../src/capture/import-files.ts";
import { findFiles, loadImporters } from "../../../src/capture/source-files.ts";
import { Refusal } from "../../../src/foundation/errors.ts";
import { type Random, random } from "../../../src/foundation/random.ts";
import { sumOf } from "../../../src/foundation/sums.ts";
import type { Home } from "../../../src/store/home.ts";
import { openLake } from "../../../src/store/lake.ts";
import { listRuns } from "../../../src/store/runs.ts";
import { verifyHome } from "../../../src/store/verify.ts";
import { temporaryHome } from "../../harness/setting.ts";
import { sampleWithForms } from "./sample-forms.ts";
import { FIXTURES, importInto } from "./setting.ts";

/** Of each format; where it has real files, half of them are of these. */
const MUTATIONS = Number(process.env.TRACEMILL_MUTATIONS ?? (process.env.TRACEMILL_LONG ? 10_000 : 50));
if (MUTATIONS < 10_000) {
  console.log(
    `skipped: 10,000 mutated files of each format take long (TRACEMILL_LONG=1 makes them); these are ${MUTATIONS}`,
  );
}
/** Of a skill that is nobody's: one that is there would be read anew for every file. */
const SKILL = "mutated";
/** What is broken is never the disk, and waiting for one is most of an import's time. */
const MEMORY_FOLDER = "/dev/shm";
if (process.env.TRACEMILL_LONG && existsSync(MEMORY_FOLDER)) process.env.TMPDIR = MEMORY_FOLDER;

const MUTATIONS_A_HOME = 50;
const ODD_VALUES = process.env.TRACEMILL_LONG ? 1000 : 25;

const importers = await loadImporters();
const SAMPLE_OF = new Map<string, string>();
for (const format of importers.keys()) SAMPLE_OF.set(format, await sampleWithForms(format));

afterAll(() => {
  for (const folder of SAMPLE_OF.values()) rmSync(folder, { recursive: true });
});

/** Of a longer file its first lines are mutated. */
const MOST_MUTATED_BYTES = 700_000;
/** Lines repeat themselves: of longer files of lines fewer are enough. */
const MOST_LINES_BYTES = 100_000;
const KEPT_BYTES = 60_000;

interface RealFile {
  name: string;
  bytes: Buffer;
}

/** Each format's real files; of long ones what is short enough to be mutated again and again. */
const REAL_FILES: Record<string, RealFile[]> = Object.fromEntries(
  [...importers.keys()].map((format) => [format, realFilesOf(format)]),
);

let home: Home;
let remove: () => void;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(() => remove());

describe.each([...importers.keys()])("the importer of %s", (format) => {
  const sample = SAMPLE_OF.get(format) as string;

  it("tells its files from those of every other format", async () => {
    expect((await findFiles(sample, "auto")).format).toBe(format);
  });

  it("imports all of its sample, and nothing when asked again", async () => {
    const report = await importInto(home, sample);
    expect(report.rejected).toEqual([]);
    expect(report.imported.length).toBeGreaterThan(0);
    expect(report.imported.every(({ attempts }) => attempts > 0)).toBe(true);
    const again = await importInto(home, sample);
    expect(again).toMatchObject({ imported: [], rejected: [] });
    expect(again.known.toSorted()).toEqual(report.imported.map(({ run }) => run).toSorted());
  });

  it("leaves runs that verify and the lake find sound", async () => {
    const report = await importInto(home, sample);
    expect(await verifyHome(home)).toMatchObject({ isSound: true, hasTornTail: false });
    const lake = await openLake(home);
    const [counts] = await lake.query("SELECT count(*) AS attempts, count(DISTINCT run) AS runs FROM attempts");
    lake.close();
    expect(counts).toEqual({
      attempts: sumOf(report.imported, ({ attempts }) => attempts),
      runs: report.imported.length,
    });
  });

  const mutations = REAL_FILES[format]?.length ? MUTATIONS / 2 : MUTATIONS;

  it(`takes ${mutations} files with broken bytes as far as they go, and leaves no part of a run`, {
    timeout: 60_000 + 400 * mutations,
  }, async () => {
    const draw = random("mutations", format);
    const folder = mkdtempSync(join(tmpdir(), "tracemill-mutated-"));
    for (let i = 0; i < mutations; i++) {
      if (i % MUTATIONS_A_HOME === 0) {
        await expectWholeRuns();
        remove();
        ({ home, remove } = temporaryHome());
      }
      rmSync(folder, { recursive: true });
      cpSync(sample, folder, { recursive: true });
      const files = filesBelow(folder);
      const file = draw.pick(files);
      writeFileSync(file, mutated(readFileSync(file), draw));
      const path = files.length === 1 ? file : folder;
      expectCounted(await importInto(home, path, { format, skill: SKILL }).catch((error) => error), path);
    }
    rmSync(folder, { recursive: true });
    await expectWholeRuns();
  });

  it("counts a file of it that is cut or garbled, with its place", { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracemill-garbled-"));
    const { files } = await findFiles(sample, format);
    for (const [source, linesBefore] of files.flatMap((file) => [[file, 1] as const, [file, 0] as const])) {
      rmSync(folder, { recursive: true });
      cpSync(sample, folder, { recursive: true });
      const file = join(folder, relative(sample, source));
      const line = garble(file, linesBefore);
      const { rejected } = await importInto(home, folder, { format });
      const places = rejected.flatMap(({ where }) => where);
      const isThere = places.some((place) => (line === null ? place.startsWith(file) : place === `${file}:${line}`));
      expect(isThere, `${file} among ${JSON.stringify(rejected)}`).toBe(true);
    }
    rmSync(folder, { recursive: true });
  });
});

describe.each([...importers.keys()])("odd values in the files of %s", (format) => {
  const sample = SAMPLE_OF.get(format) as string;
  const texts = filesBelow(sample)
    .map((path) => ({ path, text: readFileSync(path, "utf8") }))
    .filter(({ text }) => /^\s*[{[]/.test(text));

  it.skipIf(texts.length === 0)(
    `end no import: ${ODD_VALUES} files with any JSON in the place of a value`,
    { timeout: 60_000 + 400 * ODD_VALUES },
    async () => {
      const file = fc.nat(texts.length - 1).map((i) => texts[i] as { path: string; text: string });
      const folder = mkdtempSync(join(tmpdir(), "tracemill-odd-"));
      await fc.assert(
        fc.asyncProperty(file, fc.nat(), fc.jsonValue({ maxDepth: 3 }), async ({ path, text }, place, value) => {
          rmSync(folder, { recursive: true });
          cpSync(sample, folder, { recursive: true });
          writeFileSync(join(folder, relative(sample, path)), withValueAt(text, place, value));
          expectCounted(await importInto(home, folder, { format, skill: SKILL }).catch((error) => error), folder);
        }),
        { numRuns: ODD_VALUES, seed: 7 },
      );
      rmSync(folder, { recursive: true });
      await expectWholeRuns();
    },
  );
});

describe.each(Object.keys(REAL_FILES).filter((format) => REAL_FILES[format]?.length))(
  "broken bytes in the real files of %s",
  (format) => {
    it(`end no import, in ${MUTATIONS / 2} files`, { timeout: 60_000 + 400 * MUTATIONS }, async () => {
      const draw = random("real mutations", format);
      const folder = mkdtempSync(join(tmpdir(), "tracemill-real-"));
      for (let i = 0; i < MUTATIONS / 2; i++) {
        if (i % MUTATIONS_A_HOME === 0) {
          await expectWholeRuns();
          remove();
          ({ home, remove } = temporaryHome());
        }
        const { name, bytes } = draw.pick(REAL_FILES[format] as RealFile[]);
        const copy = join(folder, name);
        writeFileSync(copy, mutated(bytes, draw));
        expectCounted(await importInto(home, copy, { format, skill: SKILL }).catch((error) => error), copy);
        rmSync(copy);
      }
      rmSync(folder, { recursive: true });
      await expectWholeRuns();
    });
  },
);

it.skipIf(FIXTURES === null)("every real file of a format is among those that are mutated", () => {
  const lacking = Object.keys(REAL_FILES).filter((format) => REAL_FILES[format]?.length === 0);
  expect(lacking).toEqual(["codex", "openai-chat"]); // nobody's own files of these are there
});

function realFilesOf(format: string): RealFile[] {
  const folders = { otel: ["otel-genai", "openinference"], harbor: ["harbor", "atif"] }[format] ?? [format];
  return folders
    .map((name) => join(FIXTURES ?? "", name))
    .filter((folder) => FIXTURES !== null && existsSync(folder))
    .flatMap(filesBelow)
    .filter((path) => !/LICENSE|README|ledger\.json|truth/.test(path))
    .flatMap((path) => {
      const bytes = readFileSync(path);
      const isLong = bytes.length >= (path.endsWith(".jsonl") ? MOST_LINES_BYTES : MOST_MUTATED_BYTES);
      if (isLong && !path.endsWith(".jsonl")) return [];
      return [
        { name: basename(path), bytes: isLong ? bytes.subarray(0, bytes.lastIndexOf(10, KEPT_BYTES) + 1) : bytes },
      ];
    });
}

/** An import ends with a refusal, or with every rejected record counted, said why, and located in what was imported. */
function expectCounted(done: unknown, path: string): void {
  if (done instanceof Error) {
    expect(done).toBeInstanceOf(Refusal);
    return;
  }
  for (const { reason, count, where } of (done as ImportReport).rejected) {
    expect(reason).not.toBe("");
    expect(count).toBeGreaterThanOrEqual(where.length);
    expect(where.length).toBeGreaterThan(0);
    const isLocated = where.every((place) => place.startsWith(path) || /^an? [\w-]+ of /.test(place));
    expect(isLocated, `${reason} at ${where.join(", ")}`).toBe(true);
  }
}

/** Puts a line that is none behind others of a file of lines and returns its number, or cuts any other file. */
function garble(file: string, linesBefore: number): number | null {
  const bytes = readFileSync(file);
  if (!/\.(jsonl|sql)$/.test(file)) {
    writeFileSync(file, bytes.subarray(0, Math.floor(bytes.length / 2)));
    return null;
  }
  const lines = bytes.toString("utf8").split("\n");
  const at = file.endsWith(".sql") ? lines.findIndex((line) => line.startsWith("COPY")) + 1 : linesBefore;
  lines.splice(at, 0, "{oops");
  writeFileSync(file, lines.join("\n"));
  return at + 1;
}

/** Replaces one scalar or key of a JSON text by a value: it stays JSON where that was a value. */
function withValueAt(text: string, place: number, value: unknown): string {
  const scalars = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null/g)];
  const found = scalars[place % scalars.length];
  if (found === undefined) return text;
  return text.slice(0, found.index) + JSON.stringify(value) + text.slice(found.index + found[0].length);
}

/** Every run of the store is sealed and sound, and nothing lies beside them. */
async function expectWholeRuns(): Promise<void> {
  expect((await listRuns(home)).every(({ isSealed }) => isSealed)).toBe(true);
  const drafts = join(home.path, "imports");
  expect(existsSync(drafts) ? readdirSync(drafts) : []).toEqual([]);
  expect(await verifyHome(home)).toMatchObject({ isSound: true });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

const TOKENS = [
  "null",
  "{}",
  "[]",
  '""',
  "-1",
  "1e999",
  "true",
  '"\\ud800"',
  "\u0000",
  "\n",
  '"__proto__":1,',
  "]",
  "}",
];

/** Cuts, doubles, overwrites or replaces a part. */
function mutated(bytes: Buffer, draw: Random): Buffer {
  const from = draw.integer(0, bytes.length);
  const to = draw.integer(from, Math.min(bytes.length, from + draw.pick([1, 10, 200, bytes.length])));
  const [before, part, after] = [bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to)];
  const kinds = [
    () => [before],
    () => [before, after],
    () => [before, part, part, after],
    () => [before, Buffer.from(draw.pick(TOKENS)), after],
    () => [before, Buffer.from(part.map(() => draw.integer(0, 255))), after],
    () => valueReplaced(bytes, draw),
  ];
  return Buffer.concat(draw.pick(kinds)());
}

/** Replaces one JSON scalar or key by another: the file stays JSON, and its shape does not hold. */
function valueReplaced(bytes: Buffer, draw: Random): Buffer[] {
  const text = bytes.toString("latin1");
  const scalars = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null/g)];
  if (scalars.length === 0) return [bytes];
  const { index, 0: found } = draw.pick(scalars);
  return [Buffer.from(text.slice(0, index) + draw.pick(TOKENS) + text.slice(index + found.length), "latin1")];
}
