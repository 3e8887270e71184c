/**
 * Registers an open-weights model: a Hugging Face folder and a GGUF of it, referenced where they lie, each file hashed.
 * A base that comes as a GGUF alone is first converted to both forms, inside the base's own folder.
 * Does not know who converts, and loads no weights.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { writeFolderAtomic } from "../foundation/files.ts";
import { hashJson, shortHash } from "../foundation/hashing.ts";
import { inTurn } from "../foundation/lock-file.ts";
import { nearest } from "../foundation/nearest.ts";
import { type BaseFile, type BaseManifest, baseManifestSchema } from "../records/base-manifest.ts";
import { readTokenizerFiles } from "../render/tokenizer-files.ts";
import { type HashedFile, hashFiles, type OnHash } from "../store/file-hashes.ts";
import { missingFile } from "../store/file-refusals.ts";
import type { Home } from "../store/home.ts";
import { appendLedger } from "../store/ledger.ts";
import { listAdapters, listBases, writeBaseManifest } from "../store/manifests.ts";
import type { Convert } from "./convert.ts";
import { KNOWN_BASES } from "./known-bases.ts";
import { checkFit, type ModelShape, readGgufShape, readHfShape } from "./model-shape.ts";

/** For who else gives the name; a training holds it to its end. */
const LONGEST_WAIT_MS = 5000;

export interface AddBaseOptions {
  name: string;
  gguf?: string;
  hf?: string;
  convert: Convert;
  clock: Clock;
  onHash?: OnHash;
}

interface Forms {
  hfFolder: string;
  gguf: string | null;
  source: string;
  licence: string | null;
}

/**
 * Adds a base and returns its manifest; adding the same one again changes nothing.
 * Throws: `BAD_NAME`, `NO_SOURCE`, `NAME_TAKEN`, `LOCKED`, `MISSING_FILE`, `BROKEN_FILE`, `NO_WEIGHTS`, `NO_TOKENIZER`,
 * `NO_TEMPLATE`, `FORMS_DO_NOT_FIT`, and what `convert` refuses.
 */
export async function addBase(home: Home, options: AddBaseOptions): Promise<BaseManifest> {
  const name = checkedName(options.name);
  const forms = await formsOf(home, options);
  const tokenizer = await readTokenizerFiles(forms.hfFolder);
  const shapes = {
    hf: await readHfShape(forms.hfFolder),
    gguf: forms.gguf === null ? null : await readGgufShape(forms.gguf),
  };
  if (shapes.gguf !== null && forms.gguf !== null) checkFit(shapes.hf, shapes.gguf, forms.gguf);
  const files = await baseFiles(home, forms, { name, shapes, onHash: options.onHash ?? (() => {}) });
  const weights = weightsOf(files, forms);
  const hashes = {
    weightsHash: hashJson(weights.map(({ hash }) => hash).sort()),
    tokenizerHash: tokenizer.tokenizerHash,
    templateHash: tokenizer.templateHash,
  };
  const manifest = baseManifestSchema.parse({
    name,
    baseHash: hashJson(hashes),
    ...hashes,
    architecture: shapes.hf.architecture,
    contextTokens: shapes.hf.contextTokens,
    hfFolder: within(home.baseFolder(name), forms.hfFolder),
    gguf: forms.gguf === null ? null : within(home.baseFolder(name), forms.gguf),
    files,
    licence: forms.licence,
    source: forms.source,
  });
  await mkdir(dirname(home.nameLock(name)), { recursive: true });
  return inTurn({ path: home.nameLock(name), what: `The name "${name}"`, longestMs: LONGEST_WAIT_MS }, () =>
    register(home, manifest, options.clock),
  );
}

function checkedName(name: string): string {
  if (baseManifestSchema.shape.name.safeParse(name).success) return name;
  throw new Refusal({
    code: "BAD_NAME",
    message: "This cannot be the name of a base.",
    expected: "lower-case letters, digits, dots, dashes and underscores, beginning with a letter or digit",
    got: `"${name}"`,
  });
}

async function formsOf(home: Home, { name, gguf, hf, convert, onHash }: AddBaseOptions): Promise<Forms> {
  if (hf !== undefined) {
    const source = [hf, ...(gguf === undefined ? [] : [gguf])].map((path) => resolve(path)).join(", ");
    return { hfFolder: resolve(hf), gguf: gguf === undefined ? null : resolve(gguf), source, licence: null };
  }
  const known = gguf === undefined ? KNOWN_BASES[name] : undefined;
  if (gguf === undefined && known === undefined) {
    const [close] = nearest(name, Object.keys(KNOWN_BASES));
    throw new Refusal({
      code: "NO_SOURCE",
      message: `Where the files of "${name}" lie is not known.`,
      expected: `one of: ${Object.keys(KNOWN_BASES).join(", ")}; or --hf DIR, --gguf FILE, or both`,
      got: `"${name}" alone`,
      fix: close === undefined ? `tracemill base add ${name} --hf DIR` : `did you mean "${close}"?`,
    });
  }
  if (gguf !== undefined) await readGgufShape(gguf);
  const source = known === undefined ? { gguf: resolve(gguf as string) } : { package: known.package };
  const out = await converted(home, name, { convert, source, onHash: onHash ?? (() => {}) });
  return {
    hfFolder: join(out, "hf"),
    gguf: join(out, "model-f16.gguf"),
    source: known?.source ?? resolve(gguf as string),
    licence: known?.licence ?? null,
  };
}

