/**
 * The one door to Python: runs a verb of `python/tracemill_train` as a subprocess. A JSON request goes in by a file,
 * events come out as JSON lines on stdout, noise goes to stderr. Knows the protocol, not what a verb does.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { z } from "zod";
import { Failure, Refusal } from "../foundation/errors.ts";
import { PACKAGE_FOLDER } from "../foundation/package-folder.ts";
import { pythonPath } from "../foundation/python-path.ts";
import { curvePointSchema } from "../records/adapter-manifest.ts";

/** A training that is to end saves a checkpoint after the step at hand: it is killed after as long as so many of its longest ones. */
const PATIENCE_STEPS = 2;
const LEAST_PATIENCE_MS = 60_000;
const KEPT_NOISE_LINES = 20;
/**
 * glibc raises by itself the size from which freed memory goes back to the system, and then keeps gaps between activations:
 * fixed at 1 MiB a training takes a third less, in the same time (docs/log.md).
 */
const RETURNS_MEMORY = { MALLOC_MMAP_THRESHOLD_: String(2 ** 20) };

/** CUDA would number GPUs by their speed, and nvidia-smi, by which a plan is made, does so by their slots. */
const GPU_ORDER = { CUDA_DEVICE_ORDER: "PCI_BUS_ID" };

const stepSchema = curvePointSchema.omit({ validationLoss: true, validation: true }).extend({
  loss: z.number(),
  learningRate: z.number(),
  steps: z.int().min(1),
  /** Tokens without padding, over the steps of this process. */
  tokensPerSecond: z.number().min(0),
  etaMs: z.number().min(0),
});

const eventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), stage: z.string() }),
  stepSchema.extend({ type: z.literal("step") }),
  z
    .object({ type: z.literal("validation"), step: z.int(), epoch: z.number(), loss: z.number().optional() })
    .catchall(z.number()),
  z.looseObject({ type: z.literal("finished") }),
  z.object({
    type: z.literal("refused"),
    code: z.string(),
    message: z.string(),
    expected: z.string().optional(),
    got: z.string().optional(),
    where: z.string().optional(),
    fix: z.string().optional(),
  }),
]);

export type TrainerEvent = z.infer<typeof eventSchema>;

export interface VerbOptions<T> {
  /** What the `finished` event must hold. */
  result: z.ZodType<T>;
  /** Gets every event but the closing one. */
  onEvent?(event: TrainerEvent): void;
  /** Ends the process; a training keeps a checkpoint. */
  signal?: AbortSignal;
  /** How long its end may take at least before it is killed; a minute, where it is left out. */
  leastPatienceMs?: number;
}

export interface PythonRunner {
  /** Path of the interpreter. */
  executable: string;
  /**
   * Runs a verb and returns its `finished` event.
   * Throws: what the verb refuses; a failure of the boundary `trainer`: `INTERRUPTED`, `TRAINER_DIED` with the last
   * lines of its stderr, `BAD_EVENT`.
   */
  run<T>(verb: string, request: unknown, options: VerbOptions<T>): Promise<T>;
}

/** Finds the interpreter: `TRACEMILL_PYTHON`, else `.venv` beside package.json. Throws: `NO_PYTHON`. */
export async function python(): Promise<PythonRunner> {
  const executable = pythonPath();
  return { executable, run: (verb, request, options) => runVerb({ executable, verb, request }, options) };
}

interface Call {
  executable: string;
  verb: string;
  request: unknown;
}

async function runVerb<T>({ executable, verb, request }: Call, options: VerbOptions<T>): Promise<T> {
  const { result, onEvent, signal, leastPatienceMs = LEAST_PATIENCE_MS } = options;
  if (signal?.aborted) throw interrupted(verb);
  const folder = await mkdtemp(join(tmpdir(), "tracemill-request-"));
  try {
    const file = join(folder, "request.json");
    await writeFile(file, JSON.stringify(request));
    const child = execa(executable, ["-m", "tracemill_train", verb, "--request", file], {
      env: { PYTHONPATH: join(PACKAGE_FOLDER, "python"), PYTHONUNBUFFERED: "1", ...RETURNS_MEMORY, ...GPU_ORDER },
      stdin: "ignore",
      buffer: false,
      reject: false,
      forceKillAfterDelay: false,
    });
    const ending = endOf(child, leastPatienceMs);
    if (signal?.aborted) ending.begin();
    signal?.addEventListener("abort", ending.begin);
    void child.finally(() => signal?.removeEventListener("abort", ending.begin));
    const noise = lastLines(child.iterable({ from: "stderr" }));
    let last: TrainerEvent | undefined;
    for await (const line of child.iterable()) {
      try {
        const event = parseEvent(verb, line);
        ending.saw(event);
        if (event.type === "refused" || event.type === "finished") last = event;
        else onEvent?.(event);
      } catch (error) {
        ending.begin(); // leaving the loop waits for the process to end
        throw error;
      }
    }
    const [{ exitCode, signal: killedBy }, lines] = await Promise.all([child, noise]);
    if (last?.type === "refused") {
      const { type: _, ...details } = last;
      throw new Refusal(details as Refusal["details"]);
    }
    if (exitCode === 130 || (signal?.aborted && exitCode !== 0)) throw interrupted(verb);
    if (exitCode !== 0 || last?.type !== "finished") {
      const end = killedBy ?? `exit code ${exitCode}`;
      const message = [`"${verb}" ended with ${end}. Its last words:`, ...lines].join("\n");
      throw new Failure({ boundary: "trainer", code: "TRAINER_DIED", message });
    }
    return parseResult(verb, result, last);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** How a process is ended: told to, and killed where that takes longer than its steps so far let expect. */
function endOf(child: Pick<ResultPromise, "kill">, leastPatienceMs: number) {
  let longestMs = 0;
  let sinceMs = performance.now();
  return {
    saw({ type }: TrainerEvent) {
      const nowMs = performance.now();
      if (type === "step") longestMs = Math.max(longestMs, nowMs - sinceMs);
      sinceMs = nowMs;
    },
    begin() {
      child.kill("SIGTERM");
      const patienceMs = Math.max(leastPatienceMs, PATIENCE_STEPS * longestMs);
      setTimeout(() => child.kill("SIGKILL"), patienceMs).unref();
    },
  };
}

function parseEvent(verb: string, line: string): TrainerEvent {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw badEvent(verb, line, cause);
  }
  const parsed = eventSchema.safeParse(value);
  if (!parsed.success) throw badEvent(verb, line, parsed.error);
  return parsed.data;
}

function parseResult<T>(verb: string, schema: z.ZodType<T>, finished: TrainerEvent): T {
  const parsed = schema.safeParse(finished);
  if (!parsed.success) throw badEvent(verb, JSON.stringify(finished), parsed.error);
  return parsed.data;
}

function badEvent(verb: string, line: string, cause: unknown): Failure {
  const message = `"${verb}" said what is no event of the protocol: ${line.slice(0, 200)}`;
  return new Failure({ boundary: "trainer", code: "BAD_EVENT", message, cause });
}

function interrupted(verb: string): Failure {
  const message = `"${verb}" was stopped. The same command goes on from its last checkpoint.`;
  return new Failure({ boundary: "trainer", code: "INTERRUPTED", message });
}

async function lastLines(lines: AsyncIterable<string>): Promise<string[]> {
  const kept: string[] = [];
  for await (const line of lines) {
    kept.push(line);
    if (kept.length > KEPT_NOISE_LINES) kept.shift();
  }
  return kept;
}
