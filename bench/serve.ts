/**
 * Tokens a second over HTTP against node-llama-cpp called directly, with the same model, prompts, greedy sampling,
 * number of sequences, threads and reuse of what a sequence holds. Both answer the same list in turns, so that what
 * else the machine does falls on both.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { getLlama, type LlamaContext, LlamaLogLevel, type Token } from "node-llama-cpp";
import { z } from "zod";
import { systemClock } from "../src/foundation/clock.ts";
import { sumOf } from "../src/foundation/sums.ts";
import type { BaseManifest } from "../src/records/base-manifest.ts";
import { loadRenderer } from "../src/render/renderer.ts";
import { freeCores } from "../src/serve/free-cores.ts";
import { addBase, startServer } from "../src/serve/index.ts";
import { type Home, homeAt } from "../src/store/home.ts";
import { listBases } from "../src/store/manifests.ts";
import { python } from "../src/train/python.ts";
import type { BenchRow } from "./bench-row.ts";

const PARALLEL = 16;
const PROMPTS = 48;
const NEW_TOKENS = 48;
const ROUNDS = 3;
const CONTEXT_TOKENS = 1024;

interface Answers {
  texts: string[];
  tokensPerSecond: number;
}

export async function benchServe(): Promise<BenchRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "tracemill-bench-serve-"));
  try {
    const { home, base } = await smollm2(scratch);
    const renderer = await loadRenderer(home, base);
    const threads = await freeCores();
    const conversations = Array.from({ length: PROMPTS }, (_, i) => conversation(i));
    const prompts = conversations.map((messages) => renderer.prompt(messages, null).ids);
    const server = await startServer({
      ...{ home, base: base.name, adapters: [], parallel: PARALLEL, threads, contextTokens: CONTEXT_TOKENS },
    });
    const llama = await getLlama({ build: "never", gpu: false, maxThreads: threads, logLevel: LlamaLogLevel.error });
    const model = await llama.loadModel({ modelPath: resolve(home.baseFolder(base.name), base.gguf ?? "") });
    const context = await model.createContext({
      sequences: PARALLEL,
      contextSize: CONTEXT_TOKENS,
      flashAttention: true,
    });
    const decode = (ids: number[]) => renderer.decode(ids, { skipSpecial: true });
    const direct = await directAnswers(context, renderer.stopIds, decode);

    const rates: Record<"whole" | "streamed" | "direct", number[]> = { whole: [], streamed: [], direct: [] };
    for (let round = 0; round < ROUNDS; round++) {
      rates.whole.push((await served(server.url, base.name, { conversations, isStream: false })).tokensPerSecond);
      rates.direct.push((await direct(prompts)).tokensPerSecond);
      rates.streamed.push((await served(server.url, base.name, { conversations, isStream: true })).tokensPerSecond);
    }
    await server.close();
    await llama.dispose();
    const shape = `${PARALLEL} at once, ${threads} threads`;
    return [
      row(`served answers, ${shape}`, rates.whole, rates.direct),
      row(`streamed answers, ${shape}`, rates.streamed, rates.direct),
    ];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The first round warms both up. */
function row(name: string, ours: number[], peers: number[]): BenchRow {
  const mean = (rates: number[]) => sumOf(rates.slice(1)) / (rates.length - 1);
  return { name, ours: mean(ours), peer: mean(peers), ratio: mean(ours) / mean(peers), unit: "tokens/s" };
}

function conversation(i: number) {
  const columns = ["id INTEGER", "name VARCHAR", "city VARCHAR", "price DOUBLE", "sold_on DATE"].slice(0, 2 + (i % 4));
  return [
    { role: "system" as const, content: "You write one SQL query for DuckDB. Answer with the query only." },
    {
      role: "user" as const,
      content: `CREATE TABLE t${i % 7} (${columns.join(", ")});\nExplain step by step which rows have an id above ${i * 3}.`,
    },
  ];
}

async function served(
  url: string,
  model: string,
  { conversations, isStream }: { conversations: ReturnType<typeof conversation>[]; isStream: boolean },
): Promise<Answers> {
  const started = performance.now();
  const answers = await Promise.all(
    conversations.map(async (messages) => {
      const body = { model, messages, temperature: 0, max_tokens: NEW_TOKENS, stream: isStream };
      const withUsage = isStream ? { ...body, stream_options: { include_usage: true } } : body;
      const response = await fetch(`${url}/chat/completions`, { method: "POST", body: JSON.stringify(withUsage) });
      const text = await response.text();
      return isStream ? fromEvents(text) : wholeSchema.parse(JSON.parse(text));
    }),
  );
  const tokens = sumOf(answers, ({ usage }) => usage.completion_tokens);
  return {
    texts: answers.map(({ choices }) => choices[0]?.message?.content ?? ""),
    tokensPerSecond: tokens / ((performance.now() - started) / 1000),
  };
}

const usageSchema = z.object({ completion_tokens: z.int() });
const wholeSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }).optional() })),
  usage: usageSchema,
});

function fromEvents(text: string): z.infer<typeof wholeSchema> {
  const events = text.split("\n\n").map((event) => event.replace(/^data: /, ""));
  const last = events.findLast((event) => event.includes('"usage"')) ?? "";
  return wholeSchema.parse(JSON.parse(last));
}

async function directAnswers(context: LlamaContext, stopIds: number[], decode: (ids: number[]) => string) {
  const sequences = Array.from({ length: PARALLEL }, () => context.getSequence());
  return async (prompts: number[][]): Promise<Answers> => {
    const started = performance.now();
    const queue = [...prompts.entries()];
    const texts: string[] = [];
    let tokens = 0;
    await Promise.all(
      sequences.map(async (sequence) => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const [index, prompt] = next;
          await sequence.adaptStateToTokens(prompt.slice(0, -1) as Token[], false);
          const rest = prompt.slice(sequence.nextTokenIndex) as Token[];
          const ids: number[] = [];
          for await (const id of sequence.evaluate(rest, { temperature: 0, yieldEogToken: true })) {
            tokens++;
            if (stopIds.includes(id)) break;
            ids.push(id);
            if (ids.length === NEW_TOKENS) break;
          }
          texts[index] = decode(ids);
        }
      }),
    );
    return { texts, tokensPerSecond: tokens / ((performance.now() - started) / 1000) };
  };
}

/** The base of the home at hand where it is there, else one that is made for this. */
async function smollm2(scratch: string): Promise<{ home: Home; base: BaseManifest }> {
  const home = homeAt(process.env.TRACEMILL_HOME ?? ".tracemill");
  const known = (await listBases(home)).find(({ name }) => name === "smollm2");
  if (known !== undefined) return { home, base: known };
  const own = homeAt(scratch);
  const runner = await python();
  const result = z.looseObject({ hf: z.string() });
  const base = await addBase(own, {
    name: "smollm2",
    clock: systemClock,
    convert: async (request) => void (await runner.run("base", request, { result })),
  });
  return { home: own, base };
}
