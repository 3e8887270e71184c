/** Dataset folders in the hands of others: Hugging Face's loader on every format, and the reader of Croissant. */
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parquetFeatures } from "../../src/dataset/columns.ts";
import type { DatasetFormat } from "../../src/dataset/format.ts";
import { copyTrainRows, loadFormats, writeDataset } from "../../src/dataset/index.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { DatasetManifest } from "../../src/records/dataset-manifest.ts";
import type { SelectedRow, Tier } from "../../src/records/selection.ts";
import type { Home } from "../../src/store/home.ts";
import { runPython } from "../fixtures/venv.ts";
import { temporaryHome } from "../harness/setting.ts";
import {
  attemptExample,
  sampleBase,
  sampleExample,
  sampleOrigin,
  sampleRows,
  sampleSelection,
  toolExample,
} from "./sample-selection.ts";

const READER = process.env.TRACEMILL_CROISSANT ?? join(PACKAGE_FOLDER, ".venv-formats", "bin", "python");
const hasReader = existsSync(READER);
if (!hasReader) console.log(`skipped: mlcroissant of PyPI is not there (${READER}): make formats installs it`);

interface Loaded {
  said: unknown;
  features: unknown;
  splits: Record<string, number>;
  rows: unknown[];
  columnsAlone: string[] | null;
  rowsAlone: number | null;
}

const formats = await loadFormats();
const written = new Map<string, DatasetManifest>();
let home: Home;
let remove: () => void;
let lateFolder: string;
/** Holds rows as `--out` writes them, and no card. */
let outFolder: string;
let datesFolder: string;
let loaded: Record<string, Loaded>;

const DATES = ["2024-05-14", "2024-05-15T10:00:00Z"].map((content, n) =>
  sampleExample(n, { completion: [{ role: "assistant", content }] }),
);

/** With tools of unlike arguments, and texts at which a careless reader would break a line. */
function rowsOf(tier: Tier): SelectedRow[] {
  const rows = sampleRows(tier);
  const more = tier === "preference-pairs" || tier === "reranker-pairs" ? [] : [toolExample(4), attemptExample(5)];
  return [...rows, ...more, { ...(rows[0] as SelectedRow), part: "validation", family: "zoo" }];
}

const folderOf = (id: string) => home.datasetFolder((written.get(id) as DatasetManifest).datasetHash);

/** Without a base wherever there may be none: the sample base's template shows no tool calls, and so takes no such row. */
async function write(place: Home, id: string, rows?: SelectedRow[]): Promise<DatasetManifest> {
  const { tiers, needsBase } = formats.get(id) as DatasetFormat;
  const tier = tiers[0] as Tier;
  const given = needsBase ? await sampleBase() : { base: null, renderer: null };
  const origin = { ...sampleOrigin(null), tier };
  const selection = sampleSelection(rows ?? rowsOf(tier));
  return writeDataset(place, { ...given, origin, format: id, selection, minRows: 1, reasons: new Map() });
}

/** More than the 10 MB that a loader infers a schema from, and behind them rows of another kind. */
function lateRows(): SelectedRow[] {
  const long = "SELECT 1 ".repeat(6000);
  const plain = Array.from({ length: 220 }, (_, n) =>
    sampleExample(n, { completion: [{ role: "assistant", content: `${n} ${long}` }] }),
  );
  return [...plain, toolExample(300), attemptExample(301)];
}

beforeAll(async () => {
  ({ home, remove } = temporaryHome());
  for (const id of formats.keys()) written.set(id, await write(home, id));
  const late = await write(home, "jsonl", lateRows());
  lateFolder = home.datasetFolder(late.datasetHash);
  datesFolder = home.datasetFolder((await write(home, "jsonl-flat", DATES)).datasetHash);
  outFolder = join(home.path, "out");
  await mkdir(outFolder);
  await copyTrainRows(home, late, join(outFolder, "train.jsonl"));
  const script = join(import.meta.dirname, "hub_loading.py");
  const folders = [...[...formats.keys()].map(folderOf), lateFolder, outFolder, datesFolder];
  loaded = JSON.parse(await runPython([script, join(home.path, "cache"), ...folders]));
}, 240_000);

afterAll(() => remove());

