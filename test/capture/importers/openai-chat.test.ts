/** Conversations in OpenAI's shape: rows, datasets, outcomes, families. */
import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFamilyRule } from "../../../src/capture/family-rule.ts";
import { loadImporters } from "../../../src/capture/source-files.ts";
import { openDatabase, sqlText } from "../../../src/store/duckdb.ts";
import { listRuns } from "../../../src/store/runs.ts";
import { only } from "../../harness/setting.ts";
import { folder, freshFolders, home, imported, importInto, readWritten } from "./setting.ts";

freshFolders();

const call = { id: "c1", type: "function", function: { name: "add", arguments: '{"a":2}' } };
const conversation = [
  { role: "system", content: "Add." },
  { role: "user", content: "2?" },
  { role: "assistant", content: null, tool_calls: [call] },
  { role: "tool", tool_call_id: "c1", content: "4" },
  { role: "assistant", content: "It is 4." },
];

async function importRows(rows: object[], changes: Parameters<typeof importInto>[2] = {}) {
  const path = join(folder, "rows.jsonl");
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const report = await importInto(home, path, changes);
  return { report, ...(await imported(home, report)) };
}

describe("a row", () => {
  it("has a turn for each answer, with everything before it as its prompt, and an action for each call", async () => {
    const { events, turns } = await importRows([{ id: "t", messages: conversation, temperature: 0.2, model: "m" }]);
    expect(turns.map(({ messages, response }) => [messages.length, response])).toEqual([
      [2, conversation[2]],
      [4, conversation[4]],
    ]);
    expect(turns.map(({ missing }) => missing)).toEqual([[], []]);
    expect(only(events, "action")).toMatchObject([{ call: { name: "add", arguments: { a: 2 } }, stdout: "4" }]);
    expect(only(events, "turn").map(({ modelAnswered }) => modelAnswered)).toEqual(["m", "m"]);
    expect(only(events, "turn").map(({ request }) => request)).toEqual([{ temperature: 0.2 }, { temperature: 0.2 }]);
  });

  it("has its sampling as the turns' request, and where it says none it is missing", async () => {
    const sampled = [
      { sampling: { temperature: 0.7, seed: 3, top_k: null }, top_p: 0.9 },
      { temperature: null, sampling: { seed: null } },
    ];
    const { events } = await importRows(sampled.map((own, i) => ({ id: `t${i}`, messages: conversation, ...own })));
    expect(only(events, "turn").map(({ request, missing = [] }) => [request, missing.includes("sampling")])).toEqual([
      ...Array(2).fill([{ temperature: 0.7, seed: 3, top_p: 0.9 }, false]),
      ...Array(2).fill([{}, true]),
    ]);
  });

  it("has the result of each call beside it where ids are used again, in one answer and in the next", async () => {
    const result = (content: string) => ({ role: "tool", tool_call_id: "c1", content });
    const calling = (...numbers: number[]) => ({
      ...{ role: "assistant", content: null },
      tool_calls: numbers.map((a) => ({ ...call, function: { name: "add", arguments: JSON.stringify({ a }) } })),
    });
    const turns = [calling(2), result("4"), calling(3, 5), result("6"), result("10"), calling(7)];
    const { events } = await importRows([{ id: "t", messages: [...conversation.slice(0, 2), ...turns] }]);
    expect(only(events, "action").map(({ call, stdout }) => [call.arguments.a, stdout])).toEqual([
      [2, "4"],
      [3, "6"],
      [5, "10"],
    ]);
  });

  it("without an outcome has no verdict, and one of another scale none either", async () => {
    const { events } = await importRows([
      { id: "a", messages: conversation },
      { id: "b", messages: conversation, reward: 17 },
      { id: "c", messages: conversation, reward: 0.5 },
      { id: "d", messages: conversation, label: true },
    ]);
    expect(
      only(events, "verdict").map(({ attempt, verdict }) => [attempt.slice(21), verdict.value, verdict.signalType]),
    ).toEqual([
      ["chat:c/1", 0.5, "graded"],
      ["chat:d/1", 1, "binary"],
    ]);
  });

  it("has a label beside its reward as whether it passed, and is in conflict where the one says the opposite of the other", async () => {
    const outcomes = [
      { reward: 0.8, label: true },
      { reward: 0.8, label: 0 },
      { reward: 0.8, label: "math" },
      { reward: true, label: true },
      { reward: 1, label: false },
      { reward: 0, label: true },
    ];
    const { events, report } = await importRows(outcomes.map((own, i) => ({ id: i, messages: conversation, ...own })));
    expect(
      only(events, "verdict").map(({ verdict: { value, passed, flags } }) => [
        value,
        passed,
        flags.filter((flag) => flag !== "imported"),
      ]),
    ).toEqual([
      [0.8, true, []],
      [0.8, false, []],
      [0.8, false, []],
      [1, true, []],
      [1, false, ["conflict"]],
      [0, true, ["conflict"]],
    ]);
    expect(report).toMatchObject({ rejected: [], imported: [{ attempts: 6, passed: 2 }] });
  });

  it("has its label for its outcome where its reward is none that a verdict could hold", async () => {
    const outcomes = [
      { reward: null, label: "good" },
      { reward: null, label: true },
      { reward: 3.2, label: false },
    ];
    const { events, report } = await importRows(outcomes.map((own, i) => ({ id: i, messages: conversation, ...own })));
    expect(only(events, "verdict").map(({ attempt, verdict }) => [attempt.slice(21), verdict.passed])).toEqual([
      ["chat:1/1", true],
      ["chat:2/1", false],
    ]);
    expect(report.rejected).toMatchObject([{ reason: "its reward is none from 0 to 1", count: 1 }]);
  });

  it("of an item that was there before is another attempt at it", async () => {
    const { turns } = await importRows([
      { task_id: 7, messages: conversation.slice(0, 3) },
      { task_id: 7, messages: conversation.slice(0, 3) },
      { messages: conversation.slice(0, 3) },
    ]);
    expect(turns.map(({ attempt }) => attempt)).toEqual([
      "chat:7/1",
      "chat:7/2",
      expect.stringMatching(/^chat:question-[0-9a-f]+\/1$/),
    ]);
  });
});

