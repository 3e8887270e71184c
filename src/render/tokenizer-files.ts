/**
 * The pinned files that decide how a conversation becomes token ids: tokenizer.json, the special tokens and the chat
 * template of a Hugging Face folder. Read in one place, so that what is hashed is what is rendered with.
 * Does not tokenise.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, hashJson, hashText } from "../foundation/hashing.ts";

const specialTokenSchema = z
  .union([z.string(), z.looseObject({ content: z.string() })])
  .nullish()
  .transform((token) => (typeof token === "object" ? (token?.content ?? null) : (token ?? null)));

const namedTemplatesSchema = z.array(z.object({ name: z.string(), template: z.string() }));

const tokenizerConfigSchema = z.looseObject({
  bos_token: specialTokenSchema,
  eos_token: specialTokenSchema,
  unk_token: specialTokenSchema,
  pad_token: specialTokenSchema,
  chat_template: z.union([z.string(), namedTemplatesSchema]).nullish(),
});

const eosSchema = z.looseObject({ eos_token_id: z.union([z.int(), z.array(z.int())]).nullish() });

export interface TokenizerFiles {
  tokenizerJson: object;
  /** `bos_token`, `eos_token`, ... as the template sees them; those that the tokenizer lacks are left out. */
  specialTokens: Record<string, string>;
  template: string;
  /** End-of-generation ids that the model's own configuration names. */
  eosIds: number[];
  /** Hash of {tokenizer.json, special tokens}: what else tokenizer_config.json says changes no id. */
  tokenizerHash: Hash;
  templateHash: Hash;
}

/**
 * Reads the tokenizer's files of a Hugging Face folder.
 * Throws: `NO_TOKENIZER`, `NO_TEMPLATE`, `BROKEN_FILE`.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const tokenizerText = await readOptional(join(folder, "tokenizer.json"));
  if (tokenizerText === null) {
    throw new Refusal({
      code: "NO_TOKENIZER",
      message: "The model folder has no tokenizer.json.",
      expected: "a Hugging Face folder with tokenizer.json",
      where: folder,
      fix: "save the tokenizer in its fast form (tokenizer.save_pretrained) into that folder",
    });
  }
  const config = await readJson(join(folder, "tokenizer_config.json"), tokenizerConfigSchema, {});
  const template = (await readOptional(join(folder, "chat_template.jinja"))) ?? embeddedTemplate(config.chat_template);
  if (template === null) {
    throw new Refusal({
      code: "NO_TEMPLATE",
      message: "The model folder has no chat template.",
      expected: "chat_template.jinja, or chat_template in tokenizer_config.json",
      where: folder,
      fix: "use the instruction-tuned form of the model, or put its chat_template.jinja into that folder",
    });
  }
  const { bos_token, eos_token, unk_token, pad_token } = config;
  const specialTokens = Object.fromEntries(
    Object.entries({ bos_token, eos_token, unk_token, pad_token }).filter(([, token]) => token !== null),
  ) as Record<string, string>;
  const eos = await Promise.all(
    ["generation_config.json", "config.json"].map((name) => readJson(join(folder, name), eosSchema, {})),
  );
  return {
    tokenizerJson: parseJson(join(folder, "tokenizer.json"), tokenizerText) as object,
    specialTokens,
    template,
    eosIds: eos.flatMap(({ eos_token_id }) => eos_token_id ?? []),
    tokenizerHash: hashJson({ tokenizer: hashText(tokenizerText), specialTokens }),
    templateHash: hashText(template),
  };
}

function embeddedTemplate(template: z.infer<typeof tokenizerConfigSchema>["chat_template"]): string | null {
  if (!Array.isArray(template)) return template ?? null;
  return template.find(({ name }) => name === "default")?.template ?? null;
}

async function readOptional(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error;
  });
}

async function readJson<T>(path: string, schema: z.ZodType<T>, absent: unknown): Promise<T> {
  const text = await readOptional(path);
  const read = schema.safeParse(text === null ? absent : parseJson(path, text));
  if (!read.success) throw brokenFile(path, z.prettifyError(read.error));
  return read.data;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw brokenFile(path, (error as Error).message);
  }
}

function brokenFile(path: string, got: string): Refusal {
  return new Refusal({
    code: "BROKEN_FILE",
    message: "A file of the model folder cannot be read.",
    expected: "JSON as Hugging Face writes it",
    got,
    where: path,
    fix: "fetch or save the model folder again",
  });
}
