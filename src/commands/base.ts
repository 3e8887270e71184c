/**
 * `tracemill base`: adds an open-weights model, or lists those that are there.
 */
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { shortHash } from "../foundation/hashing.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { addBase } from "../serve/index.ts";
import { listBases } from "../store/manifests.ts";
import { type Context, defineCommand } from "./command.ts";
import { preparing } from "./preparation.ts";

const input = z.object({
  action: z.enum(["add", "list"]).describe("add a base, or list those that are there"),
  name: z.string().optional().describe("the base's name, as later commands take it"),
  gguf: z.string().optional().describe("GGUF file; without --hf it is converted to both forms"),
  hf: z
    .string()
    .optional()
    .describe("Hugging Face folder with config.json, tokenizer.json and *.safetensors; it is only read"),
});

export default defineCommand<z.infer<typeof input>, BaseManifest[]>({
  summary: "Add an open-weights model as a base, or list the bases.",
  details: `Examples:
  tracemill base add smollm2
  tracemill base add gemma --hf /models/gemma-4 --gguf /models/gemma-4-f16.gguf
  tracemill base list

Files that are named are used where they lie. Without --gguf the embedded server makes a GGUF of its own, of a llama with
a byte-level tokenizer, when it first serves the base; another architecture needs --gguf.`,
  positional: ["action", "name"],
  input,
  async run({ action, name, gguf, hf }, context) {
    if (action === "list") return listBases(context.home);
    if (name === undefined) {
      throw new Refusal({
        code: "BAD_ARGUMENT",
        message: "Which base to add is missing.",
        expected: "a name behind `base add`",
        fix: "tracemill base add smollm2",
      });
    }
    return [await add({ name, ...(gguf !== undefined && { gguf }), ...(hf !== undefined && { hf }) }, context)];
  },
  print: (bases) => (bases.length === 0 ? "No base yet: tracemill base add smollm2" : bases.map(line).join("\n")),
});

/** Returns a base by name, adding it first where it is one that tracemill knows how to make. */
export async function ensureBase(name: string, context: Context): Promise<BaseManifest> {
  const known = (await listBases(context.home)).find((base) => base.name === name);
  return known ?? add({ name }, context);
}

async function add(given: { name: string; gguf?: string; hf?: string }, context: Context): Promise<BaseManifest> {
  const { home, clock, stderr, isJson } = context;
  const isKnown = (await listBases(home)).some(({ name }) => name === given.name);
  const prepare = preparing(context);
  let isRead = false;
  const manifest = await addBase(home, {
    ...given,
    clock,
    convert: prepare.convert,
    onHash(doneBytes, totalBytes) {
      isRead = true;
      prepare.onHash(doneBytes, totalBytes);
    },
  });
  if (isKnown && !isRead && !isJson) stderr.write(`${given.name} is there already, and no file of it has changed.\n`);
  return manifest;
}

function line(base: BaseManifest): string {
  const forms = [...new Set(base.files.filter(({ part }) => part === "weights").map((f) => `${f.format} ${f.dtype}`))];
  return `${base.name}  ${shortHash(base.baseHash)}  ${base.architecture}, ${forms.join(" + ")}, ${base.source}`;
}
