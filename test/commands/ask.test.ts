/**
 * `tracemill ask` as a user types it: the tiny base beside an adapter that was trained to give one query.
 */
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { registerAdapter } from "../fixtures/adapters.ts";
import { FLUENT_QUERY, fluentAdapter } from "../fixtures/fluent-adapter.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { tracemill } from "../fixtures/tracemill.ts";

let folder: string;
let home: Home;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-ask-command-"));
  home = homeAt(join(folder, "home"));
  const files = { ...(await tinyBase()), convert: async () => {}, clock: systemClock };
  const base = await addBase(home, { name: "tiny", ...files });
  await registerAdapter(home, base, { name: "fluent", from: await fluentAdapter() });
  const changed = join(folder, "changed");
  await cp(files.hf, changed, { recursive: true });
  await writeFile(join(changed, "chat_template.jinja"), "{{ messages[0].content }}");
  await addBase(home, { ...files, name: "changed", hf: changed });
  await writeFile(join(folder, "products.csv"), "name,price\nLamp,20\nChair,55\nDesk,140\n");
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`COPY (SELECT range AS id FROM range(5000)) TO '${join(folder, "products.parquet")}'`);
  connection.closeSync();
}, 240_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const QUESTION = "How many products are there?";

test("two models answer side by side over the tables that fit the question, and each answer is carried out", async () => {
  const { stdout, exitCode } = await tracemill(home, "ask", QUESTION, "--skill", "sql", "--models", "tiny,fluent");
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^CREATE TABLE products \(.*\n/);
  const [asked, ofTiny, ofFluent] = stdout.split(/^== (?:tiny|fluent)$/m);
  expect(asked).toContain(`\nQuestion: ${QUESTION}\n`);
  expect(ofTiny).toMatch(/\n\ndoes not run: .+\n+$/);
  expect(ofFluent?.startsWith(`\n${FLUENT_QUERY}`)).toBe(true);
  expect(ofFluent).toMatch(/\n\nn\n-+\n\d+\n\(1 row\)$/);
});

test("a question that does not fit into the context that the server is told to have is refused there", async () => {
  const words = ["--skill", "sql", "--models", "tiny", "--context-tokens", "16"];
  const { exitCode, stderr } = await tracemill(home, "ask", QUESTION, ...words);
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining("HTTP_400: tiny gave no answer.")]);
});

test.each([
  ["CSV", "products.csv", "name VARCHAR, price BIGINT", 3],
  ["Parquet", "products.parquet", "id BIGINT", 5000],
])("a question may be about a %s file of the user's own", async (_, name, columns, rows) => {
  const file = join(folder, name);
  const { stdout } = await tracemill(home, "ask", QUESTION, "--models", "fluent", "--file", file, "--json");
  expect(JSON.parse(stdout)).toEqual({
    question: QUESTION,
    schema: `CREATE TABLE products (${columns});`,
    answers: [{ model: "fluent", answer: expect.any(String), reply: { columns: ["n"], rows: [[rows]] } }],
  });
});

describe("a question is refused", () => {
  const ask = (...words: string[]) => tracemill(home, "ask", QUESTION, ...words);

  test("for a model that is not known, with the nearest", async () => {
    const { exitCode, stderr } = await ask("--models", "tiny,fluend");
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^UNKNOWN_MODEL: [\s\S]*fix: {6}did you mean "fluent"\?$/);
  });

  test("for a skill that takes no free questions", async () => {
    const { exitCode, stderr } = await ask("--models", "tiny", "--skill", "letters");
    expect(exitCode).toBe(2);
    expect(stderr).toContain('NO_FREE_QUESTIONS: The skill "letters" takes no free questions.');
  });

  test("for models of several bases", async () => {
    const { exitCode, stderr } = await ask("--models", "fluent,changed");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("SEVERAL_BASES: The models do not share a base.");
  });

  test("about a file that is not there, or is no table", async () => {
    const missing = await ask("--models", "tiny", "--file", join(folder, "none.csv"));
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toMatch(/^BAD_FILE: [\s\S]*got: {6}ENOENT/);
    expect((await ask("--models", "tiny", "--file", join(folder, "home"))).stderr).toContain("a file of another kind");
  });
});
