/**
 * Kinds of graphics cards, and what `--gpus` names: `4xL4`, `2xA100-80`, `4x24GB`. Does not ask the machine;
 * `devices.ts` does.
 */
import { Refusal } from "../../foundation/errors.ts";

/** Units: memory as nvidia-smi tells it; bf16 products a second with float32 sums, without sparsity. */
export interface Card {
  name: string;
  memoryBytes: number;
  tflops: number;
  /** What nvidia-smi's name of it holds. */
  pattern: RegExp;
}

const MIB = 2 ** 20;

/**
 * Sources: NVIDIA's data sheets of L4, A10, A100 and H100 SXM (half of the figures "with sparsity"), and the white papers
 * of GA102 (RTX 3090) and Ada (RTX 4090), "BF16 with FP32 accumulate".
 */
export const CARDS: readonly Card[] = [
  { name: "L4", memoryBytes: 23_034 * MIB, tflops: 121, pattern: /\bL4\b/ },
  { name: "A10", memoryBytes: 23_028 * MIB, tflops: 125, pattern: /\bA10G?\b/ },
  { name: "RTX3090", memoryBytes: 24_576 * MIB, tflops: 71, pattern: /\bRTX 3090\b/ },
  { name: "RTX4090", memoryBytes: 24_564 * MIB, tflops: 165, pattern: /\bRTX 4090\b/ },
  { name: "A100-40", memoryBytes: 40_960 * MIB, tflops: 312, pattern: /\bA100\b.*40GB/ },
  { name: "A100-80", memoryBytes: 81_920 * MIB, tflops: 312, pattern: /\bA100\b.*80GB/ },
  { name: "H100", memoryBytes: 81_559 * MIB, tflops: 989, pattern: /\bH100\b/ },
];

/** What holds memory of a device besides this training. Units: bytes. */
export interface Holder {
  pid: number;
  name: string;
  usedBytes: number;
}

/** One device to train on. Units: bytes. */
export interface Device {
  kind: "gpu" | "cpu";
  name: string;
  totalBytes: number;
  freeBytes: number;
  holders: Holder[];
}

const MOST_DEVICES = 1024;
const ONE = /^(?:(\d{1,4})x)?([a-z0-9-]{1,20})$/i;
const SIZE = /^(\d{1,4})(gb|gib)$/i;

/** Reads what `--gpus` says: kinds with a number each, separated by commas. Throws: `BAD_GPUS`. */
export function parseGpus(text: string): Device[] {
  const devices = text.split(",").flatMap((word) => {
    const [, count = "1", kind = ""] = ONE.exec(word.trim()) ?? [];
    const device = deviceOf(kind);
    if (device === null || Number(count) < 1) throw badGpus(text);
    return Array.from({ length: Math.min(Number(count), MOST_DEVICES) }, () => device);
  });
  if (devices.length > MOST_DEVICES) throw badGpus(text);
  return devices;
}

/** Finds the kind of a device by the name that nvidia-smi gives it. */
export function cardOf(name: string): Card | null {
  return CARDS.find((card) => card.name === name || card.pattern.test(name)) ?? null;
}

function deviceOf(kind: string): Device | null {
  const card = CARDS.find(({ name }) => name.toLowerCase() === kind.toLowerCase());
  const [, amount, unit] = SIZE.exec(kind) ?? [];
  // A maker's "24GB" is less than 24 GiB: an L4 has 22.5 GiB.
  const bytes = card?.memoryBytes ?? (unit === undefined ? 0 : Number(amount) * (/gib/i.test(unit) ? 2 ** 30 : 1e9));
  if (bytes === 0) return null;
  return { kind: "gpu", name: card?.name ?? kind, totalBytes: bytes, freeBytes: bytes, holders: [] };
}

function badGpus(got: string): Refusal {
  return new Refusal({
    code: "BAD_GPUS",
    message: "It cannot be told which GPUs are meant.",
    expected: `a number, x and a kind: ${CARDS.map(({ name }) => name).join(", ")}, or a memory size such as 24GB`,
    got: `"${got.slice(0, 80)}"`,
    fix: "for example --gpus 4xL4",
  });
}
