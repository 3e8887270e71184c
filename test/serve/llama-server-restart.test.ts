/** llama.cpp's server as a target, here a scripted one: how it is started again after it has died. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Context } from "../../src/commands/command.ts";
import { restarting } from "../../src/commands/serve-restarts.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { addBase } from "../../src/serve/add-base.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { randomAdapter, registerAdapter } from "../fixtures/adapters.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";

const SCRIPTED = join(import.meta.dirname, "../fixtures/programs/llama-server.mjs");
const SOUND = `exec "${process.execPath}" "${SCRIPTED}" "$@"`;
const DYING = "echo 'error: out of memory' >&2; exit 1";

let home: Home;
let program: string;
let server: RunningServer;

beforeAll(async () => {
  home = homeAt(await mkdtemp(join(tmpdir(), "tracemill-llama-server-restart-")));
  program = join(home.path, "llama-server");
  const made = await tinyBase();
  const base = await addBase(home, { name: "tiny", ...made, convert: async () => {}, clock: systemClock });
  for (const [name, seed] of [
    ["one", 1],
    ["two", 2],
  ] as const) {
    await registerAdapter(home, base, { name, from: await randomAdapter(made.hf, { seed }) });
  }
}, 120_000);

afterAll(() => rm(home.path, { recursive: true, force: true }));

beforeEach(async () => {
  await startsAs(SOUND);
  vi.stubEnv("TRACEMILL_LLAMA_SERVER", program);
  const options = { home, base: "tiny", adapters: ["one"], target: "llama-server", threads: 1 };
  server = await startServer({ ...options, parallel: 1, contextTokens: 64 });
});

afterEach(async () => {
  await server.close();
  vi.unstubAllEnvs();
});

/** What a server that is started from now on does. */
async function startsAs(script: string): Promise<void> {
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
}

async function answered(model: string): Promise<{ status: number; code?: string; text?: string }> {
  const body = JSON.stringify({ model, prompt: "some words", max_tokens: 1 });
  const response = await fetch(`${server.url}/completions`, { method: "POST", body });
  const { choices, error } = (await response.json()) as { choices?: { text: string }[]; error?: { code: string } };
  return {
    status: response.status,
    ...(error !== undefined && { code: error.code }),
    ...(choices?.[0] !== undefined && { text: choices[0].text }),
  };
}

async function kill(): Promise<void> {
  process.kill(-(server.pid() as number), "SIGKILL");
  const told = /^llama-server was ended by SIGKILL\. Its last lines:\n1 adapters$/;
  await expect.poll(() => server.ended(), { timeout: 20_000 }).toMatch(told);
}

test("one that was killed is told as ended, and is there again at the same address with its adapters", async () => {
  const alive = [await answered("tiny"), await answered("one")];
  expect(alive).toMatchObject([{ status: 200 }, { status: 200 }]);
  expect(alive[0]?.text).not.toBe(alive[1]?.text);
  const before = server.pid();
  await kill();
  expect(await answered("one")).toEqual({ status: 503, code: "SERVER_DIED" });
  await server.resume();
  expect([await answered("tiny"), await answered("one")]).toEqual(alive);
  expect([server.ended(), server.pid() === before]).toEqual([null, false]);
}, 60_000);

test("one that was killed answers as its base at once, and as an adapter once that is proven at the next process", async () => {
  const proofs = { home, base: "tiny", adapters: ["one"], target: "llama-server", threads: 1, wantsProofs: true };
  await server.close();
  server = await startServer({ ...proofs, parallel: 1, contextTokens: 64 });
  expect(await answered("one")).toEqual({ status: 503, code: "ADAPTER_UNPROVEN" });
  server.proofs.passed("one");
  const proven = await answered("one");
  expect(proven).toMatchObject({ status: 200 });
  await kill();
  await server.resume();
  expect([await answered("tiny"), await answered("one")]).toMatchObject([
    { status: 200 },
    { status: 503, code: "ADAPTER_UNPROVEN" },
  ]);
  expect(await answered(server.proofs.nameOf("one"))).toEqual(proven);
  server.proofs.passed("one");
  expect(await answered("one")).toEqual(proven);
}, 60_000);

test("one that is replaced for another adapter is asked on for those that it had proven, until one fails at the next process", async () => {
  await server.close();
  const proofs = { home, base: "tiny", adapters: ["one"], target: "llama-server", threads: 1, wantsProofs: true };
  server = await startServer({ ...proofs, parallel: 1, contextTokens: 64 });
  server.proofs.passed("one");
  const before = server.pid();
  await server.load("two");
  expect(server.pid()).not.toBe(before);
  expect([server.proofs.pending(), server.proofs.doubted()]).toEqual([["two"], ["one"]]);
  expect([await answered("one"), await answered("two")]).toMatchObject([
    { status: 200 },
    { status: 503, code: "ADAPTER_UNPROVEN" },
  ]);
  server.proofs.failed("one", "It changes too little.");
  expect(await answered("one")).toEqual({ status: 503, code: "ADAPTER_UNPROVEN" });
}, 60_000);

test("one that is paused has not ended, and a dead one can be paused and resumed", async () => {
  await server.pause();
  expect([server.pid(), server.ended()]).toEqual([null, null]);
  await server.resume();
  await kill();
  await server.pause();
  expect(server.ended()).toBeNull();
  expect(await answered("tiny")).toEqual({ status: 503, code: "SERVER_PAUSED" });
  await server.resume();
  expect(await answered("tiny")).toMatchObject({ status: 200 });
}, 60_000);

test("a look at it starts it again, and where that fails tries once more after a wait", async () => {
  const time = { nowMs: 1_000_000 };
  const told: string[] = [];
  const look = restarting(server, {
    ...{ home, isJson: false, signal: new AbortController().signal, clock: () => new Date(time.nowMs) },
    stderr: { write: (text: string) => told.push(text) },
  } as unknown as Context);
  await look();
  expect(told).toEqual([]);
  await kill();
  await startsAs(DYING);
  await expect(look()).rejects.toMatchObject({
    code: "SERVER_DIED",
    message: expect.stringContaining("out of memory"),
  });
  expect(await answered("tiny")).toEqual({ status: 503, code: "SERVER_PAUSED" });
  await startsAs(SOUND);
  await look(); // too soon
  expect(server.ended()).toMatch(/SIGKILL/);
  time.nowMs += 1000;
  await look();
  expect(await answered("one")).toMatchObject({ status: 200 });
  expect(told.at(-1)).toBe("Serving again.\n");
  expect(told).toHaveLength(2);
}, 60_000);