it("a reward on another scale is counted with its line, and the conversation is kept without a verdict", async () => {
  const rows = [{ reward: 7 }, { reward: "good" }, { label: -1 }, { label: "math" }, { reward: null }, { reward: 0.5 }];
  const lines = rows.map((row) => `${JSON.stringify({ ...row, messages: conversation })}\n`);
  const { report, events, turns } = await readWritten({ "rows.jsonl": lines.join("") }, "openai-chat");
  const path = join(folder, "rows.jsonl");
  expect(report.rejected).toEqual([
    { reason: "its reward is none from 0 to 1", count: 3, where: [`${path}:1`, `${path}:2`, `${path}:3`] },
  ]);
  expect(only(events, "verdict").map(({ verdict }) => verdict.value)).toEqual([0.5]);
  expect(turns).toHaveLength(2 * rows.length);
});

describe("a file whose first row is longer than its beginning that is looked at", () => {
  const text = 'a text with "quotes" and {braces} '.repeat(5000);
  const long = [{ role: "user", content: text }, ...conversation.slice(4)];

  it("is told by its `messages`, in a folder and alone", async () => {
    const path = join(folder, "rows.jsonl");
    const row = JSON.stringify({ id: "a", note: 'says "messages": [{', tags: [{ messages: 1 }], messages: long });
    writeFileSync(path, `${row}\n${row}\n`);
    writeFileSync(join(folder, "notes.txt"), "nothing of this kind");
    const report = await importInto(home, folder, { format: "openai-chat" });
    expect(report).toMatchObject({ rejected: [], imported: [{ attempts: 2 }] });
    expect(report.passedOver).toEqual([join(folder, "notes.txt")]);
    expect(await importInto(home, path)).toMatchObject({ format: "openai-chat", known: [report.imported[0]?.run] });
  });

  it("is another program's where `messages` lie deeper, or with a mark of its own", async () => {
    const importer = (await loadImporters()).get("openai-chat");
    const isOf = (row: object) => {
      const head = Buffer.from(JSON.stringify(row)).subarray(0, 64 << 10);
      return importer?.detects({ name: "rows.jsonl", head, value: undefined });
    };
    expect(isOf({ id: "t", messages: long })).toBe(true);
    expect(isOf({ id: "t", input: { messages: long } })).toBe(false);
    expect(isOf({ id: "t", text: JSON.stringify({ messages: long }) })).toBe(false);
    expect(isOf({ trajectory_format: "mini-swe-agent-1", messages: long })).toBe(false);
    const hostile = Buffer.from(`{"role":"${'\\"'.repeat(32_000)}\\`);
    expect(importer?.detects({ name: "rows.jsonl", head: hostile, value: undefined })).toBe(false);
  });
});

