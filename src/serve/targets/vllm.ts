/**
 * vLLM: a server of its own, the base beside its adapters, which answers by itself. It is started here, on loopback,
 * or, where `TRACEMILL_VLLM` is a URL, one that runs already is used and left running. Candidates are loaded while it runs,
 * under names that are never used again, into a server that is not ours all adapters.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure, Refusal } from "../../foundation/errors.ts";
import { executableNamed } from "../../foundation/executable.ts";
import { PACKAGE_FOLDER } from "../../foundation/package-folder.ts";
import { attachedVllm } from "../attached-vllm.ts";
import { isAddress, originOf } from "../origin-of.ts";
import { removeServerLog } from "../server-log.ts";
import { freePort, type ServerProcess, startServerProcess } from "../server-process.ts";
import type { ModelServer, ModelServerOptions, TargetKind } from "../target.ts";
import { loadAdapter, unloadAdapter } from "../vllm-adapters.ts";
import { isOnGpu } from "../vllm-build.ts";
import { mostLoaded, VLLM_HOST, vllmEnvironment, vllmFlags } from "../vllm-flags.ts";

const NAMED_BY = "TRACEMILL_VLLM";
/** The checkout's own, for machines without a GPU; half of one is none. */
const OWN = join(PACKAGE_FOLDER, ".venv-vllm");

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
  if (isAddress(named)) return attachedVllm(originOf(named), options);
  const { origin, own } = await started(options, named);
  const address = { origin, whyEnded: () => whyEnded(own) };
  const loaded = new Set(options.adapters.map(({ id }) => id));
  return {
    origin,
    pid: own.pid,
    ended: () => whyEnded(own),
    // On processors its generator takes no seed of a request, and the engine dies of one.
    takesSeed: own.isOnGpu,
    // While adapters are served its engine for processors (0.32) dies of a prompt that is scored beside anything else.
    scoresAlone: !own.isOnGpu,
    async load(adapter) {
      const most = mostLoaded(options, own.isOnGpu);
      if (loaded.size >= most) throw noPlace(adapter.id, most);
      await loadAdapter(address, adapter);
      loaded.add(adapter.id);
    },
    async unload(id) {
      await unloadAdapter(address, id);
      loaded.delete(id);
    },
    missing: async () => [],
    async close() {
      await own.stop();
      removeServerLog(options.logFile); // of one that ended as it should nobody asks what it said
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

function whyEnded(own: ServerProcess): string | null {
  const why = own.ended();
  return why === null ? null : `vLLM ${why}. Its last lines:\n${own.lastLines()}`;
}

function noPlace(id: string, most: number): Failure {
  const message = `${id}: vLLM has ${most} adapters, and no place for one more.`;
  return new Failure({ boundary: "endpoint", code: "ADAPTER_NOT_LOADED", message });
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
