/**
 * Holds docs/formats.md to the schemas of `src/records/`, the lake's real columns, the rows of a dataset and the
 * trainer's requests: whatever is on the disk stands on the page, and whatever stands there is on the disk.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { taskDetailSchema as cronDetailSchema } from "../skills/cron/task-detail.ts";
import { taskDetailSchema } from "../skills/sql/task-detail.ts";
import { groupBy } from "../src/foundation/group-by.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { adapterManifestSchema, probesSchema } from "../src/records/adapter-manifest.ts";
import { baseManifestSchema } from "../src/records/base-manifest.ts";
import { armResultSchema, armSchema, decisionSchema, pairResultSchema, planSchema } from "../src/records/comparison.ts";
import { datasetManifestSchema } from "../src/records/dataset-manifest.ts";
import { actionCallSchema, loggedEventSchema, roleModelSchema, samplingSchema } from "../src/records/events.ts";
import { axisResultSchema, gateSchema } from "../src/records/gate.ts";
import { intervalSchema } from "../src/records/interval.ts";
import { itemSchema } from "../src/records/item.ts";
import { loggedEntrySchema } from "../src/records/ledger-entries.ts";
import { messageSchema, toolCallSchema, toolSchema } from "../src/records/message.ts";
import { rowLineageSchema } from "../src/records/row-lineage.ts";
import { retrievalSchema, tipSpanSchema } from "../src/records/tip.ts";
import { verdictSchema } from "../src/records/verdict.ts";
import { openDatabase, rowsOf, sqlText } from "../src/store/duckdb.ts";
import { homeAt } from "../src/store/home.ts";
import { type Lake, openLake } from "../src/store/lake.ts";
import { PART_BYTES } from "../src/store/log-split.ts";
import { createTokenTable } from "../src/store/token-table.ts";
import { writeSampleRun } from "./store/sample-run.ts";

type Schema = z.core.$ZodTypes;
type ObjectSchema = z.core.$ZodObject;

interface Field {
  path: string;
  isNullable: boolean;
  isOptional: boolean;
  /** The values of an enum or literal. */
  values: string[];
}

interface Row {
  name: string;
  type: string;
  meaning: string;
}

const page = readFileSync(join(PACKAGE_FOLDER, "docs", "formats.md"), "utf8");
const sections = sectionsOf(page);

const events = variantsOf(loggedEventSchema, "Event");
const entries = variantsOf(loggedEntrySchema, "Entry");
const documented = new Map<string, z.core.$ZodType>([
  ...events.map(({ heading, data }) => [heading, data] as const),
  ...entries.map(({ heading, data }) => [heading, data] as const),
  ["Player", roleModelSchema],
  ["Sampling", samplingSchema],
  ["Item", itemSchema],
  ["Message", messageSchema],
  ["Tool call", toolCallSchema],
  ["Tool", toolSchema],
  ["Retrieval", retrievalSchema],
  ["Tip span", tipSpanSchema],
  ["Action call", actionCallSchema],
  ["Verdict", verdictSchema],
  ["`bases/<name>/manifest.json`", baseManifestSchema],
  ["`datasets/<datasetHash>/manifest.json`", datasetManifestSchema],
  ["`rows.jsonl`", rowLineageSchema],
  ["`adapters/<adapterHash>/manifest.json`", adapterManifestSchema],
  ["`adapters/<adapterHash>/probes.json`", probesSchema],
  ["`comparisons/<comparisonHash>/plan.json`", planSchema],
  ["Arm", armSchema],
  ["`comparisons/<comparisonHash>/decision.json`", decisionSchema],
  ["Interval", intervalSchema],
  ["Pair", pairResultSchema],
  ["Arm's result", armResultSchema],
  ["Axis", axisResultSchema],
  ["`gate.yaml`", gateSchema],
  ["Item detail of the skill `sql`", taskDetailSchema],
  ["Item detail of the skill `cron`", cronDetailSchema],
]);
const ownSection = new Set([...documented.values()].map((schema) => coreOf(schema).core));
const walked = new Set<Schema>();

