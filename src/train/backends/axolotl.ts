/**
 * LoRA by Axolotl: writes a configuration over our tokenised rows, runs the command `axolotl` where it is installed, and
 * takes its adapter, whose GGUF form and probes our own trainer then adds.
 */
import { mkdir } from "node:fs/promises";
import { execa } from "execa";
import { z } from "zod";
import { Failure, Refusal } from "../../foundation/errors.ts";
import { guarded, hasExited, killGroup } from "../../foundation/process-group.ts";
import { AXOLOTL_MEMORY, AXOLOTL_ONLY } from "../axolotl-config.ts";
import { readCurve, takeAdapter, writeAxolotlInputs } from "../axolotl-files.ts";
import type { TrainBackend, TrainJob } from "../backend.ts";
import { readModelConfig } from "../model-config.ts";
import { python } from "../python.ts";

const KEPT_LINES = 20;
const KEPT_CHARACTERS = 500;
/** Axolotl writes a checkpoint before it ends; then it is killed. */
const PATIENCE_MS = 60_000;

const finishedSchema = z.object({
  trainedTokens: z.int().min(1),
  ggufRefused: z.string().optional(),
  versions: z.record(z.string(), z.string()),
});

const axolotl: TrainBackend = {
  methods: ["sft"],
  supports: {
    ...{ modelTypes: null, only: AXOLOTL_ONLY, parents: false, launches: ["single"], spreads: false },
    memory: AXOLOTL_MEMORY,
  },

  async checkReady() {
    const { failed, code } = await execa("axolotl", ["--help"], { reject: false, stdin: "ignore" });
    if (!failed) return;
    throw new Refusal({
      code: "NO_AXOLOTL",
      message: "Axolotl is not installed here.",
      expected: "the command axolotl (0.19 was checked)",
      got: code === "ENOENT" ? "no such command on PATH" : "it does not run",
      fix: "pip install axolotl in an environment on PATH, or --write-config DIR and run it elsewhere, or --backend peft",
    });
  },

  writeInputs: async (job, folder) => `axolotl train ${await writeAxolotlInputs(job, folder)}`,

  async train(job) {
    const startedMs = performance.now();
    const { checkpointFolder, outFolder, baseFolder, datasetFolder, config, signal, onProgress } = job;
    await mkdir(checkpointFolder, { recursive: true });
    const configuration = await writeAxolotlInputs(job, checkpointFolder);
    onProgress({ type: "progress", stage: "training by axolotl" });
    await runAxolotl(configuration, job);
    await takeAdapter(checkpointFolder, outFolder);
    const curve = await readCurve(checkpointFolder);
    const { shape } = await readModelConfig(baseFolder);
    const request = {
      dataset: datasetFolder,
      base: baseFolder,
      out: outFolder,
      vocabulary: shape.vocabulary,
      seed: config.seed,
      quantization: config.quantization,
      maxTokens: config.tooLong === "drop" ? config.maxTokens : null,
    };
    const finished = await (await python()).run("finish", request, {
      result: finishedSchema,
      signal,
      onEvent: (event) => event.type === "progress" && onProgress(event),
    });
    return {
      curve,
      trainedTokens: Math.round(finished.trainedTokens * config.epochs),
      durationMs: Math.round(performance.now() - startedMs),
      ggufRefused: finished.ggufRefused,
      versions: { ...finished.versions, axolotl: await versionOfAxolotl() },
    };
  },
};

export default axolotl;

/** Axolotl starts processes of its own: they end with it, and with this process. */
async function runAxolotl(configuration: string, { checkpointFolder, signal }: TrainJob): Promise<void> {
  const { file, args } = guarded(["axolotl", "train", configuration]);
  const child = execa(file, args, {
    ...{ cwd: checkpointFolder, reject: false, stdin: "pipe", all: true, buffer: false, detached: true },
  });
  child.once("exit", () => killGroup(child, "SIGKILL"));
  const end = () => endGroup(child);
  if (signal.aborted) end();
  signal.addEventListener("abort", end);
  void child.finally(() => signal.removeEventListener("abort", end));
  const last: string[] = [];
  for await (const line of child.iterable({ from: "all" })) {
    last.push(line.slice(0, KEPT_CHARACTERS));
    if (last.length > KEPT_LINES) last.shift();
  }
  const { exitCode } = await child;
  if (exitCode === 0) return;
  if (signal.aborted) {
    const message = "Axolotl was stopped. The same command goes on from its last checkpoint.";
    throw new Failure({ boundary: "trainer", code: "INTERRUPTED", message });
  }
  const message = [`axolotl ended with exit code ${exitCode}. Its last words:`, ...last].join("\n");
  throw new Failure({ boundary: "trainer", code: "TRAINER_DIED", message });
}

function endGroup(child: Parameters<typeof hasExited>[0] & Parameters<typeof killGroup>[0]): void {
  const kill = (how: NodeJS.Signals) => {
    if (!hasExited(child)) killGroup(child, how);
  };
  kill("SIGTERM");
  setTimeout(kill, PATIENCE_MS, "SIGKILL").unref();
}

async function versionOfAxolotl(): Promise<string> {
  const { stdout = "" } = await execa("axolotl", ["--version"], { reject: false, stdin: "ignore" });
  return /\d+\.\d+[\w.]*/.exec(stdout)?.[0] ?? "unknown";
}
