/**
 * Whether a comparison keeps its endpoint busy: tokens a second while two arms attempt items side by side, against the very requests
 * that they made, sent to a fresh server of the same kind as fast as it takes them. What a comparison does besides - prompts, actions,
 * verdicts, the log - is the difference.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { z } from "zod";
import { runArms } from "../src/commands/validate-arms.ts";
import { draftOf, openParts } from "../src/commands/validate-draft.ts";
import { validateInput } from "../src/commands/validate-input.ts";
import { openSession } from "../src/commands/validate-session.ts";
import { systemClock } from "../src/foundation/clock.ts";
import { meanOf, sumOf } from "../src/foundation/sums.ts";
import type { BaseManifest } from "../src/records/base-manifest.ts";
import type { RecordedMessage } from "../src/records/message.ts";
import { loadRenderer } from "../src/render/renderer.ts";
import { addBase, startServer } from "../src/serve/index.ts";
import { type Home, homeAt } from "../src/store/home.ts";
import { readRunLog } from "../src/store/runs.ts";
import { readGate, writePlan } from "../src/validate/index.ts";
import { smollm2Base } from "../test/fixtures/smollm2-base.ts";
import type { BenchRow } from "./bench-row.ts";

const ITEMS = 32;
const AT_ONCE = 16;
const ROUNDS = 2;

export async function benchValidate(): Promise<BenchRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "tracemill-bench-validate-"));
  const home = homeAt(scratch);
  try {
    const { hf, gguf } = await smollm2Base();
    const base = await addBase(home, { name: "smollm2", hf, gguf, convert: async () => {}, clock: systemClock });
    const rates = { arms: [] as number[], plain: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      const { rate, requests } = await compared(home, base, round + 1);
      rates.arms.push(rate);
      rates.plain.push(await plain(home, base, requests));
    }
    const [ours, peer] = [meanOf(rates.arms), meanOf(rates.plain)];
    const name = `two arms side by side, ${ITEMS} items of sql, ${AT_ONCE} at once, ${ROUNDS} rounds`;
    return [{ name, ours, peer, ratio: ours / peer, unit: "tokens/s" }];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type Request = Record<string, unknown>;

async function serve(home: Home, base: BaseManifest) {
  return startServer({ home, base: base.name, adapters: [], parallel: AT_ONCE });
}

async function compared(home: Home, base: BaseManifest, seed: number): Promise<{ rate: number; requests: Request[] }> {
  const options = validateInput.parse({
    skill: "sql",
    base: base.name,
    aa: true,
    limit: ITEMS,
    concurrency: AT_ONCE,
    seed,
  });
  const context = { home, clock: systemClock, stdout: process.stdout, stderr: process.stderr, isJson: false };
  const parts = await openParts(options);
  const draft = await draftOf(options, home, { parts, base, adapter: null, gate: await readGate(home), general: [] });
  const plan = await writePlan(home, draft, systemClock);
  const session = await openSession(home, plan, systemClock);
  const server = await serve(home, base);
  const renderer = await loadRenderer(home, base);
  const { url, contextTokens, takesSeed } = server;
  const countTokens = (text: string) => renderer.encode(text).length;
  const endpoint = { url, model: base.name, name: base.name, baseHash: base.baseHash, adapterHash: null };
  const endpointOf = () => ({ ...endpoint, contextTokens, takesSeed, countTokens });
  try {
    const started = performance.now();
    const runs = await runArms(
      plan,
      { parts, endpointOf, options, session, onPartEnd: async () => {} },
      { ...context, signal: new AbortController().signal },
    );
    const seconds = (performance.now() - started) / 1000;
    const [first = [], second = []] = await Promise.all(runs.map(({ run }) => requestsOf(home, run)));
    const asked = first.flatMap((one, index) => [one, ...second.slice(index, index + 1)]); // as they came: in turn
    const tokens = sumOf(asked, (one) => one.tokens);
    return { rate: tokens / seconds, requests: asked.map(({ request }) => request) };
  } finally {
    session.close();
    await server.close();
    await Promise.all(parts.map(({ skill }) => skill.close()));
  }
}

/** What the arms asked, as they asked it, with the tokens that they got. */
async function requestsOf(home: Home, run: Parameters<typeof readRunLog>[1]) {
  const messages = new Map<string, RecordedMessage>();
  const asked: { request: Request; tokens: number }[] = [];
  for await (const event of readRunLog(home, run)) {
    if (event.type === "message") messages.set(event.data.hash, event.data.message);
    if (event.type !== "turn") continue;
    const { request, messages: hashes, usage } = event.data;
    const prompt = hashes.map((hash) => messages.get(hash));
    asked.push({ request: { ...request, messages: prompt }, tokens: usage?.completionTokens ?? 0 });
  }
  return asked;
}

async function plain(home: Home, base: BaseManifest, requests: readonly Request[]): Promise<number> {
  const server = await serve(home, base);
  const limit = pLimit(AT_ONCE);
  try {
    const started = performance.now();
    const tokens = await Promise.all(requests.map((request) => limit(() => ask(server.url, request))));
    return sumOf(tokens) / ((performance.now() - started) / 1000);
  } finally {
    await server.close();
  }
}

const answerSchema = z.object({ usage: z.object({ completion_tokens: z.int() }) });

async function ask(url: string, request: Request): Promise<number> {
  const response = await fetch(`${url}/chat/completions`, { method: "POST", body: JSON.stringify(request) });
  return answerSchema.parse(await response.json()).usage.completion_tokens;
}
