/**
 * llama.cpp's own server, outside this process: it is started here with each adapter at hand and none applied
 * (`--lora-init-without-apply`), or, where `TRACEMILL_LLAMA_SERVER` is a URL, one that runs already is used and left
 * running. Requests say which adapter they want. An answer comes as a whole: the server's stream leaves out tokens that end
 * within a character.
 */
import { z } from "zod";
import { Failure, Refusal } from "../../foundation/errors.ts";
import { executableNamed } from "../../foundation/executable.ts";
import { realPath } from "../../foundation/real-path.ts";
import type { Generation, Scoring, ServedModel, TokenScore } from "../generation.ts";
import { completed, type LlamaServer, scoreAt } from "../llama-server-client.ts";
import { readGgufShape } from "../model-shape.ts";
import { isAddress, originOf } from "../origin-of.ts";
import { freePort, type ServerProcess, startServerProcess } from "../server-process.ts";
import { createSlots } from "../slots.ts";
import type { Target, TargetKind, TargetOptions } from "../target.ts";

const EXECUTABLE = "llama-server";
const NAMED_BY = "TRACEMILL_LLAMA_SERVER";
const LOOK_TIMEOUT_MS = 10_000;
/** Tokens that may be forced beside one of which nothing is told. */
const MOST_PLAIN = 32;

const propsSchema = z.looseObject({ total_slots: z.int().min(1) });
const adaptersSchema = z.array(z.looseObject({ id: z.int().min(0), path: z.string() }));

/**
 * Those of the embedded llama.cpp, as the weights and the code are. Measured with SmolLM2-135M as f16 on 693 probe tokens where
 * a trained adapter changes 0.56: the base lies 0.0021 from the trainer's float32, the adapter 0.0020; 0.017 is allowed.
 */
const llamaServer: TargetKind = {
  tolerance: { base: 0.25, noiseFactor: 3, effectFraction: 0.03 },
  start,
};

export default llamaServer;

async function start(options: TargetOptions): Promise<Target> {
  const named = process.env[NAMED_BY];
  const { url, own } = isAddress(named)
    ? { url: originOf(named), own: null }
    : await started(options, executable(named));
  try {
    const { vocabularySize } = await readGgufShape(options.weightsFile);
    const loaded = await told(url, "lora-adapters", adaptersSchema);
    const adapterNumbers = numbersOf(options.models, { loaded, url });
    const server = { url, adapterNumbers, adapters: loaded.length, vocabularySize };
    const { total_slots: slots } = await told(url, "props", propsSchema);
    return target(server, { options, own, slots: Math.min(slots, options.parallel) });
  } catch (error) {
    await own?.stop();
    throw error;
  }
}

/** One of the server's places for a conversation, and the ids that were scored there last. */
interface Place {
  number: number;
  ids: readonly number[];
}

function target(
  server: LlamaServer,
  { options, own, slots }: { options: TargetOptions; own: ServerProcess | null; slots: number },
): Target {
  let tokens = 0;
  let batches = 0;
  const numbers = Array.from({ length: slots }, (_, number): Place => ({ number, ids: [] }));
  const places = createSlots(numbers, ({ ids }) => ids);

  async function* generate(request: Generation): AsyncGenerator<number> {
    const ids = await completed(server, request).catch((error) => {
      throw withLastLines(error, own);
    });
    batches++;
    tokens += request.prompt.length + ids.length;
    yield* ids;
  }

  /** One token after the other in one place of the server, which still has all before it. */
  async function score({ model, ids, from, top, signal }: Scoring): Promise<TokenScore[]> {
    const scores: TokenScore[] = [];
    const plain = new Set<number>();
    const { place, release } = await places.take(ids, signal);
    try {
      place.ids = ids;
      for (let at = from; at < ids.length; at++) {
        const others = [...plain, ...ids].slice(0, MOST_PLAIN);
        const asked = { model, ids, at, top, signal, plain: others, slot: place.number };
        const { isPlain, ...score } = await scoreAt(server, asked);
        if (isPlain) plain.add(ids[at] as number);
        scores.push(score);
        batches++;
        tokens++;
      }
      return scores;
    } finally {
      release();
    }
  }

  return {
    contextTokens: options.contextTokens,
    ...(own !== null && { process: { pid: own.pid, ended: () => whyEnded(own) } }),
    generate,
    score,
    evaluated: () => ({ batches, tokens }),
    setThreads: () => {}, // the server keeps the threads that it was started with
    close: async () => own?.stop(),
  };
}

