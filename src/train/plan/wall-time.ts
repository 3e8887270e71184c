/**
 * How long a training takes on a kind of card, from its floating-point operations. A rough figure: it says hours from
 * days, not which of two settings is faster.
 */
import { CARDS, type Card, cardOf, type Device } from "./cards.ts";
import type { Setting } from "./memory.ts";
import type { ModelShape } from "./shape.ts";

/**
 * Share of a card's peak that a training of this sort reaches: 40 of an L4's 121 TFLOPS. Published QLoRA runs lie between
 * 0.25 and 0.45.
 */
export const EFFECTIVE_FRACTION = 0.33;

/** A card whose kind is not known is taken for one of those whose memory is as large, within this. */
const LIKE_FRACTION = 0.15;

/** Units: milliseconds. */
export interface WallTime {
  card: string;
  durationMs: number;
}

/**
 * Operations of a training on `tokens` tokens (all epochs, padding not counted).
 * Forward and the gradients of activations take 2 operations a weight and token each, gradients of weights 2 more where all
 * are trained, recomputing the forward 2 more. Preference methods also run the base's forward, and kto with two rows or more
 * at once both models' on mismatched answers.
 * Source: arXiv:2001.08361, section 2.1; attention adds 4 times the tokens seen, for every head and its size.
 */
export function operations(shape: ModelShape, setting: Setting, tokens: { tokens: number; perRow: number }): number {
  const passes = 2 + (setting.trains === "full" ? 1 : 0) + (setting.gradientCheckpointing ? 1 : 0) + unlearned(setting);
  const perToken = shape.blocks.reduce((sum, { weights, heads, headSize, window }) => {
    const seen = Math.min(tokens.perRow / 2, window ?? tokens.perRow);
    return sum + 2 * weights + 4 * seen * heads * headSize;
  }, 0);
  return passes * perToken * tokens.tokens;
}

/** Returns the time on each kind of card; before them, on those of `devices` that are named by their size, as on the slowest like it. */
export function wallTimes(operations: number, devices: readonly Pick<Device, "name" | "totalBytes">[]): WallTime[] {
  const sized = [...new Map(devices.map((device) => [device.name, device])).values()].flatMap(likeOf);
  return [...sized, ...CARDS].map(({ name, tflops }) => ({
    card: name,
    durationMs: Math.round((operations / (tflops * 1e12 * EFFECTIVE_FRACTION)) * 1000),
  }));
}

function likeOf({ name, totalBytes }: Pick<Device, "name" | "totalBytes">): Pick<Card, "name" | "tflops">[] {
  if (cardOf(name) !== null) return [];
  const alike = CARDS.filter(({ memoryBytes }) => Math.abs(memoryBytes / totalBytes - 1) < LIKE_FRACTION);
  const [slowest] = alike.sort((a, b) => a.tflops - b.tflops);
  return slowest === undefined ? [] : [{ name: `${name} (as ${slowest.name})`, tflops: slowest.tflops }];
}

/** Forward passes of a row that nothing is learned in. */
function unlearned({ method, batch }: Setting): number {
  if (method === "sft") return 0;
  return method === "kto" && batch > 1 ? 3 : 1;
}
