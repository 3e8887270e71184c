import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import skill from "../../../skills/sql/skill.ts";
import type { Draft } from "../../../src/skills/contract.ts";

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-items-"));
  file = join(folder, "items.jsonl");
});

afterAll(async () => {
  await skill.close();
  await rm(folder, { recursive: true });
});

const boats = {
  id: "boats-1",
  family: "boats",
  schema: "CREATE TABLE boats (boat_id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, length DECIMAL(6,2), built DATE)",
  question: "List the names of the boats longer than 12.5, built after 2010-05-01, in the order of their names.",
  reference: "SELECT name FROM boats WHERE length > 12.5 AND built > '2010-05-01' ORDER BY name;",
  ordered: true,
};

async function read(...lines: (object | string)[]): Promise<Draft[]> {
  await writeFile(file, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return skill.items({ seed: 1, itemsFile: file });
}

async function failureMode(draft: Draft | undefined, query: string): Promise<string | null> {
  if (draft === undefined) throw new Error("no item");
  const workspace = await skill.open({ ...draft, split: "train" }, { folder: "", from: null });
  const call = { name: "run_sql", arguments: { query } };
  return (await workspace.verify(call, { call })).failureMode;
}

describe("a user's items", () => {
  it("are judged on contents drawn for their own schema", async () => {
    const [draft] = await read(boats, "");
    expect(draft).toMatchObject({ item: "sql:boats-1", family: "boats", kind: null });
    expect(await failureMode(draft, boats.reference)).toBeNull();
    expect(await failureMode(draft, "SELECT name FROM boats ORDER BY name")).toBe("wrong-rows");
    expect(await failureMode(draft, "SELECT name FROM boats WHERE length > 12.5 ORDER BY name")).toBe("wrong-rows");
  });

  it("may join tables by a foreign key or by a key of the same name", async () => {
    const schema =
      "CREATE TABLE crews (id INTEGER PRIMARY KEY, captain VARCHAR); CREATE TABLE trips (trip VARCHAR, crew_id INTEGER REFERENCES crews(id), days SMALLINT, paid BOOLEAN, started TIMESTAMP);";
    const reference =
      "SELECT captain, SUM(days) FROM trips JOIN crews ON crew_id = id WHERE captain <> 'Ahab' AND paid GROUP BY captain";
    const loose = { schema: schema.replace("REFERENCES crews(id)", ""), id: "loose" };
    const drafts = await read(
      { ...boats, schema, reference, ordered: false },
      { ...boats, ...loose, reference, ordered: false },
    );
    for (const draft of drafts) {
      expect(await failureMode(draft, reference)).toBeNull();
      expect(await failureMode(draft, reference.replace("AND paid", ""))).toBe("wrong-rows");
      expect(
        await failureMode(draft, reference.replace("JOIN", "CROSS JOIN").replace("ON crew_id = id", "")),
      ).not.toBeNull();
    }
  });

  it("are the same when they are read again", async () => {
    expect(await read(boats)).toEqual(await read(boats));
  });
});

describe("a broken line is refused", () => {
  it.each<[string, object | string, string, RegExp]>([
    ["that is not JSON", "{id: 1}", "the whole line", /one JSON object/],
    ["that is no object", "[]", "the whole line", /object/],
    ["with a field missing", { ...boats, question: undefined }, "question", /string/],
    ["with a field of another type", { ...boats, ordered: "yes" }, "ordered", /boolean/],
    ["with an empty field", { ...boats, family: "" }, "family", /1/],
    ["with a field that is not known", { ...boats, orderd: true }, "orderd", /only id, family/],
    ["with an id that occurs twice", boats, "id", /once/],
    ["whose schema does not parse", { ...boats, schema: "CREATE TABEL boats (a INTEGER)" }, "schema", /CREATE TABLE/],
    ["whose schema makes no table", { ...boats, schema: "SELECT 1" }, "schema", /CREATE TABLE/],
    [
      "whose schema reads a file",
      { ...boats, schema: "CREATE TABLE t AS FROM read_csv('/etc/passwd')" },
      "schema",
      /CREATE/,
    ],
    ["with a column type that has no values", { ...boats, schema: "CREATE TABLE boats (a BLOB)" }, "schema", /VARCHAR/],
    ["whose reference does not run", { ...boats, reference: "SELECT nothing FROM boats" }, "reference", /one SELECT/],
    ["whose reference is no query", { ...boats, reference: "DELETE FROM boats" }, "reference", /one SELECT/],
    [
      "whose reference has two answers",
      { ...boats, reference: "SELECT name FROM boats LIMIT 2" },
      "reference",
      /one answer/,
    ],
  ])("%s", async (_, line, field, expected) => {
    const other = typeof line === "string" || line === boats ? line : { ...line, id: "other" };
    await expect(read(boats, "", other)).rejects.toMatchObject({
      code: "BAD_ITEM_LINE",
      details: { where: `${file}:3, field ${field}`, expected: expect.stringMatching(expected) },
    });
  });

  it("and so is a file that is not there", async () => {
    await expect(skill.items({ seed: 1, itemsFile: join(folder, "none") })).rejects.toMatchObject({
      code: "NO_ITEMS_FILE",
    });
  });
});
