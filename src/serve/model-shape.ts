/**
 * What the two forms of a base say of themselves: the Hugging Face folder by config.json and the safetensors header,
 * the GGUF by its metadata. Reads headers only, never weights.
 */
import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import { brokenFile, missingFile } from "../store/file-refusals.ts";

export interface ModelShape {
  architecture: string;
  layers: number;
  hiddenSize: number;
  vocabularySize: number;
  contextTokens: number;
  /** Storage type of the weights; null where there are none. */
  dtype: string | null;
}

const textConfigSchema = z.looseObject({
  model_type: z.string(),
  num_hidden_layers: z.int().min(1),
  hidden_size: z.int().min(1),
  vocab_size: z.int().min(1),
  max_position_embeddings: z.int().min(1),
});

/** A model that also sees or hears keeps its text half under `text_config`. */
const configSchema = z.union([textConfigSchema, z.looseObject({ text_config: textConfigSchema })]);

/**
 * Reads the shape of a Hugging Face folder.
 * Throws: `MISSING_FILE`, `BROKEN_FILE`.
 */
export async function readHfShape(folder: string): Promise<ModelShape> {
  const path = join(folder, "config.json");
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw missingFile(path, "a Hugging Face model folder with config.json", cause);
  });
  const read = configSchema.safeParse(parse(path, text));
  if (!read.success) throw brokenFile(path, z.prettifyError(read.error));
  const config = textConfigSchema.parse("text_config" in read.data ? read.data.text_config : read.data);
  return {
    architecture: config.model_type,
    layers: config.num_hidden_layers,
    hiddenSize: config.hidden_size,
    vocabularySize: config.vocab_size,
    contextTokens: config.max_position_embeddings,
    dtype: await safetensorsDtype(folder),
  };
}

/** The type that most tensors of the first safetensors file have. */
async function safetensorsDtype(folder: string): Promise<string | null> {
  const name = (await readdir(folder)).filter((file) => file.endsWith(".safetensors")).sort()[0];
  if (name === undefined) return null;
  const path = join(folder, name);
  const file = await open(path, "r");
  try {
    const start = await file.read(Buffer.alloc(8), 0, 8, 0);
    const length = start.bytesRead === 8 ? Number(start.buffer.readBigUInt64LE()) : 0;
    if (length === 0 || length > 100_000_000) throw brokenFile(path, `a header of ${length} bytes`);
    const header = await file.read(Buffer.alloc(length), 0, length, 8);
    const tensors = Object.values(parse(path, header.buffer.toString("utf8")) as Record<string, { dtype?: string }>);
    const counts = groupBy(tensors, ({ dtype }) => dtype?.toLowerCase() ?? "");
    counts.delete("");
    return [...counts].sort(([, x], [, y]) => y.length - x.length)[0]?.[0] ?? null;
  } finally {
    await file.close();
  }
}

/**
 * Reads the shape of a GGUF file.
 * Throws: `MISSING_FILE`, `BROKEN_FILE`.
 */
export async function readGgufShape(path: string): Promise<ModelShape> {
  await open(path, "r").then(
    (file) => file.close(),
    (cause) => {
      throw missingFile(path, "a GGUF file", cause);
    },
  );
  const { readGgufFileInfo, GgufFileType } = await import("node-llama-cpp");
  const { metadata, architectureMetadata } = await readGgufFileInfo(path, { sourceType: "filesystem" }).catch(
    (error) => {
      throw brokenFile(path, (error as Error).message);
    },
  );
  const fileType = metadata.general.file_type === undefined ? undefined : GgufFileType[metadata.general.file_type];
  return {
    architecture: metadata.general.architecture,
    layers: architectureMetadata.block_count ?? 0,
    hiddenSize: architectureMetadata.embedding_length ?? 0,
    vocabularySize: metadata.tokenizer?.ggml.tokens.length ?? 0,
    contextTokens: architectureMetadata.context_length ?? 0,
    dtype: fileType?.replace(/^(MOSTLY|ALL)_/, "").toLowerCase() ?? null,
  };
}

/**
 * Holds the two forms of a base against each other.
 * Throws: `FORMS_DO_NOT_FIT` naming what differs.
 */
export function checkFit(hf: ModelShape, gguf: ModelShape, where: string): void {
  const names = { layers: "layers", hiddenSize: "hidden size", vocabularySize: "vocabulary" } as const;
  const differing = (Object.keys(names) as (keyof typeof names)[]).filter((key) => hf[key] !== gguf[key]);
  if (differing.length === 0) return;
  const list = (shape: ModelShape) => differing.map((key) => `${names[key]} ${shape[key]}`).join(", ");
  throw new Refusal({
    code: "FORMS_DO_NOT_FIT",
    message: "The GGUF is not the same model as the Hugging Face folder.",
    expected: `${list(hf)} (${hf.architecture})`,
    got: `${list(gguf)} (${gguf.architecture})`,
    where,
    fix: "name the GGUF that was converted from this folder",
  });
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw brokenFile(path, (error as Error).message);
  }
}