describe("docs/formats.md", () => {
  it.each([...documented.keys()])("lists the keys of %s, with null, optional and the values of an enum", (heading) => {
    expect(fieldOffences(heading, fieldsOf(documented.get(heading) as z.core.$ZodType, ""))).toEqual([]);
  });

  it("lists the keys of a log's line", () => {
    const lines = [...events, ...entries].map(({ keys }) => keys);
    for (const keys of lines) expect(namesIn("Line").sort()).toEqual(keys.sort());
  });

  it("misses no schema that src/records exports", async () => {
    for (const schema of documented.values()) fieldsOf(schema, "");
    const folder = join(PACKAGE_FOLDER, "src", "records");
    const missed: string[] = [];
    for (const file of readdirSync(folder)) {
      const exports: Record<string, unknown> = await import(join(folder, file));
      for (const [name, value] of Object.entries(exports)) {
        if (!isSchema(value) || value === loggedEventSchema || value === loggedEntrySchema) continue;
        const { core } = coreOf(value);
        if (objectsOf(core).length > 0 && !walked.has(core)) missed.push(`${file}: ${name}`);
      }
    }
    expect(missed).toEqual([]);
  });

  it("lists the keys of a dataset's rows in their order", () => {
    const golden = readFileSync(join(PACKAGE_FOLDER, "test", "dataset", "golden", "jsonl.jsonl"), "utf8");
    expect(namesIn("`train.jsonl` and `validation.jsonl`")).toEqual(
      Object.keys(JSON.parse(golden.slice(0, golden.indexOf("\n")))),
    );
  });

  it("lists the request keys of every verb of the trainer", () => {
    const source = (module: string) =>
      readFileSync(join(PACKAGE_FOLDER, "python", "tracemill_train", `${module.replace(".", "/")}.py`), "utf8");
    const verbs = /^VERBS[^{]*\{([^}]*)\}/m.exec(source("__main__"))?.[1] ?? "";
    const modules = [...verbs.matchAll(/"([\w-]+)": "([\w.]+)"/g)].map(([, verb, module]) => [verb, module] as const);
    expect(namesIn("Requests").sort()).toEqual(modules.map(([verb]) => verb).sort());
    for (const [verb, module] of modules) {
      const row = sections.get("Requests")?.find(({ name }) => name === verb);
      for (const key of requestKeys(source(module as string))) expect(row?.type, `${verb}`).toContain(`\`${key}\``);
    }
  });
});

describe("docs/formats.md, tables of the lake", () => {
  let folder: string;
  let lake: Lake;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tracemill-formats-"));
    await writeSampleRun(homeAt(folder), { skill: "sql" });
    lake = await openLake(homeAt(folder));
  });

  afterAll(async () => {
    lake?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(["main", "sql"])("lists every column of the schema %s in its order with its type", async (schema) => {
    const tables = await columnsOf(lake, schema);
    expect([...sections.keys()].filter((heading) => heading.startsWith("Table ")).sort()).toEqual(
      [...tables.keys()].map((name) => `Table \`${name}\``).sort(),
    );
    for (const [table, columns] of tables) {
      const rows = sections.get(`Table \`${table}\``) ?? [];
      expect(rows.map(({ name, type }) => `${name} ${type}`).join("\n"), table).toBe(columns.join("\n"));
    }
  });

  it("lists the columns that only the files have", async () => {
    const views = await columnsOf(lake, "main");
    const files = await columnsOf(lake, "files");
    const own = [...files].flatMap(([table, columns]) =>
      columns.filter((column) => !views.get(table)?.includes(column)).map((column) => `${table}.${column}`),
    );
    const rows = sections.get("What the files hold") ?? [];
    expect(rows.map(({ name, type }) => `${name} ${type}`).sort()).toEqual(own.sort());
  });

  it("names the size of a part", () => {
    expect(page).toContain(`up to ${PART_BYTES / 2 ** 20} MiB is one part`);
  });

  it("lists the columns of a dataset's token tables", async () => {
    const target = join(folder, "rows.parquet");
    const tokens = createTokenTable(target);
    await tokens.add("row-1", [{ ids: [1, 2], mask: [0, 1] }]);
    await tokens.finish();
    const database = await openDatabase({ memoryLimitMb: 128, threads: 1, spillFolder: join(folder, "spill") });
    const described = await rowsOf(database.stream(`DESCRIBE SELECT * FROM read_parquet(${sqlText(target)})`));
    database.close();
    expect(
      (sections.get("`tokens/train.parquet` and `tokens/validation.parquet`") ?? []).map(({ name, type }) => [
        name,
        type,
      ]),
    ).toEqual(described.map((column) => [column.column_name, column.column_type]));
  });
});

function sectionsOf(markdown: string): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  let rows: Row[] = [];
  for (const line of markdown.split("\n")) {
    const heading = /^#{2,4} (.+)$/.exec(line)?.[1];
    if (heading !== undefined) {
      rows = [];
      found.set(heading, rows);
    }
    const [, name, type, meaning] = /^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined && meaning !== undefined) rows.push({ name, type, meaning });
  }
  return found;
}

function namesIn(heading: string): string[] {
  return (sections.get(heading) ?? []).map(({ name }) => name);
}

