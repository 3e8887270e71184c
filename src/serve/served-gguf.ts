/**
 * The GGUF that the embedded server loads: the one that a base was added with, or else one that is made of its Hugging
 * Face folder, once, in the base's own folder.
 *
 * It is made when the base is first served and not when it is added: who only trains, or serves the base elsewhere,
 * needs no second copy of the weights, and a base whose architecture cannot be converted here can still be added.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkDiskSpace } from "../foundation/disk-space.ts";
import { Refusal } from "../foundation/errors.ts";
import { writeFolderAtomic } from "../foundation/files.ts";
import { shortHash } from "../foundation/hashing.ts";
import { sumOf } from "../foundation/sums.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { checkBaseFiles } from "../store/base-files.ts";
import { hashFiles, type OnHash } from "../store/file-hashes.ts";
import type { Home } from "../store/home.ts";
import { writeBaseManifest } from "../store/manifests.ts";
import type { Convert } from "./convert.ts";
import { checkFit, readGgufShape, readHfShape } from "./model-shape.ts";

export interface Preparation {
  /** Left out: only a base that has a GGUF is served. */
  convert?: Convert;
  onHash?: OnHash;
}

/**
 * Returns the path of the base's GGUF, after a look that it is the file of the manifest.
 * Throws: `NO_GGUF`, `BASE_CHANGED`, `MISSING_FILE`, `NO_DISK_SPACE`, and what `convert` refuses.
 */
export async function servedGguf(home: Home, base: BaseManifest, { convert, onHash }: Preparation): Promise<string> {
  const own = base.gguf === null ? await withOwnGguf(home, base, { convert, onHash: onHash ?? (() => {}) }) : base;
  await checkBaseFiles(home, own, { format: "gguf", onHash: onHash ?? (() => {}) });
  return resolve(home.baseFolder(base.name), own.gguf as string);
}

async function withOwnGguf(
  home: Home,
  base: BaseManifest,
  { convert, onHash }: { convert: Convert | undefined; onHash: OnHash },
): Promise<BaseManifest> {
  const folder = home.baseFolder(base.name);
  const hf = resolve(folder, base.hfFolder);
  if (convert === undefined) {
    throw new Refusal({
      code: "NO_GGUF",
      message: `"${base.name}" has no GGUF, which the embedded server loads.`,
      expected: "a base with a GGUF",
      fix: `tracemill base add ${base.name} --hf ${hf} --gguf FILE`,
    });
  }
  await checkBaseFiles(home, base, { format: "safetensors", onHash });
  const gguf = join(`converted-${shortHash(base.baseHash)}`, "model-f16.gguf");
  const path = join(folder, gguf);
  if (!existsSync(path)) {
    await checkDiskSpace(folder, f16Bytes(base), `the GGUF of "${base.name}"`);
    await writeFolderAtomic(join(path, ".."), (out) => convert({ hf, out: join(out, "model-f16.gguf") }));
  }
  const shape = await readGgufShape(path);
  checkFit(await readHfShape(hf), shape, path);
  const [hashed] = await hashFiles([path], folder, onHash);
  const form = { part: "weights", format: "gguf", dtype: shape.dtype } as const;
  const file = { ...form, ...(hashed as NonNullable<typeof hashed>), path: gguf };
  const manifest = { ...base, gguf, files: [...base.files, file] };
  await writeBaseManifest(home, manifest);
  return manifest;
}

/** Units: bytes of the same weights in two bytes each. */
function f16Bytes({ files }: BaseManifest): number {
  const weights = files.filter(({ format }) => format === "safetensors");
  return sumOf(weights, ({ sizeBytes, dtype }) => (dtype === "f32" ? sizeBytes / 2 : sizeBytes));
}
