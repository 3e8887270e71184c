/**
 * The tensors of a LoRA as PEFT names them: for each module one A (rank x in) and one B (out x rank), nothing else.
 */
import { Refusal } from "../foundation/errors.ts";
import type { BaseModules } from "./base-modules.ts";
import type { TensorPlace } from "./safetensors.ts";

const KEY = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/;
const FLOATS = new Set(["F16", "BF16", "F32"]);

interface Pair {
  A?: TensorPlace;
  B?: TensorPlace;
}

/**
 * Holds the tensors against the base's modules and the ranks of the configuration; returns how many modules have a LoRA.
 * Throws: `ADAPTER_DOES_NOT_FIT` naming the first tensor that does not.
 */
export function checkLoraTensors(
  tensors: readonly TensorPlace[],
  { modules, ranks, where }: { modules: BaseModules; ranks: ReadonlySet<number>; where: string },
): number {
  const pairs = new Map<string, Pair>();
  for (const tensor of tensors) {
    const [, module, side] = KEY.exec(tensor.name) ?? [];
    if (module === undefined)
      throw misfit(where, "base_model.model.<module>.lora_A.weight or .lora_B.weight", tensor.name);
    if (!FLOATS.has(tensor.dtype)) throw misfit(where, "F16, BF16 or F32", `${tensor.dtype} (${tensor.name})`);
    if (tensor.shape.length !== 2) throw misfit(where, "a matrix", `[${tensor.shape.join(", ")}] (${tensor.name})`);
    pairs.set(module, { ...pairs.get(module), [side as "A" | "B"]: tensor });
  }
  if (pairs.size === 0) throw misfit(where, "at least one pair of matrices", "none");
  for (const [module, pair] of pairs) checkPair(module, pair, { modules, ranks, where });
  return pairs.size;
}

function checkPair(
  module: string,
  { A, B }: Pair,
  { modules, ranks, where }: { modules: BaseModules; ranks: ReadonlySet<number>; where: string },
): void {
  if (A === undefined || B === undefined)
    throw misfit(where, `lora_A and lora_B of ${module}`, `only ${A?.name ?? B?.name}`);
  const [rank, inner] = A.shape as [number, number];
  const [out, rankOfB] = B.shape as [number, number];
  if (!ranks.has(rank) || rankOfB !== rank) {
    const got = `A with ${rank}, B with ${rankOfB} (${module})`;
    throw misfit(where, `rank ${[...ranks].join(" or ")} as the configuration says`, got);
  }
  const shape = modules.find(module);
  if (shape === undefined) throw misfit(where, "modules that the base has", module);
  if (shape === null || (shape.in === inner && shape.out === out)) return;
  throw misfit(
    where,
    `${shape.in} in and ${shape.out} out, as the base has it`,
    `${inner} in and ${out} out (${module})`,
  );
}

function misfit(where: string, expected: string, got: string): Refusal {
  return new Refusal({
    code: "ADAPTER_DOES_NOT_FIT",
    message: "The adapter's tensors do not fit the base.",
    ...{ expected, got, where },
    fix: "train the adapter again on this base",
  });
}
