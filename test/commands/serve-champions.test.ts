/**
 * That a running `tracemill serve` follows the ledger: promotions and rollbacks under load, and what is revoked. The server
 * and the commands are processes, as a user types them.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportDataset } from "../../src/commands/export.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { type Hash, shortHash } from "../../src/foundation/hashing.ts";
import { addBase } from "../../src/serve/add-base.ts";
import type { Home } from "../../src/store/home.ts";
import { writeRun } from "../curate/written-run.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { SQL, sayRevoked, TIP, withChain } from "../registry/setting.ts";

const PROMPTS = ["How many rows?", "Which city?", "List the names", "SELECT the best", "A table of", "Count them"];
const STREAMS = 6;
/** How long a server may take to follow what the ledger says: ten times what is asked of it. */
const MOST_FOLLOW_MS = 10_000;

let home: Home;
let endHome: () => void;
const runOf = new Map<string, string>();
const folderOf = new Map<string, string>();
const datasetOf = new Map<string, Hash>();

/** A home with runs and a dataset of them, of which three adapters of the tiny base are said to be made. */
beforeAll(async () => {
  await new Promise<void>((ready, fail) => {
    withChain(async (chain) => {
      ({ home } = chain);
      const { datasetHash } = chain;
      const base = await addBase(home, {
        name: "tiny",
        ...(await tinyBase()),
        convert: async () => {},
        clock: systemClock,
      });
      for (const [name, seed] of Object.entries({ one: 1, two: 2 })) {
        await registerAdapter(home, base, { name, from: await tinyAdapter(seed), datasetHash });
      }
      await registerAdapter(home, base, { name: "zero", from: await tinyAdapter(1, "zero"), datasetHash });
      // Each of a run of its own, so that what is revoked of one leaves the other sound.
      for (const [name, number] of Object.entries({ four: 4, five: 5 })) {
        const attempts = [{ item: `cave/${number}`, query: `SELECT ${number}` }];
        const { run } = await writeRun(home, { number, attempts });
        runOf.set(name, run);
        const made = await exportDataset({ ...SQL, runs: [run] }, chain);
        const from = await tinyAdapter(number - 3);
        const { adapterHash } = await registerAdapter(home, base, { name, from, datasetHash: made.datasetHash });
        folderOf.set(name, home.adapterFolder(adapterHash));
        datasetOf.set(name, made.datasetHash);
      }
      ready();
      await new Promise<void>((end) => {
        endHome = end;
      });
    }).catch(fail);
  });
}, 240_000);

afterAll(() => endHome?.());

/** Starts a server, gives it to `use` with what it says, and ends it. */
async function serving(
  words: string[],
  use: (server: { url: string; told: string; noise(): string }) => Promise<void>,
) {
  const words0 = [
    "serve",
    "--base",
    "tiny",
    "--port",
    "0",
    "--threads",
    "1",
    "--parallel",
    "4",
    "--context-tokens",
    "256",
  ];
  const process = tracemill(home, ...words0, ...words);
  let noise = "";
  process.stderr.on("data", (data) => {
    noise += String(data);
  });
  try {
    const told = await new Promise<string>((resolve, reject) => {
      process.stdout.once("data", (data) => resolve(String(data)));
      process.then(({ stderr }) => reject(new Error(`the server ended: ${stderr}`)), reject);
    });
    await use({ url: /http:\/\/[\d.:]+\/v1/.exec(told)?.[0] ?? "", told, noise: () => noise });
  } finally {
    process.kill("SIGTERM");
    await process;
  }
}

interface Answer {
  status: number;
  /** Those that the answer's chunks name. */
  models: string[];
  text: string;
  isWhole: boolean;
}

async function streamed(url: string, model: string, prompt: string): Promise<Answer> {
  const body = { model, prompt, temperature: 0, max_tokens: 24, stream: true };
  const response = await fetch(`${url}/completions`, { method: "POST", body: JSON.stringify(body) });
  const events = (await response.text()).split("\n\n").map((event) => event.replace(/^data: /, ""));
  const chunks = events
    .filter((event) => event.startsWith("{"))
    .map((event) => JSON.parse(event) as { model?: string; choices?: { text?: string }[] });
  return {
    status: response.status,
    models: [...new Set(chunks.map((chunk) => chunk.model ?? "an error"))],
    text: chunks.map((chunk) => chunk.choices?.[0]?.text ?? "").join(""),
    isWhole: events.includes("[DONE]"),
  };
}

