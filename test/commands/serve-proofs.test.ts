/**
 * That a running server's adapters answer nobody until the canary has proven them, at the start and after each pause, and are
 * proven again where their process was replaced.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { proving } from "../../src/commands/serve-proofs.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { provenNames } from "../../src/serve/proofs.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { createServedNames } from "../../src/serve/served-names.ts";
import { startServer } from "../../src/serve/server.ts";
import type { Home } from "../../src/store/home.ts";
import { readBaseManifest } from "../../src/store/manifests.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { soundHome } from "../fixtures/sound-home.ts";
import { watchedContext } from "../fixtures/watched-context.ts";

let home: Home;
let base: BaseManifest;
let remove: () => Promise<void>;
let server: RunningServer;

beforeAll(async () => {
  ({ home, remove } = await soundHome());
  base = await readBaseManifest(home, "tiny");
  await registerAdapter(home, base, { name: "zero", from: await tinyAdapter(1, "zero") });
  const options = { home, base: "tiny", adapters: ["sound", "zero"], wantsProofs: true };
  server = await startServer({ ...options, threads: 1, parallel: 4, contextTokens: 256 });
}, 240_000);

afterAll(async () => {
  await server?.close();
  await remove?.();
});

async function ask(model: string): Promise<{ status: number; retryAfter: string | null; why: string | undefined }> {
  const body = JSON.stringify({ model, prompt: "SELECT", max_tokens: 1 });
  const response = await fetch(`${server.url}/completions`, { method: "POST", body });
  const { error } = (await response.json()) as { error?: { message: string } };
  return { status: response.status, retryAfter: response.headers.get("retry-after"), why: error?.message };
}

test("each answers once it is proven, again after a pause; one that fails is told why and tried again later", async () => {
  const { time, told, context } = watchedContext(home);
  const look = proving(server, { base, target: "llamacpp", canary: true }, context);
  const comesBack = { status: 503, retryAfter: "1" };
  const failed = { ...comesBack, why: expect.stringMatching(/^zero does not answer, as .*: The adapter zero changes/) };
  const answers = { status: 200 };
  for (const round of ["at the start", "after a pause"]) {
    expect([await ask("tiny"), await ask("sound"), await ask("zero")], round).toMatchObject([
      answers,
      { ...comesBack, why: "sound answers once the canary has proven that it is live here." },
      comesBack,
    ]);
    await look();
    expect([await ask("sound"), await ask("zero")], round).toMatchObject([answers, failed]);
    await server.pause();
    await server.resume();
    time.nowMs += 2000;
  }
  await look();
  const tries = told.filter((line) => line.startsWith("Warning: zero does not answer: "));
  expect(tries.map((line) => /tried again in (.*)\.\n$/.exec(line)?.[1])).toEqual(["1 s", "2 s", "4 s"]);
  expect(told.filter((line) => line === "sound answers again.\n")).toHaveLength(3);
  expect(told[0]).toBe(`tiny answers at ${server.url}; sound, zero once the canary has proven it.\n`);
  const before = told.length;
  await look(); // too soon
  expect(told).toHaveLength(before);
  expect(await ask("zero")).toMatchObject(failed);
}, 120_000);

test("one that answers at a process that replaced its own is proven there as well, and one that fails is told", async () => {
  const { told, context } = watchedContext(home);
  const proofs = provenNames(createServedNames(server.models, { open: async () => {}, close: async () => {} }), {
    wanted: true,
  });
  for (const id of proofs.proofs.pending()) proofs.proofs.passed(id);
  proofs.doubt();
  const plain = await startServer({ home, base: "tiny", adapters: ["sound", "zero"], threads: 1, contextTokens: 256 });
  await proving({ ...plain, proofs: proofs.proofs }, { base, target: "llamacpp", canary: true }, context)();
  await plain.close();
  expect(told).toEqual([
    "sound is proven at the process that serves it now.\n",
    expect.stringMatching(/^Warning: zero does not answer: The adapter zero changes too little/),
  ]);
  expect([proofs.proofs.pending(), proofs.proofs.doubted()]).toEqual([["zero"], []]);
}, 120_000);
