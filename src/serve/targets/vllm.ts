/**
 * vLLM: a server of its own, the base beside its adapters, which answers by itself. It is started here, on loopback,
 * or, where `TRACEMILL_VLLM` is a URL, one that runs already is used and left running. Candidates are loaded while it runs,
 * under names that are never used again, into a server that is not ours all adapters.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Failure, Refusal } from "../../foundation/errors.ts";
import { executableNamed } from "../../foundation/executable.ts";
import { PACKAGE_FOLDER } from "../../foundation/package-folder.ts";
import { isAddress, originOf } from "../origin-of.ts";
import { removeServerLog } from "../server-log.ts";
import { freePort, type ServerProcess, startServerProcess } from "../server-process.ts";
import type { ModelServer, ModelServerOptions, PeftAdapter, TargetKind } from "../target.ts";
import { isOnGpu } from "../vllm-build.ts";
import { mostLoaded, VLLM_HOST, vllmEnvironment, vllmFlags } from "../vllm-flags.ts";

const NAMED_BY = "TRACEMILL_VLLM";
/** The checkout's own, for machines without a GPU; half of one is none. */
const OWN = join(PACKAGE_FOLDER, ".venv-vllm");
const LOAD_TIMEOUT_MS = 120_000;

const modelsSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string(), root: z.string().nullish() })) });

/**
 * Measured with SmolLM2-135M in bf16 on a processor against the trainer's float32 (docs/log.md): bf16 alone puts the base
 * further from the trainer than f16 does, so the noise factor does most of the work.
 */
const vllm: TargetKind = {
  tolerance: { base: 0.25, noiseFactor: 3, effectFraction: 0.05 },
  scoresAtOnce: 1, // see scoresAlone; of a server that runs already it is not known what it runs on
  isAttached: () => isAddress(process.env[NAMED_BY]),
  serve,
};

export default vllm;

async function serve(options: ModelServerOptions): Promise<ModelServer> {
  const named = process.env[NAMED_BY];
  const { origin, own } = isAddress(named) ? { origin: originOf(named), own: null } : await started(options, named);
  const loaded = new Set(own === null ? [] : options.adapters.map(({ id }) => id));

  async function load({ id, folder }: PeftAdapter): Promise<void> {
    // A process of ours that was killed leaves its adapters on a server that is not ours.
    if (own === null && (await isLoaded(origin, { id, folder }))) return;
    const most = own === null ? Number.POSITIVE_INFINITY : mostLoaded(options, own.isOnGpu);
    if (loaded.size >= most) throw noPlace(id, most);
    await ask(`${origin}/v1/load_lora_adapter`, { lora_name: id, lora_path: folder }, own);
    loaded.add(id);
  }

  async function unload(id: string): Promise<void> {
    await ask(`${origin}/v1/unload_lora_adapter`, { lora_name: id }, own);
    loaded.delete(id);
  }

  if (own === null && options.args.length > 0) throw argsOfAttached(origin);
  // A server that runs already has none of ours yet.
  try {
    if (own === null) for (const adapter of options.adapters) await load(adapter);
  } catch (error) {
    for (const id of [...loaded]) await unload(id).catch(() => {});
    throw error;
  }
  return {
    origin,
    pid: own?.pid ?? null,
    ended: () => (own === null ? null : whyEnded(own)),
    // On processors its generator takes no seed of a request, and the engine dies of one; of another's nothing is known.
    takesSeed: own?.isOnGpu ?? false,
    // While adapters are served its engine for processors (0.32) dies of a prompt that is scored beside anything else.
    scoresAlone: own?.isOnGpu === false,
    load,
    unload,
    async close() {
      if (own !== null) {
        await own.stop();
        removeServerLog(options.logFile); // of one that ended as it should nobody asks what it said
      } else for (const id of [...loaded]) await unload(id);
    },
  };
}

/** A server that was started here. */
type OwnServer = ServerProcess & { isOnGpu: boolean };

