/**
 * The linear modules of a base, by the headers of its Hugging Face files: what an adapter may change, and the shapes that
 * it has to fit. Reads no weights.
 */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensorsHeader } from "./safetensors.ts";

const FLOATS = new Set(["F16", "BF16", "F32", "F64"]);
/** Towers that see or hear have layers of their own, of the same names. */
const TOWERS = /vision|visual|audio|image|speech/;

/** Null where the weight is packed, so that its own shape says nothing. */
export interface ModuleShape {
  out: number;
  in: number;
}

export interface BaseModules {
  /** Undefined where the base has no such module. */
  find(module: string): ModuleShape | null | undefined;
}

/**
 * Reads the modules of all safetensors files of a folder.
 * Throws: `BAD_SAFETENSORS`.
 */
export async function readBaseModules(folder: string): Promise<BaseModules> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort();
  const modules = new Map<string, ModuleShape | null>();
  for (const name of files) {
    const path = join(folder, name);
    await using file = await open(path, "r");
    for (const { name: tensor, dtype, shape } of (await readSafetensorsHeader(file, path)).tensors) {
      const [, module] = /^(.+)\.(weight|weight_packed|qweight)$/.exec(tensor) ?? [];
      if (module === undefined) continue;
      const [out, inner] = shape;
      const isPlain = tensor.endsWith(".weight") && FLOATS.has(dtype) && shape.length === 2;
      modules.set(keyOf(module), isPlain ? { out: out as number, in: inner as number } : null);
    }
  }
  return { find: (module) => modules.get(keyOf(module)) };
}

/**
 * A checkpoint may call what stands before the layers otherwise than the model in memory does (Gemma 3:
 * `language_model.model.layers` on the disk, `model.language_model.layers` in PEFT's keys), so layers are known by what follows.
 */
function keyOf(module: string): string {
  const at = module.indexOf("layers.");
  return at < 0 || TOWERS.test(module.slice(0, at)) ? module : module.slice(at);
}
