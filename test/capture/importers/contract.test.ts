/** What holds for every importer: told by its files, whole, once, and never the worse for broken bytes. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findFiles, loadImporters } from "../../../src/capture/source-files.ts";
import { Refusal } from "../../../src/foundation/errors.ts";
import { type Random, random } from "../../../src/foundation/random.ts";
import type { Home } from "../../../src/store/home.ts";
import { openLake } from "../../../src/store/lake.ts";
import { listRuns } from "../../../src/store/run-log.ts";
import { verifyHome } from "../../../src/store/verify.ts";
import { temporaryHome } from "../../harness/setting.ts";
import { FIXTURES, importInto, SAMPLES } from "./setting.ts";

const MUTATIONS = process.env.TRACEMILL_LONG ? 10_000 : 40;
if (MUTATIONS < 10_000) {
  console.log(
    `skipped: 10,000 mutated files of each format take long (TRACEMILL_LONG=1 makes them); these are ${MUTATIONS}`,
  );
}

const MUTATIONS_A_HOME = 100;
const ODD_VALUES = process.env.TRACEMILL_LONG ? 1000 : 25;
const REAL_MUTATIONS = process.env.TRACEMILL_LONG ? 1000 : 15;

const importers = await loadImporters();

let home: Home;
let remove: () => void;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(() => remove());

describe.each([...importers.keys()])("the importer of %s", (format) => {
  const sample = join(SAMPLES, format);

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
      attempts: report.imported.reduce((sum, { attempts }) => sum + attempts, 0),
      runs: report.imported.length,
    });
  });

  it(`takes ${MUTATIONS} files with broken bytes as far as they go, and leaves no part of a run`, {
    timeout: 60_000 + 400 * MUTATIONS,
  }, async () => {
    const draw = random("mutations", format);
    const folder = mkdtempSync(join(tmpdir(), "tracemill-mutated-"));
    for (let i = 0; i < MUTATIONS; i++) {
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
      const done = await importInto(home, path, { format }).catch((error) => error);
      if (done instanceof Error) expect(done).toBeInstanceOf(Refusal);
    }
    rmSync(folder, { recursive: true });
    await expectWholeRuns();
  });
});

describe.each([...importers.keys()])("odd values in the files of %s", (format) => {
  const sample = join(SAMPLES, format);
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
          const done = await importInto(home, folder, { format }).catch((error) => error);
          if (done instanceof Error) expect(done).toBeInstanceOf(Refusal);
        }),
        { numRuns: ODD_VALUES, seed: 7 },
      );
      rmSync(folder, { recursive: true });
      await expectWholeRuns();
    },
  );
});

/** Of each format's real files, those that are small enough to be mutated again and again. */
const REAL_FILES: Record<string, string[]> = Object.fromEntries(
  [...importers.keys()].map((format) => [format, realFilesOf(format)]),
);

describe.each(Object.keys(REAL_FILES).filter((format) => REAL_FILES[format]?.length))(
  "broken bytes in the real files of %s",
  (format) => {
    it(`end no import, in ${REAL_MUTATIONS} files`, { timeout: 60_000 + 400 * REAL_MUTATIONS }, async () => {
      const draw = random("real mutations", format);
      const folder = mkdtempSync(join(tmpdir(), "tracemill-real-"));
      for (let i = 0; i < REAL_MUTATIONS; i++) {
        const file = draw.pick(REAL_FILES[format] as string[]);
        const copy = join(folder, basename(file));
        writeFileSync(copy, mutated(readFileSync(file), draw));
        const done = await importInto(home, copy, { format }).catch((error) => error);
        if (done instanceof Error) expect(done).toBeInstanceOf(Refusal);
        rmSync(copy);
      }
      rmSync(folder, { recursive: true });
      await expectWholeRuns();
    });
  },
);

function realFilesOf(format: string): string[] {
  const folders = { otel: ["otel-genai", "openinference"], harbor: ["harbor", "atif"] }[format] ?? [format];
  return folders
    .map((name) => join(FIXTURES ?? "", name))
    .filter((folder) => FIXTURES !== null && existsSync(folder))
    .flatMap(filesBelow)
    .filter((path) => !/LICENSE|README|ledger\.json|truth/.test(path) && statSync(path).size < 700_000);
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