async function started(
  options: ModelServerOptions,
  named: string | undefined,
): Promise<{ origin: string; own: OwnServer }> {
  const { logFile, startTimeoutMs: timeoutMs, onStage } = options;
  const executable = executableNamed(named, {
    name: "vllm",
    besides: existsSync(join(OWN, ".installed")) ? [join(OWN, "bin", "vllm")] : [],
  });
  if (executable === null) throw noVllm(named);
  const place = { port: await freePort(), isOnGpu: isOnGpu(executable) };
  const origin = `http://${VLLM_HOST}:${place.port}`;
  onStage?.(`starting vLLM; it says in ${logFile} what it does`);
  const own = await startServerProcess({
    ...{ title: "vLLM", executable, args: vllmFlags(options, place), logFile },
    env: vllmEnvironment(place.isOnGpu),
    ...{ healthUrl: `${origin}/health`, timeoutMs },
    ...(options.signal !== undefined && { signal: options.signal }),
    ...(onStage !== undefined && { onStage }),
  });
  return { origin, own: { ...own, isOnGpu: place.isOnGpu } };
}

/** Whether a server has this very adapter: its folder is named by its hash. */
async function isLoaded(origin: string, { id, folder }: PeftAdapter): Promise<boolean> {
  const response = await fetch(`${origin}/v1/models`, { signal: AbortSignal.timeout(LOAD_TIMEOUT_MS) }).catch(
    () => null,
  );
  const listed = modelsSchema.safeParse(await response?.json().catch(() => null));
  return listed.success && listed.data.data.some((model) => model.id === id && model.root === folder);
}

/** Throws: `RANK_TOO_HIGH`; failures of the boundary `endpoint`: `ADAPTER_NOT_LOADED`, `SERVER_DIED`. */
async function ask(url: string, body: object, own: ServerProcess | null): Promise<void> {
  const fail = (code: string, message: string, cause?: unknown) =>
    new Failure({ boundary: "endpoint", code, message: `${url}: ${message}`, cause });
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(LOAD_TIMEOUT_MS),
  }).catch((cause: Error) => {
    const why = own === null ? null : whyEnded(own);
    if (why === null) throw fail("ENDPOINT_UNREACHABLE", cause.message, cause);
    throw fail("SERVER_DIED", why, cause);
  });
  const text = await response.text();
  if (!response.ok) refuseRank(text);
  if (!response.ok) throw fail("ADAPTER_NOT_LOADED", `status ${response.status}: ${text.slice(0, 500)}`);
}

function whyEnded(own: ServerProcess): string | null {
  const why = own.ended();
  return why === null ? null : `vLLM ${why}. Its last lines:\n${own.lastLines()}`;
}

/** vLLM says both ranks. Throws: `RANK_TOO_HIGH`. */
function refuseRank(said: string): void {
  const [, rank, most] = /rank (\d+) is greater than max_lora_rank[^\d]{0,20}(\d+)/i.exec(said) ?? [];
  if (rank === undefined) return;
  throw new Refusal({
    code: "RANK_TOO_HIGH",
    message: "The adapter has a higher rank than the running vLLM was started for.",
    expected: `a rank of at most ${most}`,
    got: `rank ${rank}`,
    fix: `start vLLM again with --max-lora-rank ${rank}, or let tracemill start it`,
  });
}

function noPlace(id: string, most: number): Failure {
  const message = `${id}: vLLM has ${most} adapters, and no place for one more.`;
  return new Failure({ boundary: "endpoint", code: "ADAPTER_NOT_LOADED", message });
}

function argsOfAttached(origin: string): Refusal {
  return new Refusal({
    code: "NO_SERVER_ARGS",
    message: "A vLLM that runs already takes no arguments any more.",
    expected: `--server-args where ${NAMED_BY} names a program, or nothing`,
    got: `the server at ${origin}`,
    fix: "start that server with them, or leave --server-args out",
  });
}

function noVllm(named: string | undefined): Refusal {
  return new Refusal({
    code: "NO_VLLM",
    message: "vLLM is not there.",
    expected: `vllm on the PATH, or its path or URL in ${NAMED_BY}`,
    got: named === undefined || named === "" ? "none" : named,
    fix: "pip install vllm in an environment on the PATH; on a machine without a GPU: make vllm (in a checkout)",
  });
}
