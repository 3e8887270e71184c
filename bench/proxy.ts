/**
 * What the recording proxy adds to a call, against calling the server directly and against LiteLLM's proxy, which records
 * nothing here. Every way is asked the same calls in turns, so that what else the machine does falls on all of them.
 * LiteLLM is no dependency: `make bench-peers` installs it, and without it its column is empty.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import type { BenchRow } from "./bench-row.ts";

const CLIENTS = [1, 16, 64];
/** What the messages of a call hold; a conversation is sent anew with each of its calls, as agents do. */
const PROMPTS: Record<string, (call: number) => object[]> = {
  "small prompt": (call) => [{ role: "user", content: `${call} ${"x".repeat(200)}` }],
  "100 kB prompt": (call) => [{ role: "user", content: `${call} ${"x".repeat(100_000)}` }],
  conversation: (call) =>
    Array.from({ length: 1 + 2 * (call % 30) }, (_, i) => ({
      role: i % 2 === 0 ? "user" : "assistant",
      content: `${Math.floor(call / 30)} ${i} ${"some words of a message. ".repeat(30)}`,
    })),
};
const ROUNDS = 3;
/** Calls in all where the load is paced: what a proxy adds is then not time in a queue. */
const PACED_PER_SECOND = 100;
/** Of each way in each round. */
const ROUND_MS = 2000;
/** LiteLLM does not start without one. */
const KEY = `sk-${randomBytes(16).toString("hex")}`;
const LITELLM = process.env.TRACEMILL_BENCH_LITELLM ?? join(PACKAGE_FOLDER, ".venv-bench/bin/litellm");

/** Of all loads together, so that no text of one comes in another. */
let asked = 0;

type Way = "direct" | "kernel" | "fsync" | "litellm";

interface Measured {
  latenciesMs: number[];
  seconds: number;
}

