/**
 * Whether vLLM, llama.cpp in this process and the trainer's own transformers give the same answers: greedy ones to prompts of
 * the skill `sql`, by SmolLM2 and by the adapter that a quick demo trains on it. Told are the share of equal answers, and how
 * far the log-probability of a chosen token lies from the trainer's, as far as the two answers say the same.
 */
import { resolve } from "node:path";
import pLimit from "p-limit";
import { z } from "zod";
import type { Hash } from "../src/foundation/hashing.ts";
import { meanOf } from "../src/foundation/sums.ts";
import type { BaseManifest } from "../src/records/base-manifest.ts";
import { loadRenderer, type Renderer } from "../src/render/renderer.ts";
import { startServer } from "../src/serve/index.ts";
import { loadSkill } from "../src/skills/load.ts";
import { scanItems } from "../src/skills/scan.ts";
import type { Home } from "../src/store/home.ts";
import { python } from "../src/train/python.ts";
import type { BenchRow } from "./bench-row.ts";
import { quickRound } from "./homes/quick-round.ts";

const PROMPTS = Number(process.env.TRACEMILL_BENCH_PROMPTS ?? 100);
const NEW_TOKENS = 24;
const AT_ONCE = 8;
/** Of the trainer: one token at a time leaves little to share, and on a busy machine two would wait for each other. */
const THREADS = 1;
const CONTEXT_TOKENS = 2048;

/** Tokens as texts, each with its log-probability in nats. */
interface Answer {
  tokens: { text: string; logprob: number }[];
}

interface Setting {
  home: Home;
  base: BaseManifest;
  /** Its hash, by which it is served, too. */
  adapter: Hash;
  renderer: Renderer;
  prompts: number[][];
}

export async function benchAgreement(): Promise<BenchRow[]> {
  const round = await quickRound();
  const { home, base } = round;
  const { adapterHash: adapter } = await round.adapter();
  const renderer = await loadRenderer(home, base);
  const setting = { home, base, adapter, renderer, prompts: await sqlPrompts(renderer) };
  const trainer = await byTrainer(setting);
  const llamacpp = await byTarget("llamacpp", setting);
  const vllm = await byTarget("vllm", setting);
  return [base.name, adapter].flatMap((model) => {
    const of = (answers: Map<string, Answer[]>) => answers.get(model) ?? [];
    const title = model === adapter ? "the demo's adapter" : model;
    return [
      ...rows(`llamacpp against the trainer, ${title}`, of(llamacpp), of(trainer)),
      ...rows(`vllm against the trainer, ${title}`, of(vllm), of(trainer)),
      ...rows(`vllm against llamacpp, ${title}`, of(vllm), of(llamacpp)),
    ];
  });
}

async function sqlPrompts(renderer: Renderer): Promise<number[][]> {
  const skill = await loadSkill("sql");
  try {
    const items = await scanItems(skill, { seed: 1, split: "test", limit: PROMPTS });
    return items.map((item) => renderer.prompt(skill.prompt(item), null).ids);
  } finally {
    await skill.close();
  }
}

const answersSchema = z.object({
  answers: z.array(z.object({ ids: z.array(z.int()), logprobs: z.array(z.number()) })),
});

async function byTrainer({ home, base, adapter, renderer, prompts }: Setting): Promise<Map<string, Answer[]>> {
  const hf = resolve(home.baseFolder(base.name), base.hfFolder);
  const runner = await python();
  const found = new Map<string, Answer[]>();
  for (const [model, folder] of [
    [base.name, null],
    [adapter, resolve(home.adapterFolder(adapter))],
  ] as const) {
    const asked = { prompts, maxTokens: NEW_TOKENS, stopIds: renderer.stopIds, threads: THREADS };
    const { answers } = await runner.run(
      "answers",
      { base: hf, adapter: folder, ...asked },
      {
        result: z.looseObject(answersSchema.shape),
        onEvent: (event) => event.type === "progress" && process.stderr.write(`${event.stage}\n`),
      },
    );
    const told = answers.map(({ ids, logprobs }) => ({
      tokens: ids
        .map((id, i) => ({ id, text: renderer.decode([id]), logprob: logprobs[i] ?? Number.NaN }))
        .filter(({ id }) => !renderer.stopIds.includes(id)),
    }));
    found.set(model, told);
  }
  return found;
}

const completionSchema = z.looseObject({
  choices: z
    .array(
      z.looseObject({ logprobs: z.looseObject({ tokens: z.array(z.string()), token_logprobs: z.array(z.number()) }) }),
    )
    .min(1),
});

async function byTarget(
  target: string,
  { home, base, adapter, renderer, prompts }: Setting,
): Promise<Map<string, Answer[]>> {
  const stopTexts = new Set(renderer.stopIds.map((id) => renderer.decode([id])));
  const server = await startServer({
    ...{ home, base: base.name, adapters: [adapter], target, parallel: AT_ONCE, contextTokens: CONTEXT_TOKENS },
  });
  const limit = pLimit(AT_ONCE);
  try {
    const found = new Map<string, Answer[]>();
    for (const model of [base.name, adapter]) {
      const answers = prompts.map((prompt) =>
        limit(async () => {
          const body = { model, prompt, temperature: 0, max_tokens: NEW_TOKENS, logprobs: 1 };
          const response = await fetch(`${server.url}/completions`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
          });
          const { choices } = completionSchema.parse(await response.json());
          const { tokens = [], token_logprobs = [] } = choices[0]?.logprobs ?? {};
          const told = tokens.map((text, i) => ({ text, logprob: token_logprobs[i] ?? Number.NaN }));
          return { tokens: told.filter(({ text }) => !stopTexts.has(text)) };
        }),
      );
      found.set(model, await Promise.all(answers));
    }
    return found;
  } finally {
    await server.close();
  }
}

function rows(name: string, ours: readonly Answer[], peers: readonly Answer[]): BenchRow[] {
  const isEqual = ours.map((answer, i) => textOf(answer) === textOf(peers[i]));
  const differences = ours.flatMap(({ tokens }, i) => {
    const others = peers[i]?.tokens ?? [];
    const parted = tokens.findIndex(({ text }, j) => text !== others[j]?.text);
    const same = parted < 0 ? tokens : tokens.slice(0, parted);
    return same.map(({ logprob }, j) => Math.abs(logprob - (others[j]?.logprob ?? 0)));
  });
  const alone = { peer: null, ratio: null };
  return [
    { name: `${name}: equal answers`, ours: isEqual.filter(Boolean).length / ours.length, ...alone, unit: "fraction" },
    { name: `${name}: largest difference`, ours: Math.max(...differences), ...alone, unit: "nats" },
    {
      name: `${name}: mean difference over ${differences.length} tokens`,
      ours: meanOf(differences),
      ...{ ...alone, unit: "nats" },
    },
  ];
}

function textOf(answer: Answer | undefined): string {
  return (answer?.tokens ?? []).map(({ text }) => text).join("");
}