const answeredBy = async (url: string, model: string) => (await streamed(url, model, "Who?")).models[0];

async function ids(url: string): Promise<string[]> {
  const { data } = (await (await fetch(`${url}/models`)).json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

async function typed(...words: string[]): Promise<void> {
  const { exitCode, stderr } = await tracemill(home, ...words);
  expect([exitCode, stderr]).toEqual([0, ""]);
}

const promote = (adapter: string) => typed("promote", adapter, "--for", "sql", "--override", "a test");
const rollback = () => typed("rollback", "sql");

describe("tracemill serve", () => {
  test("follows a promotion and a rollback under load: none fails, and each answer is wholly of one model", async () => {
    await promote("one");
    await serving(["--adapter", "one", "--adapter", "two"], async ({ url, told, noise }) => {
      expect(told).toMatch(/^Serving tiny, one, two, sql \(one\) at /);
      expect(await ids(url)).toEqual(["tiny", "one", "two", "sql"]);
      const alone = new Map<string, string>();
      for (const model of ["tiny", "one", "two"])
        for (const prompt of PROMPTS) alone.set(`${model} ${prompt}`, (await streamed(url, model, prompt)).text);
      let isOver = false;
      const seen = new Map<string, number>();
      const load = Array.from({ length: STREAMS }, async (_, worker) => {
        for (let i = 0; !isOver; i++) {
          const [asked, prompt] = [i % 3 === 2 ? "tiny" : "sql", PROMPTS[(i + worker) % PROMPTS.length] as string];
          const { status, models, text, isWhole } = await streamed(url, asked, prompt);
          expect([status, models.length, isWhole]).toEqual([200, 1, true]);
          if (asked === "tiny") expect(models).toEqual(["tiny"]);
          expect(text).toBe(alone.get(`${models[0]} ${prompt}`));
          if (asked === "sql") seen.set(models[0] ?? "", (seen.get(models[0] ?? "") ?? 0) + 1);
        }
      });
      await promote("two");
      const said = Date.now();
      await expect.poll(() => answeredBy(url, "sql"), { timeout: 20_000, interval: 20 }).toBe("two");
      const promotedMs = Date.now() - said;
      await rollback();
      const saidBack = Date.now();
      await expect.poll(() => answeredBy(url, "sql"), { timeout: 20_000, interval: 20 }).toBe("one");
      const backMs = Date.now() - saidBack;
      isOver = true;
      await Promise.all(load);
      console.log(
        `followed a promotion after ${promotedMs} ms and a rollback after ${backMs} ms, under ${STREAMS} streams; ` +
          `answers as sql: ${[...seen].map(([model, count]) => `${count} by ${model}`).join(", ")}`,
      );
      // A second is asked of a machine with nothing else to do (docs/log.md has figures); a busy one gets time.
      expect(Math.max(promotedMs, backMs)).toBeLessThan(MOST_FOLLOW_MS);
      expect([...seen.keys()].sort()).toEqual(["one", "two"]);
      expect(noise()).toContain("sql is answered by two now.");
    });
    await rollback();
  }, 180_000);

  test("loads what is promoted later, takes away what was before, and lets the base answer when all is taken back", async () => {
    await serving([], async ({ url, told }) => {
      expect(told).toMatch(/^Serving tiny, sql \(tiny\) at /);
      expect(await answeredBy(url, "sql")).toBe("tiny");
      await promote("one");
      await expect.poll(() => answeredBy(url, "sql"), { timeout: 20_000 }).toBe("one");
      await promote("two");
      await expect.poll(() => answeredBy(url, "sql"), { timeout: 20_000 }).toBe("two");
      await expect.poll(() => ids(url), { timeout: 20_000 }).toEqual(["tiny", "two", "sql"]);
      await rollback();
      await expect.poll(() => ids(url), { timeout: 20_000 }).toEqual(["tiny", "one", "sql"]);
      await rollback();
      await expect.poll(() => answeredBy(url, "sql"), { timeout: 20_000 }).toBe("tiny");
    });
  }, 180_000);

  test("keeps the champion that answers where the next one is not live", async () => {
    await promote("one");
    await serving([], async ({ url, noise }) => {
      await promote("zero");
      await expect.poll(noise, { timeout: 20_000 }).toContain("zero, the champion of sql, is not served: ");
      expect(await answeredBy(url, "sql")).toBe("one");
      await expect.poll(() => ids(url), { timeout: 20_000 }).toEqual(["tiny", "one", "sql"]);
    });
    await serving([], async ({ url, told }) => {
      expect(told).toMatch(/^Serving tiny, sql \(nobody\) at /);
      expect(await streamed(url, "sql", "Who?")).toMatchObject({ status: 400 });
      expect(await answeredBy(url, "tiny")).toBe("tiny");
    });
    await rollback();
    await rollback();
  }, 180_000);

  test("refuses an adapter by name that is not live, and leaves the champions out where it is told to", async () => {
    const { exitCode, stderr } = await tracemill(home, "serve", "--base", "tiny", "--port", "0", "--adapter", "zero");
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^ADAPTER_NOT_LIVE: /m)]);
    await promote("one");
    await serving(["--no-champions"], async ({ url }) => expect(await ids(url)).toEqual(["tiny"]));
    await rollback();
  }, 180_000);

  test("warns of a champion that is tainted, or serves it no more under --on-taint refuse", async () => {
    await promote("one");
    await serving(["--on-taint", "refuse"], async ({ url }) => {
      expect(await answeredBy(url, "sql")).toBe("one");
      sayRevoked(home, "tip", TIP);
      await expect.poll(() => ids(url), { timeout: 20_000 }).toEqual(["tiny"]);
      expect(await streamed(url, "sql", "Who?")).toMatchObject({ status: 400 });
      expect(await answeredBy(url, "tiny")).toBe("tiny");
    });
    await serving([], async ({ url, noise }) => {
      expect(await answeredBy(url, "sql")).toBe("one");
      expect(noise()).toContain("Warning: the adapter one was trained on the tainted dataset ");
    });
    const { exitCode, stderr } = await tracemill(
      home,
      "serve",
      "--base",
      "tiny",
      "--adapter",
      "one",
      "--on-taint",
      "refuse",
    );
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^TAINTED_ADAPTER: /)]);
    await rollback();
  }, 180_000);

  test("takes a tainted champion off although the next one cannot be loaded, and serves that once it can", async () => {
    await promote("four");
    const weights = join(folderOf.get("five") ?? "", "adapter.gguf");
    await serving(["--on-taint", "refuse"], async ({ url, noise }) => {
      await expect.poll(() => answeredBy(url, "sql"), { timeout: 20_000 }).toBe("four");
      await rename(weights, `${weights}.away`);
      await promote("five");
      await expect
        .poll(noise, { timeout: 20_000 })
        .toMatch(/five, the champion of sql, is not served: .* tried again in 1 s/);
      expect(await answeredBy(url, "sql")).toBe("four");
      sayRevoked(home, "run", runOf.get("four") ?? "");
      await expect.poll(() => ids(url), { timeout: 20_000 }).toEqual(["tiny"]);
      expect(await streamed(url, "sql", "Who?")).toMatchObject({ status: 400 });
      await expect
        .poll(noise, { timeout: 20_000 })
        .toMatch(/five, the champion of sql, is not served: .* tried again in 2 s/);
      await rename(`${weights}.away`, weights);
      await expect.poll(() => answeredBy(url, "sql"), { timeout: 30_000 }).toBe("five");
      expect(noise()).toContain("sql is answered by nobody now: ");
      expect(noise()).toContain("sql is answered by five now.");
      const dataset = datasetOf.get("five") as Hash;
      await rename(home.datasetFolder(dataset), join(home.path, "away"));
      sayRevoked(home, "run", "20261102-090009-0000");
      const gone = `the adapter five may have learned from what is revoked: the dataset ${shortHash(dataset)} of its lineage is gone.`;
      await expect.poll(noise, { timeout: 20_000 }).toContain(gone);
      expect(await answeredBy(url, "sql")).toBe("five");
    });
  }, 180_000);
});
