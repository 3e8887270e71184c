/** A vLLM that runs already and that several homes use: here a server that shows what was loaded into it. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { proving } from "../../src/commands/serve-proofs.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { shortHash } from "../../src/foundation/hashing.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { startServer } from "../../src/serve/server.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { type FickleServer, startFickleServer } from "../fixtures/fickle-server.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { watchedContext } from "../fixtures/watched-context.ts";

const OPTIONS = { base: "tiny", adapters: ["sql-v1"], target: "vllm" };

let folder: string;
let vllm: FickleServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-attached-"));
  vllm = await startFickleServer("http://127.0.0.1:9/v1", { base: "tiny", adapters: {} });
  vi.stubEnv("TRACEMILL_VLLM", vllm.origin);
}, 120_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  await vllm.close();
  await rm(folder, { recursive: true, force: true });
});

/** A home of its own whose `sql-v1` is another adapter than that of any other seed. */
async function homeWith(seed: number): Promise<{ home: Home; base: BaseManifest; name: string; root: string }> {
  const home = homeAt(join(folder, `home-${seed}`));
  const made = { ...(await tinyBase()), convert: async () => {} };
  const base = await addBase(home, { name: "tiny", ...made, clock: systemClock });
  const { adapterHash } = await registerAdapter(home, base, { name: "sql-v1", from: await tinyAdapter(seed) });
  return { home, base, name: `sql-v1@${shortHash(adapterHash)}`, root: home.adapterFolder(adapterHash) };
}

async function listed(url: string): Promise<{ id: string; root: string }[]> {
  const { data } = (await (await fetch(`${url}/models`)).json()) as { data: { id: string; root: string }[] };
  return data.filter(({ id }) => id !== "tiny").map(({ id, root }) => ({ id, root }));
}

test("adapters of one name of two homes are loaded beside each other, and each home's name means its own", async () => {
  const [one, other] = [await homeWith(1), await homeWith(2)];
  const first = await startServer({ home: one.home, ...OPTIONS });
  const second = await startServer({ home: other.home, ...OPTIONS });
  try {
    const there = [one, other].map(({ name, root }) => ({ id: name, root }));
    expect(await listed(`${vllm.origin}/v1`)).toEqual(there);
    expect(await listed(first.url)).toEqual([{ id: "sql-v1", root: one.root }]);
    expect(await listed(second.url)).toEqual([{ id: "sql-v1", root: other.root }]);
  } finally {
    await second.close();
  }
  expect(await listed(first.url)).toEqual([{ id: "sql-v1", root: one.root }]);
  await first.close();
  expect(await listed(`${vllm.origin}/v1`)).toEqual([]);
}, 180_000);

test("an adapter that two of one home use stays until the last of them ends; one whose process is gone uses nothing", async () => {
  const { home, name, root } = await homeWith(3);
  const uses = join(home.servers, "uses");
  await mkdir(uses, { recursive: true });
  const gone = { pid: 1, birth: "0", origin: vllm.origin, adapters: [name] };
  await writeFile(join(uses, "1-0.json"), JSON.stringify(gone));
  const first = await startServer({ home, ...OPTIONS });
  const second = await startServer({ home, ...OPTIONS });
  await first.close();
  expect(await listed(second.url)).toEqual([{ id: "sql-v1", root }]);
  await second.close();
  expect(await listed(`${vllm.origin}/v1`)).toEqual([]);
  expect(await readdir(uses)).toEqual([]);
}, 180_000);