/** Converts once per source: a folder that is there was finished, as it got its name by the last step. */
async function converted(
  home: Home,
  name: string,
  { convert, source, onHash }: { convert: Convert; source: { gguf: string } | { package: string }; onHash: OnHash },
): Promise<string> {
  const folder = home.baseFolder(name);
  const key = "gguf" in source ? await hashFiles([source.gguf], folder, onHash) : [{ hash: hashJson(source) }];
  const out = join(folder, `converted-${shortHash(key[0]?.hash ?? "")}`);
  if (!existsSync(out)) await writeFolderAtomic(out, (temporary) => convert({ ...source, out: temporary }));
  return out;
}

async function baseFiles(
  home: Home,
  { hfFolder, gguf }: Forms,
  {
    name,
    shapes,
    onHash,
  }: {
    name: string;
    shapes: { hf: ModelShape; gguf: ModelShape | null };
    onHash: OnHash;
  },
): Promise<BaseFile[]> {
  const folder = home.baseFolder(name);
  const names = (await readdir(hfFolder)).filter((file) => partOf(file) !== null).sort();
  const paths = [...names.map((file) => join(hfFolder, file)), ...(gguf === null ? [] : [gguf])];
  const hashed = await hashFiles(paths, folder, onHash).catch((error: NodeJS.ErrnoException) => {
    throw error.code === undefined ? error : missingFile(error.path ?? hfFolder, "a file that may be read", error);
  });
  return hashed.map(({ path, sizeBytes, hash }: HashedFile) => {
    const known = path === gguf ? ({ part: "weights", format: "gguf" } as const) : partOf(path);
    if (known === null) throw new Error(`Bug: ${path} is no file of a base`);
    const dtype = known.part !== "weights" ? null : ((path === gguf ? shapes.gguf?.dtype : shapes.hf.dtype) ?? null);
    return { path: within(folder, path), ...known, dtype, sizeBytes, hash };
  });
}

function partOf(file: string): Pick<BaseFile, "part" | "format"> | null {
  if (file.endsWith(".safetensors")) return { part: "weights", format: "safetensors" };
  if (/(^|\/)tokenizer(_config)?\.json$/.test(file)) return { part: "tokenizer", format: "json" };
  if (/(^|\/)(generation_)?config\.json$/.test(file)) return { part: "config", format: "json" };
  if (/(^|\/)chat_template\.jinja$/.test(file)) return { part: "template", format: "jinja" };
  return null;
}

/** The weights that name the base: the form that is trained on where it is there, else the served one. */
function weightsOf(files: BaseFile[], { hfFolder }: Forms): BaseFile[] {
  const safetensors = files.filter(({ format }) => format === "safetensors");
  const weights = safetensors.length > 0 ? safetensors : files.filter(({ format }) => format === "gguf");
  if (weights.length > 0) return weights;
  throw new Refusal({
    code: "NO_WEIGHTS",
    message: "The base has no weights that can be used.",
    expected: "*.safetensors in the folder, or a GGUF by --gguf",
    where: hfFolder,
    fix: "save the model as safetensors (model.save_pretrained) into that folder",
  });
}

async function register(home: Home, manifest: BaseManifest, clock: Clock): Promise<BaseManifest> {
  const known = (await listBases(home)).find(({ name }) => name === manifest.name);
  if (known !== undefined && known.baseHash !== manifest.baseHash) {
    throw new Refusal({
      code: "NAME_TAKEN",
      message: `"${manifest.name}" is the name of another base.`,
      expected: `the base ${shortHash(known.baseHash)} (from ${known.source})`,
      got: `the base ${shortHash(manifest.baseHash)} (from ${manifest.source})`,
      where: home.baseFolder(manifest.name),
      fix: "add it under a name of its own",
    });
  }
  if (known === undefined) await refuseAdaptersName(home, manifest.name);
  const registered = known === undefined ? manifest : withFormOf(home, known, manifest);
  await writeBaseManifest(home, registered);
  if (known === undefined) {
    const { name, baseHash } = manifest;
    appendLedger(home, { type: "base_registered", data: { name, baseHash } }, clock);
  }
  return registered;
}

async function refuseAdaptersName(home: Home, name: string): Promise<void> {
  const holder = (await listAdapters(home)).find((adapter) => adapter.name === name);
  if (holder === undefined) return;
  throw new Refusal({
    code: "NAME_TAKEN",
    message: `"${name}" is the name of an adapter; a name always means one model.`,
    got: `adapter ${shortHash(holder.adapterHash)} of ${holder.base}`,
    fix: "add it under a name of its own",
  });
}

/** Keeps the GGUF that was made for a base in its own folder: it is one of the same weights. */
function withFormOf(home: Home, known: BaseManifest, manifest: BaseManifest): BaseManifest {
  const { gguf } = known;
  const isKept = manifest.gguf === null && gguf !== null && !isAbsolute(gguf);
  if (!isKept || !existsSync(join(home.baseFolder(known.name), gguf))) return manifest;
  return { ...manifest, gguf, files: [...manifest.files, ...known.files.filter(({ path }) => path === gguf)] };
}

/** Relative inside the base's own folder, which may be moved with its home; absolute elsewhere. */
function within(folder: string, path: string): string {
  const inside = relative(folder, path);
  return inside.startsWith("..") || isAbsolute(inside) ? path : inside;
}