/** What the page says wrongly, or not at all, of an object's keys. */
function fieldOffences(heading: string, fields: Field[]): string[] {
  const rows = sections.get(heading) ?? [];
  const paths = new Set(fields.map(({ path }) => path));
  return [
    ...rows.filter(({ name }) => !paths.has(name)).map(({ name }) => `${name} is not on the disk`),
    ...fields.flatMap(({ path, isNullable, isOptional, values }) => {
      const row = rows.find(({ name }) => name === path);
      if (row === undefined) return [`${path} is missing`];
      const said = `${row.type} ${row.meaning}`;
      return [
        ...(/\bor null\b/.test(row.type) === isNullable
          ? []
          : [`${path}: null is ${isNullable ? "" : "not "}possible`]),
        ...(/\boptional\b/.test(row.type) === isOptional ? [] : [`${path}: is ${isOptional ? "" : "not "}optional`]),
        ...values.filter((value) => !said.includes(`\`${value}\``)).map((value) => `${path}: lacks the value ${value}`),
      ];
    }),
  ];
}

/** The types of a log's lines: heading and data of each, and the keys of the line itself. */
function variantsOf(schema: z.core.$ZodType, kind: string) {
  return objectsOf(coreOf(schema).core).map((line) => {
    const { shape } = line._zod.def;
    const [type] = valuesOf(coreOf(shape.type as z.core.$ZodType).core);
    return { heading: `${kind} \`${type}\``, data: shape.data as z.core.$ZodType, keys: Object.keys(shape) };
  });
}

/** The keys of an object, or of all objects of a union, down to values and to objects with a section of their own. */
function fieldsOf(schema: z.core.$ZodType, prefix: string): Field[] {
  const { core } = coreOf(schema);
  walked.add(core);
  const objects = objectsOf(core);
  for (const object of objects) walked.add(object as Schema);
  const keys = [...new Set(objects.flatMap((object) => Object.keys(object._zod.def.shape)))];
  return keys.flatMap((key) => {
    const variants = objects.flatMap((object) => object._zod.def.shape[key] ?? []);
    const cores = variants.map(coreOf);
    const field: Field = {
      path: `${prefix}${key}`,
      isNullable: cores.some(({ isNullable }) => isNullable),
      isOptional: cores.some(({ isOptional }) => isOptional) || variants.length < objects.length,
      values: [...new Set(cores.flatMap(({ core: one }) => valuesOf(one)))],
    };
    const inner = cores.flatMap(({ core: one }) => innerFields(one, field.path));
    const isSaid = inner.length === 0 || field.isNullable || field.isOptional;
    return [...(isSaid ? [field] : []), ...inner];
  });
}

function innerFields(core: Schema, path: string): Field[] {
  const { def } = core._zod;
  const isList = def.type === "array";
  const member = isList ? coreOf(def.element).core : core;
  return ownSection.has(member) ? [] : fieldsOf(member, `${path}${isList ? "[]" : ""}.`);
}

function coreOf(schema: z.core.$ZodType): { core: Schema; isNullable: boolean; isOptional: boolean } {
  let core = schema as Schema;
  let isNullable = false;
  let isOptional = false;
  for (;;) {
    const { def } = core._zod;
    if (def.type !== "nullable" && def.type !== "optional" && def.type !== "default") break;
    isNullable ||= def.type === "nullable";
    isOptional ||= def.type === "optional";
    core = def.innerType as Schema;
  }
  return { core, isNullable, isOptional };
}

function objectsOf(core: Schema): ObjectSchema[] {
  const { def } = core._zod;
  if (def.type === "object") return [core as ObjectSchema];
  if (def.type !== "union") return [];
  const options = def.options.map((option) => coreOf(option).core);
  return options.every((option) => option._zod.def.type === "object") ? (options as ObjectSchema[]) : [];
}

function valuesOf(core: Schema): string[] {
  const { def } = core._zod;
  if (def.type === "enum") return Object.values(def.entries).map(String);
  if (def.type === "array") return valuesOf(coreOf(def.element).core);
  return def.type === "literal" ? def.values.map(String) : [];
}

function isSchema(value: unknown): value is z.core.$ZodType {
  return typeof value === "object" && value !== null && "_zod" in value;
}

/** Columns with their types, by table, in their order. */
async function columnsOf(lake: Lake, schema: string): Promise<Map<string, string[]>> {
  const rows = await lake.query(
    `SELECT table_name, column_name || ' ' || data_type AS col FROM duckdb_columns()
     WHERE schema_name = $schema AND NOT internal ORDER BY table_name, column_index`,
    { schema },
  );
  const tables = groupBy(rows, (row) => String(row.table_name));
  return new Map([...tables].map(([table, columns]) => [table, columns.map(({ col }) => String(col))]));
}

/** The fields of a Python module's `Request`, as JSON names them. */
function requestKeys(source: string): string[] {
  const body = /^class Request:\n((?: {4}.*\n|\n)+)/m.exec(source)?.[1] ?? "";
  const names = [...body.replaceAll(/"""[\s\S]*?"""/g, "").matchAll(/^ {4}(\w+): /gm)].map(
    ([, name]) => name as string,
  );
  expect(names.length).toBeGreaterThan(0);
  return names.map((name) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
}
