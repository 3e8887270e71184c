/**
 * What `vllm serve` is started with, from a base and its adapters. Pure: flags and environment, no process.
 * Source: vLLM 0.32, docs/features/lora.md, docs/usage/security.md and `vllm/config/lora.py`.
 */
import { Refusal } from "../foundation/errors.ts";
import type { ModelServerOptions } from "./target.ts";

/** The ranks that vLLM makes room for. */
const RANKS = [1, 8, 16, 32, 64, 128, 256, 320, 512];
/** Room for one candidate beside the adapters that are served from the start. */
const CANDIDATES = 1;

/** Where whoever reaches it may load adapters, only this machine can; clients ask our front. */
export const VLLM_HOST = "127.0.0.1";

/** What is said here, or would make the server another one than the registry's. */
const OWN_FLAGS = [
  ...["--model", "--served-model-name", "--host", "--port", "--uds", "--root-path", "--api-key", "--config"],
  ...["--max-model-len", "--max-num-seqs", "--enable-lora", "--max-lora-rank", "--max-loras", "--lora-modules"],
  ...[
    "--ssl-keyfile",
    "--ssl-certfile",
    "--headless",
    "--tokenizer",
    "--chat-template",
    "--disable-frontend-multiprocessing",
  ],
];

/**
 * On processors vLLM 0.32 answers a base's request that shares a batch with an adapter's by whatever fills the last place: its
 * "no adapter" is the index -1 of a tensor (`lora/ops/torch_ops/lora_ops.py`). So that place has to stay empty, and there are more.
 */
const SPARE_ON_PROCESSOR = 4;

/** How many adapters may be loaded at once so that answers stay right. */
export function mostLoaded({ rooms }: Pick<ModelServerOptions, "rooms">, isOnGpu: boolean): number {
  return isOnGpu ? Number.POSITIVE_INFINITY : rooms.adapters + SPARE_ON_PROCESSOR;
}

/** Parsers of tool calls and of thoughts, by a base's architecture. */
const PARSERS: Record<string, string[]> = {
  gemma4: ["--enable-auto-tool-choice", "--tool-call-parser", "gemma4", "--reasoning-parser", "gemma4"],
  qwen3: ["--enable-auto-tool-choice", "--tool-call-parser", "hermes", "--reasoning-parser", "qwen3"],
  mistral: ["--enable-auto-tool-choice", "--tool-call-parser", "mistral"],
};

export interface VllmPlace {
  port: number;
  isOnGpu: boolean;
}

/** Returns the arguments behind `vllm`. Throws: `RANK_TOO_HIGH`, `FLAG_NOT_YOURS`. */
export function vllmFlags(options: ModelServerOptions, { port, isOnGpu }: VllmPlace): string[] {
  const { base, baseFolder, adapters, contextTokens, parallel, rooms, args } = options;
  refuseOwnFlags(args);
  const places = isOnGpu ? rooms.adapters + CANDIDATES : mostLoaded(options, isOnGpu) + 1;
  const [family = ""] = base.architecture.split("_");
  return [
    ...["serve", baseFolder, "--served-model-name", base.name, "--host", VLLM_HOST, "--port", `${port}`],
    ...["--max-model-len", `${contextTokens}`, "--max-num-seqs", `${parallel}`],
    ...["--enable-lora", "--max-lora-rank", `${roomFor(rooms.rank)}`, "--max-loras", `${places}`],
    ...(adapters.length > 0
      ? ["--lora-modules", ...adapters.map(({ id, folder }) => loraModule({ name: id, path: folder, base: base.name }))]
      : []),
    ...(PARSERS[family] ?? []),
    ...(isOnGpu ? [] : ["--enforce-eager"]), // compiling takes minutes on a processor and gains little there
    ...args,
  ];
}

/** Returns the environment: nothing is fetched or reported, and adapters may be loaded while it runs. */
export function vllmEnvironment(isOnGpu: boolean): Record<string, string> {
  return {
    ...{ HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1", VLLM_NO_USAGE_STATS: "1", DO_NOT_TRACK: "1" },
    VLLM_ALLOW_RUNTIME_LORA_UPDATING: "True",
    ...(!isOnGpu && { VLLM_CPU_KVCACHE_SPACE: process.env.VLLM_CPU_KVCACHE_SPACE ?? "2" }), // GiB
  };
}

function loraModule({ name, path, base }: { name: string; path: string; base: string }): string {
  return JSON.stringify({ name, path, base_model_name: base });
}

function roomFor(rank: number): number {
  const room = RANKS.find((one) => one >= rank);
  if (room !== undefined) return room;
  throw new Refusal({
    code: "RANK_TOO_HIGH",
    message: "vLLM has no room for an adapter of this rank.",
    expected: `a rank of at most ${RANKS.at(-1)}`,
    got: `${rank}`,
    fix: "train with a lower --rank",
  });
}

/** vLLM takes `_` for `-` in a flag, and the beginning of one for the whole. Throws: `FLAG_NOT_YOURS`. */
function refuseOwnFlags(args: readonly string[]): void {
  for (const arg of args) {
    const flag = (arg.split("=")[0] ?? "").replaceAll("_", "-");
    const own = flag.startsWith("--") && flag.length > 2 ? OWN_FLAGS.find((one) => one.startsWith(flag)) : undefined;
    if (own === undefined) continue;
    throw new Refusal({
      code: "FLAG_NOT_YOURS",
      message: `tracemill itself tells vLLM its ${own}.`,
      expected: "other arguments of vllm serve, such as --tensor-parallel-size or --quantization",
      got: arg,
      where: "--server-args",
      fix: "leave it out; --context-tokens, --parallel of serve and the adapters' own ranks decide these",
    });
  }
}
