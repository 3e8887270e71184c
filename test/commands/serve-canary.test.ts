/**
 * A champion whose canary could not be asked, as its server failed: behind a server that fails and comes to itself again while
 * `tracemill serve` runs and nothing is said in the ledger.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import type { Home } from "../../src/store/home.ts";
import { type FickleServer, startFickleServer } from "../fixtures/fickle-server.ts";
import { soundHome } from "../fixtures/sound-home.ts";
import { tracemill } from "../fixtures/tracemill.ts";

const WAITING = { timeout: 30_000 };

let home: Home;
let remove: () => Promise<void>;
let upstream: RunningServer;
let fickle: FickleServer;

beforeAll(async () => {
  const made = await soundHome();
  ({ home, remove } = made);
  upstream = await startServer({ home, base: "tiny", adapters: ["sound"], threads: 1 });
  fickle = await startFickleServer(upstream.url, { base: "tiny", adapters: { [made.adapterHash]: "sound" } });
  process.env.TRACEMILL_VLLM = fickle.origin;
}, 240_000);

afterAll(async () => {
  delete process.env.TRACEMILL_VLLM;
  await fickle.close();
  await upstream.close();
  await remove();
});

/** Serves at the fickle server, gives `use` what was said so far, and ends it. */
async function serving(use: (said: { told(): string; noise(): string }) => Promise<void>): Promise<void> {
  const process = tracemill(home, "serve", "--base", "tiny", "--port", "0", "--target", "vllm");
  let [told, noise] = ["", ""];
  process.stdout.on("data", (text) => (told += String(text)));
  process.stderr.on("data", (text) => (noise += String(text)));
  try {
    await use({ told: () => told, noise: () => noise });
  } finally {
    process.kill("SIGTERM");
    await process;
  }
}

test("a champion whose canary met a failing server is tried again until the server answers, with the ledger as it was", {
  timeout: 240_000,
}, async () => {
  await serving(async ({ told, noise }) => {
    await expect.poll(told, WAITING).toContain("Serving tiny at ");
    fickle.fail(true);
    const { exitCode, stderr } = await tracemill(home, "promote", "sound", "--for", "sql", "--override", "a test");
    expect([exitCode, stderr]).toEqual([0, ""]);
    await expect.poll(noise, WAITING).toMatch(/sound, the champion of .* is not served: .*status 500.* again in 2 s/);
    fickle.fail(false);
    await expect.poll(noise, WAITING).toContain("sql is answered by sound now.");
  });
  // From the start too: nobody else is kept from being served.
  fickle.fail(true);
  await serving(async ({ told, noise }) => {
    await expect.poll(told, WAITING).toContain("Serving tiny, sql (nobody) at ");
    expect(noise()).toMatch(/sound, the champion of .* is not served: .*status 500.* again in 1 s/);
    fickle.fail(false);
    await expect.poll(noise, WAITING).toContain("sql is answered by sound now.");
  });
});

test("a champion that the server has lost is loaded and proven again, and answers then", {
  timeout: 240_000,
}, async () => {
  await serving(async ({ told, noise }) => {
    await expect.poll(told, WAITING).toContain("Serving tiny, sound, sql (sound) at ");
    const url = / at (http\S+) /.exec(told())?.[1] ?? "";
    const { data } = (await (await fetch(`${fickle.origin}/v1/models`)).json()) as { data: { id: string }[] };
    const [, { id } = { id: "" }] = data;
    const body = JSON.stringify({ lora_name: id });
    await fetch(`${fickle.origin}/v1/unload_lora_adapter`, { method: "POST", body });
    await expect.poll(noise, WAITING).toMatch(/The server has lost sound\.[\s\S]*sound answers again\./);
    const asked = { method: "POST", body: JSON.stringify({ model: "sql", prompt: "SELECT", max_tokens: 1 }) };
    expect((await fetch(`${url}/completions`, asked)).status).toBe(200);
  });
});
