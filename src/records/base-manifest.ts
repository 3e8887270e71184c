/**
 * `bases/<name>/manifest.json`: an open-weights model, each of its files with form and hash.
 */
import { z } from "zod";
import { hashSchema } from "./ids.ts";

export const baseFileSchema = z.object({
  /** Absolute where the file is referenced in place, else relative to the base's folder. */
  path: z.string(),
  part: z.enum(["weights", "config", "tokenizer", "template"]),
  format: z.enum(["safetensors", "gguf", "json", "jinja"]),
  /** Storage type of the weights (`bf16`, `f16`, `q4_1`); null for files without weights. */
  dtype: z.string().nullable(),
  sizeBytes: z.int().min(0),
  hash: hashSchema,
});

export const baseManifestSchema = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  /** Hash of {weightsHash, tokenizerHash, templateHash}; adapters bind to it. */
  baseHash: hashSchema,
  weightsHash: hashSchema,
  tokenizerHash: hashSchema,
  templateHash: hashSchema,
  architecture: z.string(),
  contextTokens: z.int().min(1),
  /** Folder of the Hugging Face form (config.json, safetensors, tokenizer.json, chat_template.jinja). */
  hfFolder: z.string(),
  /** The GGUF that the embedded server loads; null where only the HF form is there. */
  gguf: z.string().nullable(),
  files: z.array(baseFileSchema),
  licence: z.string().nullable(),
  source: z.string(),
});

export type BaseManifest = z.infer<typeof baseManifestSchema>;
export type BaseFile = z.infer<typeof baseFileSchema>;