/** A server that died is told with its last lines, not as a connection that broke. */
function withLastLines(error: unknown, own: ServerProcess | null): unknown {
  const message = own === null ? null : whyEnded(own);
  if (message === null) return error;
  return new Failure({ boundary: "endpoint", code: "SERVER_DIED", message, cause: error });
}

function whyEnded(own: ServerProcess): string | null {
  const why = own.ended();
  return why === null ? null : `${EXECUTABLE} ${why}. Its last lines:\n${own.lastLines()}`;
}

async function started(
  { weightsFile, models, contextTokens, parallel, threads, startTimeoutMs, signal, onStage }: TargetOptions,
  executable: string,
): Promise<{ url: string; own: ServerProcess }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const own = await startServerProcess({
    title: EXECUTABLE,
    executable,
    args: [
      ...["--model", weightsFile, "--host", "127.0.0.1", "--port", `${port}`],
      ...["--ctx-size", `${contextTokens * parallel}`, "--parallel", `${parallel}`, "--threads", `${threads}`],
      ...models.flatMap(({ adapterFile }) => (adapterFile === null ? [] : ["--lora", adapterFile])),
      "--lora-init-without-apply",
    ],
    // States of prompts that are kept beside the slots do not say which adapter they were evaluated with.
    env: { LLAMA_ARG_CACHE_RAM: "0" },
    healthUrl: `${url}/health`,
    ...(startTimeoutMs !== undefined && { timeoutMs: startTimeoutMs }),
    ...{ ...(signal !== undefined && { signal }), ...(onStage !== undefined && { onStage }) },
  });
  return { url, own };
}

/** Throws: `NO_LLAMA_SERVER`. */
function executable(named: string | undefined): string {
  const found = executableNamed(named, { name: EXECUTABLE });
  if (found !== null) return found;
  throw new Refusal({
    code: "NO_LLAMA_SERVER",
    message: "llama.cpp's server is not there.",
    expected: `${EXECUTABLE} on the PATH, or its path or URL in ${NAMED_BY}`,
    got: named === undefined || named === "" ? "none" : named,
    fix: "install llama.cpp, or leave --target out: the embedded llamacpp needs nothing else",
  });
}

/** What the server says of itself. Throws: `ENDPOINT_DOWN`. */
async function told<T>(url: string, path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    const response = await fetch(`${url}/${path}`, { signal: AbortSignal.timeout(LOOK_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return schema.parse(await response.json());
  } catch (cause) {
    throw new Refusal({
      code: "ENDPOINT_DOWN",
      message: "There is no llama.cpp server.",
      expected: `what llama-server answers to GET /${path}`,
      got: (cause as Error).message,
      where: url,
      fix: `start llama-server, or name its executable in ${NAMED_BY}`,
      cause,
    });
  }
}

/** The numbers of the adapters at the server, which knows them by their files. Throws: `ADAPTER_NOT_LOADED`. */
function numbersOf(
  models: readonly ServedModel[],
  { loaded, url }: { loaded: z.infer<typeof adaptersSchema>; url: string },
): Map<string, number> {
  const asked = models.flatMap(({ id, adapterFile }) => (adapterFile === null ? [] : [{ id, adapterFile }]));
  return new Map(
    asked.map(({ id, adapterFile }) => {
      const found = loaded.find(({ path }) => realPath(path) === realPath(adapterFile));
      if (found !== undefined) return [id, found.id];
      throw new Refusal({
        code: "ADAPTER_NOT_LOADED",
        message: `The llama.cpp server does not have the adapter ${id}, and takes none once it runs.`,
        expected: `--lora ${adapterFile}`,
        got: loaded.map(({ path }) => path).join(", ") || "no adapters",
        where: url,
        fix: `start it again with --lora ${adapterFile} --lora-init-without-apply, or let tracemill start it`,
      });
    }),
  );
}