it("a dataset's Parquet says the same as its rows", async () => {
  const path = join(folder, "train.parquet");
  const database = await openDatabase({ memoryLimitMb: 128, threads: 1, spillFolder: "" });
  const rows = join(folder, "source.json");
  writeFileSync(
    rows,
    JSON.stringify([
      { id: "t", messages: conversation, reward: 1 },
      { id: "u", messages: conversation.slice(0, 2) },
    ]),
  );
  await database.run(`COPY (SELECT * FROM read_json(${sqlText(rows)})) TO ${sqlText(path)} (FORMAT parquet)`);
  database.close();
  rmSync(rows);
  const report = await importInto(home, folder);
  expect(report).toMatchObject({ format: "openai-chat", rejected: [] });
  const { events, turns } = await imported(home, report);
  expect(turns.map(({ messages, response }) => [messages.length, response])).toEqual([
    [2, conversation[2]],
    [4, conversation[4]],
  ]);
  expect(only(events, "verdict")).toMatchObject([{ verdict: { passed: true } }]);
  writeFileSync(join(folder, "broken.parquet"), "PAR1 and nothing more");
  const broken = await importInto(home, join(folder, "broken.parquet"), { format: "openai-chat" });
  expect(broken.rejected).toMatchObject([{ reason: expect.stringContaining("Parquet"), count: 1 }]);
});

it("a Parquet file whose rows lie in one large group is read in the memory that is set aside for it", async () => {
  const path = join(folder, "train.parquet");
  const database = await openDatabase({ memoryLimitMb: 1024, threads: 1, spillFolder: "" });
  await database.run(`COPY (
    SELECT n AS id, n % 2 AS reward, [{'role': 'user', 'content': n || repeat(' says a thing', 1200)}, {'role': 'assistant', 'content': 'a'}] AS messages
    FROM range(2500) t(n)) TO ${sqlText(path)} (FORMAT parquet, ROW_GROUP_SIZE 100000)`);
  database.close();
  const report = await importInto(home, path, { format: "openai-chat" });
  expect(report).toMatchObject({ rejected: [], imported: [{ attempts: 2500, passed: 1250 }] });
}, 60_000);

/** Rows of some 20 kB, in groups of so many of them. */
async function longRows(path: string, { rows, group, more = "" }: { rows: number; group: number; more?: string }) {
  const database = await openDatabase({ memoryLimitMb: 1024, threads: 1, spillFolder: "" });
  await database.run(`COPY (
    SELECT n AS id, n % 2 AS reward, MAP {'n': n} AS place, ${more}
      [{'role': 'user', 'content': n || ' ' || repeat(md5(n::VARCHAR), 625)}, {'role': 'assistant', 'content': 'a' || n}] AS messages
    FROM range(${rows}) t(n)) TO ${sqlText(path)} (FORMAT parquet, ROW_GROUP_SIZE ${group})`);
  database.close();
}

it.each([
  ["a large group", { rows: 2500, group: 100_000 }],
  ["small groups", { rows: 4200, group: 2048 }],
  [
    "a large group with a column of the name that numbers rows",
    { rows: 2500, group: 100_000, more: "n AS file_row_number," },
  ],
])(
  "long rows of Parquet come each once and in order: %s",
  async (_, shape) => {
    const path = join(folder, "train.parquet");
    await longRows(path, shape);
    const read: number[] = [];
    const report = await importInto(home, path, { format: "openai-chat", onProgress: (done) => read.push(done) });
    expect(report).toMatchObject({ rejected: [], imported: [{ attempts: shape.rows, passed: shape.rows / 2 }] });
    const { turns, events } = await imported(home, report);
    const said = turns.map(({ messages, response }) => [
      String(messages[0]?.content).split(" ", 1)[0],
      response?.content,
    ]);
    expect(said).toEqual(Array.from({ length: shape.rows }, (_, n) => [String(n), `a${n}`]));
    const details = only(events, "items_scanned").flatMap(({ items }) => items.map(({ detail }) => detail));
    expect(details[7]).toMatchObject({ id: 7 });
    expect(read.length).toBeGreaterThan(2);
    expect(read.at(-1)).toBeCloseTo(statSync(path).size, 0);
    expect(readdirSync(join(home.path, "imports"))).toEqual([]);
  },
  60_000,
);