test("a rank that no adapter here had at the start is for the server to take or refuse, as it says", async () => {
  const { home, base } = await homeWith(8);
  const server = await startServer({ home, ...OPTIONS });
  const from = join(folder, "of-rank-64");
  await cp(await tinyAdapter(1), from, { recursive: true });
  const config = join(from, "adapter_config.json");
  const rank_pattern = { "layers.0.mlp.down_proj": 64 };
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, "utf8")), rank_pattern }));
  await registerAdapter(home, base, { name: "sql-v2", from });
  try {
    expect(await server.load("sql-v2")).toBe("sql-v2");
    await server.unload("sql-v2");
    vllm.refuse("LoRA rank 64 is greater than max_lora_rank 32.");
    await expect(server.load("sql-v2")).rejects.toMatchObject({
      ...{ code: "RANK_TOO_HIGH", details: { expected: "a rank of at most 32", got: "rank 64" } },
    });
  } finally {
    vllm.refuse(null);
    await server.close();
  }
}, 180_000);

async function unloadByAnother(name: string): Promise<void> {
  const body = JSON.stringify({ lora_name: name });
  await fetch(`${vllm.origin}/v1/unload_lora_adapter`, { method: "POST", body });
}

async function asked(url: string): Promise<string | undefined> {
  const body = JSON.stringify({ model: "sql-v1", prompt: "SELECT" });
  const response = await fetch(`${url}/completions`, { method: "POST", body });
  return ((await response.json().catch(() => ({}))) as { error?: { code: string } }).error?.code;
}

test("an adapter that the server has lost answers nobody until it is loaded again, also where no proof is wanted", async () => {
  const { home, base, name, root } = await homeWith(4);
  const server = await startServer({ home, ...OPTIONS });
  const { told, time, context } = watchedContext(home);
  const look = proving(server, { base, target: "vllm", canary: false }, context);
  await look();
  await unloadByAnother(name);
  await look(); // too soon
  expect([await listed(server.url), told]).toEqual([[], []]);
  time.nowMs += 2000;
  await look();
  expect(await listed(server.url)).toEqual([{ id: "sql-v1", root }]);
  expect(told).toEqual([
    "The server has lost sql-v1.\n",
    `tiny answers at ${server.url}; sql-v1 once the canary has proven it.\n`,
    "sql-v1 answers again.\n",
  ]);
  await unloadByAnother(name);
  expect([await server.lost(), await server.lost()]).toEqual([["sql-v1"], []]);
  expect(await asked(server.url)).toBe("ADAPTER_UNPROVEN");
  await server.close(); // takes away nothing that is not there
}, 180_000);

test("one that has gone at the end is told for each adapter, and is no failure", async () => {
  const { home, base } = await homeWith(5);
  await registerAdapter(home, base, { name: "sql-v2", from: await tinyAdapter(6) });
  const going = await startFickleServer("http://127.0.0.1:9/v1", { base: "tiny", adapters: {} });
  vi.stubEnv("TRACEMILL_VLLM", going.origin);
  const told: string[] = [];
  const onWarning = (text: string) => told.push(text);
  const server = await startServer({ home, ...OPTIONS, adapters: ["sql-v1", "sql-v2"], onWarning });
  vi.stubEnv("TRACEMILL_VLLM", vllm.origin);
  await going.close();
  told.length = 0;
  await server.close();
  const unreachable = expect.stringMatching(/unload_lora_adapter: fetch failed$/);
  expect(told).toEqual([unreachable, unreachable]);
  expect(await readdir(join(home.servers, "uses"))).toEqual([]);
}, 180_000);

test("a base that was loaded from elsewhere is told, once, as nothing proves that it is this home's", async () => {
  const { home } = await homeWith(7);
  const { hf } = await tinyBase();
  const own = await startFickleServer("http://127.0.0.1:9/v1", { base: "tiny", adapters: {}, root: hf });
  const told: string[] = [];
  for (const { origin } of [own, vllm]) {
    vi.stubEnv("TRACEMILL_VLLM", origin);
    const server = await startServer({ home, ...OPTIONS, onWarning: (text) => told.push(text) });
    await listed(server.url);
    await server.close();
  }
  await own.close();
  expect(told).toEqual([
    `the vLLM at ${vllm.origin} has loaded tiny from tiny; this home's is ${hf}, so whether both are one cannot be told.`,
  ]);
}, 180_000);