export async function benchProxy(): Promise<BenchRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "tracemill-bench-proxy-"));
  const processes: ChildProcess[] = [];
  try {
    const urls = await startWays(scratch, processes);
    const rows: BenchRow[] = [];
    for (const prompt of Object.keys(PROMPTS)) {
      for (const clients of CLIENTS) {
        rows.push(...(await cell(urls, { prompt, clients, isPaced: true })));
        rows.push(...(await cell(urls, { prompt, clients, isPaced: false })));
      }
    }
    return rows;
  } finally {
    for (const child of processes) child.kill("SIGTERM");
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Shape {
  /** One of `PROMPTS`. */
  prompt: string;
  clients: number;
  /** Whether calls come at a fixed rate, or each client asks as soon as it has its answer. */
  isPaced: boolean;
}

async function cell(urls: Map<Way, string>, shape: Shape): Promise<BenchRow[]> {
  const measured = new Map<Way, Measured>([...urls.keys()].map((way) => [way, { latenciesMs: [], seconds: 0 }]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [way, url] of urls) {
      const one = await load(url, shape);
      if (round === 0) continue; // warms up
      measured.get(way)?.latenciesMs.push(...one.latenciesMs);
      (measured.get(way) as Measured).seconds += one.seconds;
    }
  }
  const added = (way: Way, fraction: number) => {
    const of = measured.get(way);
    const direct = measured.get("direct") as Measured;
    return of === undefined ? null : quantile(of.latenciesMs, fraction) - quantile(direct.latenciesMs, fraction);
  };
  const rate = (way: Way) => {
    const of = measured.get(way);
    return of === undefined ? null : of.latenciesMs.length / of.seconds;
  };
  const name = `${shape.prompt}, ${shape.clients} clients${shape.isPaced ? `, ${PACED_PER_SECOND} calls/s in all` : ""}`;
  const row = (what: string, unit: string, [ours, peer]: [number | null, number | null]): BenchRow => {
    const ratio = ours === null || peer === null ? null : ours / peer;
    return { name: `proxy ${what}, ${name}`, ours: ours as number, peer, ratio, unit };
  };
  const added50 = row("added p50 (peer: LiteLLM)", "ms", [added("kernel", 0.5), added("litellm", 0.5)]);
  const added99 = row("added p99 (peer: LiteLLM)", "ms", [added("kernel", 0.99), added("litellm", 0.99)]);
  const synced = row("added p50, fsync (peer: kernel)", "ms", [added("fsync", 0.5), added("kernel", 0.5)]);
  if (shape.isPaced) return [added50, added99, synced];
  return [
    added50,
    added99,
    synced,
    row("calls (peer: LiteLLM)", "calls/s", [rate("kernel"), rate("litellm")]),
    row("calls (peer: direct)", "calls/s", [rate("kernel"), rate("direct")]),
  ];
}

/** Keeps so many calls going for a while. */
async function load(url: string, { prompt, clients, isPaced }: Shape): Promise<Measured> {
  const agent = new Agent({ connections: clients, pipelining: 1 });
  const latenciesMs: number[] = [];
  const startMs = performance.now();
  const ask = async (_: unknown, client: number) => {
    const everyMs = (1000 * clients) / PACED_PER_SECOND;
    for (let turn = client / clients; performance.now() - startMs < ROUND_MS; turn++) {
      const waitMs = startMs + turn * everyMs - performance.now();
      if (isPaced && waitMs > 0) await sleep(waitMs);
      const body = JSON.stringify({ model: "m", messages: PROMPTS[prompt]?.(asked++) });
      const beganMs = performance.now();
      const headers = { "content-type": "application/json", authorization: `Bearer ${KEY}` };
      const answer = await request(`${url}/chat/completions`, { method: "POST", headers, body, dispatcher: agent });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
      latenciesMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, ask));
  await agent.close();
  return { latenciesMs, seconds: (performance.now() - startMs) / 1000 };
}

async function startWays(scratch: string, processes: ChildProcess[]): Promise<Map<Way, string>> {
  const stub = start([process.execPath, join(import.meta.dirname, "processes/stub-upstream.ts")], processes);
  const upstream = `http://127.0.0.1:${Number(await firstLine(stub))}/v1`;
  const urls = new Map<Way, string>([["direct", upstream]]);
  for (const durability of ["kernel", "fsync"] as const) {
    const words = ["record", "--upstream", upstream, "--skill", "bench", "--port", "0", "--json"];
    const place = ["--durability", durability, "--home", join(scratch, durability)];
    const proxy = start([process.execPath, join(PACKAGE_FOLDER, "bin/tracemill.js"), ...words, ...place], processes);
    urls.set(durability, JSON.parse(await firstLine(proxy)).url);
  }
  if (existsSync(LITELLM)) urls.set("litellm", await startLiteLlm(upstream, { scratch, processes }));
  else console.error(`no LiteLLM at ${LITELLM}: make bench-peers installs it`);
  return urls;
}

async function startLiteLlm(
  upstream: string,
  { scratch, processes }: { scratch: string; processes: ChildProcess[] },
): Promise<string> {
  const config = join(scratch, "litellm.yaml");
  const model = `{ model: openai/m, api_base: "${upstream}", api_key: none }`;
  await writeFile(config, `model_list:\n  - model_name: m\n    litellm_params: ${model}\n`);
  const port = await freePort();
  const words = [
    "--config",
    config,
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--num_workers",
    "1",
    "--telemetry",
    "False",
  ];
  start([LITELLM, ...words], processes, {
    ...{ LITELLM_LOCAL_MODEL_COST_MAP: "True", LITELLM_LOG: "ERROR", LITELLM_MASTER_KEY: KEY },
  });
  const url = `http://127.0.0.1:${port}/v1`;
  for (let waits = 0; waits < 120; waits++) {
    const answer = await fetch(`${url}/models`, { headers: { authorization: `Bearer ${KEY}` } }).catch(() => null);
    if (answer?.ok) return url;
    await sleep(1000);
  }
  throw new Error("LiteLLM did not start within two minutes");
}

function start(command: string[], processes: ChildProcess[], env: Record<string, string> = {}): ChildProcess {
  const [program = "", ...words] = command;
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, ...env } });
  processes.push(child);
  return child;
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  let said = "";
  stdout?.setEncoding("utf8");
  while (!said.includes("\n")) {
    await new Promise((resolve) => stdout?.once("readable", resolve));
    said += stdout?.read() ?? "";
  }
  stdout?.resume();
  return said.split("\n", 1)[0] as string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function quantile(values: number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? Number.NaN;
}