it("columns of Parquet that are JSON or maps are read as what they say", async () => {
  const path = join(folder, "train.parquet");
  const database = await openDatabase({ memoryLimitMb: 128, threads: 1, spillFolder: "" });
  const said = sqlText(JSON.stringify(conversation));
  await database.run(`COPY (
    SELECT 't' AS id, ${said}::JSON AS messages, MAP {'difficulty': 3} AS "a ""map""", 9007199254740991 AS seed, DATE '2026-03-04' AS day)
    TO ${sqlText(path)} (FORMAT parquet)`);
  database.close();
  const { events, turns } = await imported(home, await importInto(home, path, { format: "openai-chat" }));
  expect(turns.map(({ messages, response }) => [messages.length, response])).toEqual([
    [2, conversation[2]],
    [4, conversation[4]],
  ]);
  const [scanned] = only(events, "items_scanned");
  expect(scanned?.items[0]?.detail).toEqual({ id: "t", seed: 9007199254740991, day: "2026-03-04" });
});

describe("families", () => {
  const rows = [
    { id: "web/1", repo: "acme/web", repo_id: 17, messages: conversation },
    { id: "db/2", messages: conversation },
  ];
  const families = async (rule: string) => {
    const { events } = await importRows(rows, { familyRule: readFamilyRule(rule) });
    return only(events, "items_scanned").flatMap(({ items }) => items.map(({ family }) => family));
  };

  it("come from a field of the details, or from the id by a pattern; else an item is its own", async () => {
    expect(await families("repo")).toEqual(["acme/web", "db/2"]);
  });

  it("come from a field that is a number", async () => {
    expect(await families("repo_id")).toEqual(["17", "db/2"]);
  });

  it("by a rule that says nothing of some items are counted, and by one that says nothing of any nothing is imported", async () => {
    const path = join(folder, "rows.jsonl");
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    await expect(importInto(home, path, { familyRule: readFamilyRule("rpeo") })).rejects.toMatchObject({
      code: "FAMILY_RULE_UNMET",
    });
    await expect(importInto(home, path, { familyRule: readFamilyRule("constructor") })).rejects.toMatchObject({
      code: "FAMILY_RULE_UNMET",
    });
    expect(await listRuns(home)).toEqual([]);
    const report = await importInto(home, path, { familyRule: readFamilyRule("repo") });
    expect(report).toMatchObject({ imported: [{ attempts: 2 }], untoldFamilies: 1 });
    expect(await importInto(home, path)).toMatchObject({ untoldFamilies: null });
  });

  it("come from the first group of a pattern", async () => {
    expect(await families("/^(\\w+)\\//")).toEqual(["web", "db"]);
  });

  it("by another rule are another import of the same file, which replaces the one before", async () => {
    const path = join(folder, "rows.jsonl");
    writeFileSync(path, `${JSON.stringify({ id: "web/1", repo: "acme/web", messages: conversation })}\n`);
    const first = await importInto(home, path);
    const familyRule = readFamilyRule("repo");
    const second = await importInto(home, path, { familyRule });
    expect(second.replaced).toMatchObject([{ run: second.imported[0]?.run, replaced: first.imported[0]?.run }]);
    const { events } = await imported(home, second);
    expect(only(events, "items_scanned").flatMap(({ items }) => items.map(({ family }) => family))).toEqual([
      "acme/web",
    ]);
    expect(await importInto(home, path, { familyRule })).toMatchObject({
      imported: [],
      known: [second.imported[0]?.run],
    });
  });

  it("by a pattern that is none are refused", () => {
    expect(() => readFamilyRule("/(/")).toThrow(expect.objectContaining({ code: "BAD_FAMILY_RULE" }));
  });
});