describe.each([...formats])("a folder of the format %s", (id, { columns, extension }) => {
  it("is loaded by Hugging Face with the features that it declares, its splits and its rows", async () => {
    const { said, features, splits, rows } = loaded[folderOf(id)] as Loaded;
    const declared = JSON.parse(parquetFeatures(columns)).info.features;
    expect(sameFeatures(said)).toEqual(declared);
    expect(sameFeatures(features)).toEqual(declared);
    const { trainRows } = (written.get(id) as DatasetManifest).counts;
    expect(splits).toEqual({ train: trainRows, validation: 1 });
    if (extension === "parquet") return;
    const lines = (await readFile(join(folderOf(id), "train.jsonl"), "utf8")).split("\n").slice(0, -1);
    expect(rows).toEqual(lines.map((line) => JSON.parse(line)));
  });

  it("is loaded file by file too, with the same columns", () => {
    const { columnsAlone, rowsAlone } = loaded[folderOf(id)] as Loaded;
    expect(columnsAlone).toEqual(columns.map(({ name }) => name));
    expect(rowsAlone).toBe((written.get(id) as DatasetManifest).counts.trainRows);
  });

  it("is the same to the byte when it is made again", async () => {
    const other = temporaryHome();
    try {
      const again = await write(other.home, id);
      expect(again).toEqual(written.get(id));
      for (const file of ["README.md", "croissant.json", "manifest.json"]) {
        const path = join(other.home.datasetFolder(again.datasetHash), file);
        expect(await readFile(path, "utf8")).toBe(await readFile(join(folderOf(id), file), "utf8"));
      }
    } finally {
      other.remove();
    }
  });
});

it("rows that have other keys than the first 10 MB are loaded as they are from the folder, not from its file alone", () => {
  const { rows, columnsAlone } = loaded[lateFolder] as Loaded;
  expect(rows).toHaveLength(222);
  expect(rows.slice(-2)).toMatchObject([
    { completion: [{ tool_calls: [{ function: { arguments: { path: "/etc/motd", text: "" } } }] }] },
    { completion: [{ tool_calls: [{ function: { arguments: { path: "/etc/issue", lines: 3 } } }] }, {}, {}] },
  ]);
  expect(columnsAlone).toBeNull(); // the loader then infers what the card says
});

it("answers that are all dates are loaded from the folder as they are written", () => {
  const { rows } = loaded[datesFolder] as Loaded;
  expect(rows).toMatchObject([{ response: "2024-05-14" }, { response: "2024-05-15T10:00:00Z" }]);
});

it("the same rows are loaded as they are from a file of --out, in which one with other keys stands first", () => {
  const { rows, rowsAlone } = loaded[outFolder] as Loaded;
  const byId = (all: unknown[]) => new Map((all as { id: string }[]).map((row) => [row.id, row]));
  expect(rowsAlone).toBe(222);
  expect(byId(rows)).toEqual(byId((loaded[lateFolder] as Loaded).rows));
});

it("Parquet holds the rows of jsonl", () => {
  expect((loaded[folderOf("parquet")] as Loaded).rows).toEqual((loaded[folderOf("jsonl")] as Loaded).rows);
});

it.skipIf(!hasReader)(
  "mlcroissant finds no error in any description, the hashes of the files and what they were made from in each",
  async () => {
    const script = `
import json, logging, sys
import mlcroissant
for folder in sys.argv[1:]:
    dataset = mlcroissant.Dataset(jsonld=folder + "/croissant.json")
    assert not dataset.metadata.issues.errors, dataset.metadata.issues.report()
    print(json.dumps({file.id: file.sha256 for file in dataset.metadata.distribution}))`;
    const folders = [...formats.keys()].map(folderOf);
    const { stdout } = await execa(READER, ["-c", script, ...folders]);
    const described = stdout.split("\n").map((line) => JSON.parse(line));
    for (const [at, id] of [...formats.keys()].entries()) {
      const { files, inputs } = written.get(id) as DatasetManifest;
      expect(described[at]).toEqual(Object.fromEntries(files.map(({ path, hash }) => [path, hash])));
      const text = await readFile(join(folderOf(id), "croissant.json"), "utf8");
      for (const { head } of inputs.runs) expect(text).toContain(head);
      expect(text).toContain(inputs.ledgerHead);
    }
  },
  120_000,
);

/** Without the settings that the loader adds to a type by itself. */
function sameFeatures(given: unknown): unknown {
  return JSON.parse(JSON.stringify(given, (key, value) => (key === "decode" ? undefined : value)));
}
