/** `tracemill canary --url`: what stands there is asked as it has to be, here a vLLM that calls its base by the path of its folder. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { shortHash } from "../../src/foundation/hashing.ts";
import type { CanaryReport } from "../../src/serve/index.ts";
import type { RunningServer } from "../../src/serve/running-server.ts";
import { startServer } from "../../src/serve/server.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { addTinyBase } from "../train/sample-training.ts";

const BASE = "/data/base";

let folder: string;
let home: Home;
let upstream: RunningServer;
let vllm: Server;
let url: string;
/** The name that it has for the adapter. */
let candidate: string;
let asked: { models: Set<string>; scored: number; mostScored: number };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-canary-url-"));
  home = homeAt(folder);
  const base = await addTinyBase(home);
  const { adapterHash } = await registerAdapter(home, base, { name: "sound", from: await tinyAdapter(1) });
  candidate = `sound@${shortHash(adapterHash)}`;
  upstream = await startServer({ home, base: "tiny", adapters: ["sound"], threads: 1, parallel: 8 });
  vllm = createServer(async (request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.method === "GET") return response.end(JSON.stringify({ data: cards() }));
    response.end(await answer(JSON.parse(await text(request))));
  }).listen(0, "127.0.0.1");
  await new Promise((done) => vllm.once("listening", done));
  url = `http://127.0.0.1:${(vllm.address() as AddressInfo).port}/v1`;
}, 120_000);

beforeEach(() => {
  asked = { models: new Set(), scored: 0, mostScored: 0 };
});

afterAll(async () => {
  vllm?.close();
  await upstream?.close();
  await rm(folder, { recursive: true, force: true });
});

function cards(): object[] {
  return [
    { id: BASE, root: BASE, parent: null, owned_by: "vllm" },
    { id: candidate, root: "/adapters/sound", parent: BASE, owned_by: "vllm" },
  ];
}

async function answer(body: { model: string; echo?: boolean }): Promise<string> {
  const { model, echo = false } = body;
  asked.models.add(model);
  if (echo) asked.mostScored = Math.max(asked.mostScored, ++asked.scored);
  await sleep(20);
  const sent = JSON.stringify({ ...body, model: model === BASE ? "tiny" : "sound" });
  const response = await fetch(`${upstream.url}/completions`, { method: "POST", body: sent });
  if (echo) asked.scored--;
  return response.text();
}

async function canary(...words: string[]) {
  const { exitCode, stdout, stderr } = await tracemill(home, "canary", "sound", "--url", url, "--json", ...words);
  return { exitCode, stderr, report: exitCode === 0 ? (JSON.parse(stdout) as CanaryReport) : null };
}

test("base and adapter are asked by the names that they have there, one prompt at a time, within the limits of what stands there", async () => {
  const { report, stderr } = await canary();
  expect(stderr).toBe("");
  expect([...asked.models].sort()).toEqual([BASE, candidate].sort());
  expect(asked.mostScored).toBe(1);
  expect(report?.limits.differenceAtMost).toBeCloseTo(0.05 * (report?.effect.trainer ?? 0), 4);
}, 60_000);

test("a target and a name that are said come before what the endpoint says", async () => {
  const { report } = await canary("--target", "llamacpp", "--model", candidate);
  expect(asked.mostScored).toBeGreaterThan(1);
  expect(report?.limits.differenceAtMost).toBeCloseTo(0.03 * (report?.effect.trainer ?? 0), 4);
  const other = await canary("--model", "another");
  expect([other.exitCode, other.stderr]).toEqual([2, expect.stringContaining("ADAPTER_NOT_SERVED")]);
}, 60_000);
