/**
 * What this machine trains on: its GPUs as nvidia-smi tells them, with the processes that hold their memory, else the
 * processor with the memory that is free. Starts nvidia-smi and reads files of /proc; knows no model.
 */
import { readFile } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { execa } from "execa";
import { z } from "zod";
import { Refusal } from "../../foundation/errors.ts";
import type { Device, Holder } from "./cards.ts";

const MIB = 2 ** 20;
const PATIENCE_MS = 20_000;

const mib = z
  .string()
  .regex(/^\d{1,12}$/)
  .transform((text) => Number(text) * MIB);
const gpuLine = z.tuple([z.string(), z.string(), mib, mib]);
/** Of a process the memory may be "[N/A]", as inside containers. */
const processLine = z.tuple([z.string(), z.coerce.number().int(), z.string(), mib.catch(0)]);
/** How CUDA_VISIBLE_DEVICES names a GPU, or an instance of one, otherwise than by its index. */
const NAMED = /^(GPU|MIG)-/;

/**
 * Lists the GPUs that a training would see, in its order; none where nvidia-smi is not there.
 * Throws: `NVIDIA_SMI_FAILED`.
 */
export async function readGpus(visible = process.env.CUDA_VISIBLE_DEVICES): Promise<Device[]> {
  const lines = await query("--query-gpu=uuid,name,memory.total,memory.free");
  if (lines === null) return [];
  const gpus = visibleOf(
    lines.map((cells) => readLine(gpuLine, cells)),
    visible,
  );
  const processes = (await query("--query-compute-apps=gpu_uuid,pid,process_name,used_memory")) ?? [];
  // A program's name may hold commas.
  const holders = processes.map(([uuid = "", pid = "", ...rest]) =>
    readLine(processLine, [uuid, pid, rest.slice(0, -1).join(","), rest.at(-1) ?? ""]),
  );
  return gpus.map(([uuid, name, totalBytes, freeBytes]) => ({
    kind: "gpu" as const,
    name,
    totalBytes,
    freeBytes,
    holders: holders
      .filter(([of]) => of === uuid)
      .map(([, pid, program, usedBytes]): Holder => ({ pid, name: program, usedBytes })),
  }));
}

/**
 * Keeps the GPUs that CUDA shows a process: indices or beginnings of uuids, up to the first that names none. A name that is not among
 * them, as that of an instance (MIG), whose memory is not told, is refused: a plan for the processor would be another training's.
 * Source: CUDA C++ Programming Guide, "CUDA Environment Variables".
 */
function visibleOf(gpus: z.output<typeof gpuLine>[], visible: string | undefined): z.output<typeof gpuLine>[] {
  if (visible === undefined) return gpus;
  const named = visible
    .split(",")
    .map((word) => word.trim())
    .map((word) => {
      const found = /^\d+$/.test(word)
        ? gpus[Number(word)]
        : gpus.find(([uuid]) => word !== "" && uuid.startsWith(word));
      if (found === undefined && NAMED.test(word)) throw failed(`no "${word.slice(0, 80)}" of CUDA_VISIBLE_DEVICES`);
      return found;
    });
  const end = named.indexOf(undefined);
  return (end < 0 ? named : named.slice(0, end)) as z.output<typeof gpuLine>[];
}

/** The processor as a device: memory that a new process can have without swapping (of its control group, where it is in one). */
export function readProcessor(): Device {
  const available = (process as { availableMemory?: () => number }).availableMemory?.() ?? freemem();
  return { kind: "cpu", name: "cpu", totalBytes: totalmem(), freeBytes: available, holders: [] };
}

/** Bytes of a weight as the trainer loads it on this processor: `training_dtype` of python/tracemill_train/model.py. */
export async function processorStorageBytes(): Promise<2 | 4> {
  const flags = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  return /\b(avx512_bf16|amx_tile)\b/.test(flags) ? 2 : 4;
}

/** Returns the cells of each line that nvidia-smi prints; null where it is not installed or there is no driver. */
async function query(what: string): Promise<string[][] | null> {
  const { stdout, stderr, exitCode, code } = await execa("nvidia-smi", [what, "--format=csv,noheader,nounits"], {
    ...{ reject: false, stdin: "ignore", timeout: PATIENCE_MS },
  });
  if (code === "ENOENT" || code === "EACCES") return null;
  if (exitCode === 9) return null; // nvidia-smi: no driver is loaded, so there is no GPU to train on
  if (exitCode !== 0) throw failed(`exit code ${exitCode}: ${stderr.slice(0, 200)}`);
  return stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.split(",").map((cell) => cell.trim()));
}

function readLine<T>(schema: z.ZodType<T>, cells: string[]): T {
  const line = schema.safeParse(cells);
  if (line.success) return line.data;
  throw failed(`"${cells.join(", ").slice(0, 200)}"`);
}

function failed(got: string): Refusal {
  return new Refusal({
    code: "NVIDIA_SMI_FAILED",
    message: "nvidia-smi is there but does not tell the GPUs.",
    expected: "one line a GPU: uuid, name, total and free memory",
    got,
    fix: "make nvidia-smi tell them, plan for cards that are named: --plan --gpus 4xL4, or train with --unplanned",
  });
}
