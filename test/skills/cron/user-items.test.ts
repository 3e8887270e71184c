import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import skill from "../../../skills/cron/skill.ts";
import type { Draft } from "../../../src/skills/contract.ts";

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-items-"));
  file = join(folder, "items.jsonl");
});

afterAll(() => rm(folder, { recursive: true }));

const backup = {
  id: "backup-1",
  family: "backups",
  words: "Back up at noon on workdays.",
  reference: " 0 12 * * MON-FRI",
};

async function read(...lines: (object | string)[]): Promise<Draft[]> {
  await writeFile(file, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return skill.items({ seed: 1, itemsFile: file });
}

describe("a user's items", () => {
  it("are judged by their own reference", async () => {
    const [draft] = await read(backup, "");
    expect(draft).toEqual({
      item: "cron:backup-1",
      family: "backups",
      kind: null,
      task: backup.words,
      detail: { words: backup.words, reference: "0 12 * * MON-FRI" },
    });
    const workspace = await skill.open({ ...(draft as Draft), split: "train" }, { folder: "", from: null });
    const verdict = async (expression: string) => {
      const call = { name: "set_schedule", arguments: { expression } };
      return (await workspace.verify(call, { call })).failureMode;
    };
    expect(await verdict("0 12 * * 1-5")).toBeNull();
    expect(await verdict("0 12 * * *")).toBe("wrong-days");
  });

  it("may share a schedule within a family", async () => {
    expect(await read(backup, { ...backup, id: "backup-2", reference: "0 12 * * 1-5" })).toHaveLength(2);
  });
});

describe("a broken line is refused", () => {
  it.each<[string, object | string, string, RegExp]>([
    ["that is not JSON", "{id: 1}", "the whole line", /one JSON object/],
    ["that is no object", "[]", "the whole line", /object/],
    ["with a field missing", { ...backup, words: undefined }, "words", /string/],
    ["with an empty field", { ...backup, family: "" }, "family", /1/],
    ["with a field that is not known", { ...backup, cron: "x" }, "cron", /only id, family, words, reference/],
    ["with an id that occurs twice", backup, "id", /once/],
    ["whose reference is no schedule", { ...backup, reference: "at noon" }, "reference", /five cron fields/],
    ["whose reference is a nickname", { ...backup, reference: "@daily" }, "reference", /five cron fields/],
    ["whose reference never fires", { ...backup, reference: "0 0 31 2 *" }, "reference", /that fire/],
    [
      "that another family has in other fields",
      { ...backup, family: "other", reference: "0 12 * * 1-5" },
      "family",
      /line 1/,
    ],
  ])("%s", async (_, line, field, expected) => {
    const other = typeof line === "string" || line === backup ? line : { ...line, id: "other" };
    await expect(read(backup, "", other)).rejects.toMatchObject({
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

it("refuses an item of another skill", async () => {
  const [draft] = await read(backup);
  const item = { ...(draft as Draft), split: "train" as const, detail: { words: "at noon" } };
  await expect(skill.open(item, { folder: "", from: null })).rejects.toMatchObject({
    code: "BAD_ITEM",
    details: { where: "detail.reference" },
  });
});
