/**
 * The one owner of chat template, tokens and loss mask. Datasets, the served requests and the canary all get their ids
 * from here, so that what is trained on is what is asked. Equal to Python's `apply_chat_template`, also where a text
 * holds a special token's name: that becomes the special token there, and so it does here.
 */
import { resolve } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { Message, Tool } from "../records/message.ts";
import type { Home } from "../store/home.ts";
import { compileChatTemplate } from "./chat-template.ts";
import { withExactSplits } from "./exact-splits.ts";
import { readTokenizerFiles, type TokenizerFiles } from "./tokenizer-files.ts";

export interface Rendered {
  ids: number[];
  mask: (0 | 1)[];
}

/** A message that follows the prompt, and whether the loss lies on it. */
export interface Step {
  message: Message;
  isTrained: boolean;
}

export interface Renderer {
  readonly tokenizerHash: Hash;
  readonly templateHash: Hash;
  /** Ids that end an answer. */
  readonly stopIds: number[];
  /** The prompt that asks for the next answer. Throws: `TEMPLATE_REFUSED`. */
  prompt(messages: Message[], tools: Tool[] | null): { ids: number[]; text: string };
  /** A whole conversation as the template writes it. Throws: `TEMPLATE_REFUSED`. */
  text(messages: Message[], tools: Tool[] | null): string;
  /**
   * A whole conversation with the answer, and where the loss lies.
   * Shapes: `mask` is as long as `ids`: 1 on the answer and on the token that ends it.
   * Throws: `PROMPT_NOT_PREFIX` where the prompt's ids do not begin the conversation's, `TEMPLATE_REFUSED`.
   */
  example(messages: Message[], response: Message, tools: Tool[] | null): Rendered;
  /**
   * As `example`, for a conversation that goes on over several messages: 1 on each trained one and on the token that
   * ends it.
   * Throws: `PROMPT_NOT_PREFIX` also where the conversation up to a trained message does not begin the whole.
   */
  attempt(messages: Message[], steps: readonly Step[], tools: Tool[] | null): Rendered;
  /** Without added tokens at the ends. */
  encode(text: string): number[];
  /** Ids that the tokenizer does not have are left out. */
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): string;
}

/** Loads the renderer of a base from its pinned files. Throws: as `readPinnedFiles` and `createRenderer`. */
export async function loadRenderer(home: Home, base: BaseManifest): Promise<Renderer> {
  return createRenderer(await readPinnedFiles(home, base));
}

/**
 * Reads the tokenizer and the template of a base.
 * Throws: `BASE_CHANGED` where these are no longer the files of the manifest, and as `readTokenizerFiles`.
 */
export async function readPinnedFiles(home: Home, base: BaseManifest): Promise<TokenizerFiles> {
  const folder = resolve(home.baseFolder(base.name), base.hfFolder);
  const files = await readTokenizerFiles(folder);
  if (files.tokenizerHash !== base.tokenizerHash || files.templateHash !== base.templateHash) {
    const isTokenizer = files.tokenizerHash !== base.tokenizerHash;
    throw new Refusal({
      code: "BASE_CHANGED",
      message: `The ${isTokenizer ? "tokenizer" : "chat template"} of "${base.name}" is no longer the one that was added.`,
      expected: isTokenizer ? base.tokenizerHash : base.templateHash,
      got: isTokenizer ? files.tokenizerHash : files.templateHash,
      where: folder,
      fix: "put the original files back, or add the changed model under a new name: tracemill base add NAME",
    });
  }
  return files;
}

/**
 * Builds a renderer from files that were already read.
 * Throws: `UNSUPPORTED_TOKENIZER`, `BROKEN_TEMPLATE`.
 */
export function createRenderer(files: TokenizerFiles): Renderer {
  const tokenizer = createTokenizer(files);
  const template = compileChatTemplate(files.template, files.specialTokens);
  const { eos_token } = files.specialTokens;
  const eosId = eos_token === undefined ? undefined : tokenizer.token_to_id(eos_token);
  const stopIds = [...new Set([...(eosId === undefined ? [] : [eosId]), ...files.eosIds])];

  function encode(text: string): number[] {
    return tokenizer.encode(text.toWellFormed(), { add_special_tokens: false }).ids;
  }

  function prompt(messages: Message[], tools: Tool[] | null) {
    const text = template.render(messages, { tools, isPrompt: true });
    return { ids: encode(text), text };
  }

  function text(messages: Message[], tools: Tool[] | null): string {
    return template.render(messages, { tools, isPrompt: false });
  }

  function conversation(messages: Message[], tools: Tool[] | null): number[] {
    return encode(text(messages, tools));
  }

  function attempt(messages: Message[], steps: readonly Step[], tools: Tool[] | null): Rendered {
    const whole = [...messages, ...steps.map(({ message }) => message)];
    const ids = conversation(whole, tools);
    const mask = new Array<0 | 1>(ids.length).fill(0);
    for (const [index, { isTrained }] of steps.entries()) {
      if (!isTrained) continue;
      const at = messages.length + index;
      const start = prefixLength(prompt(whole.slice(0, at), tools).ids, ids);
      const isLast = index === steps.length - 1;
      const until = isLast ? ids.length : prefixLength(conversation(whole.slice(0, at + 1), tools), ids);
      let end = until - 1;
      while (end >= start && !stopIds.includes(ids[end] as number)) end--;
      mask.fill(1, start, end < start ? until : end + 1);
    }
    return { ids, mask };
  }

  return {
    tokenizerHash: files.tokenizerHash,
    templateHash: files.templateHash,
    stopIds,
    prompt,
    text,
    encode,
    attempt,
    example: (messages, response, tools) => attempt(messages, [{ message: response, isTrained: true }], tools),
    decode(ids, { skipSpecial = false } = {}) {
      const known = ids.filter((id) => tokenizer.id_to_token(id) !== undefined);
      return known.length === 0 ? "" : tokenizer.decode(known, { skip_special_tokens: skipSpecial });
    },
  };
}

function createTokenizer({ tokenizerJson, specialTokens }: TokenizerFiles): Tokenizer {
  try {
    return new Tokenizer(withExactSplits(tokenizerJson), { ...specialTokens, clean_up_tokenization_spaces: false });
  } catch (error) {
    throw new Refusal({
      code: "UNSUPPORTED_TOKENIZER",
      message: "The base's tokenizer.json is of a kind that cannot be run.",
      expected: "a byte-level or sentence-piece BPE, WordPiece or Unigram tokenizer",
      got: (error as Error).message,
      cause: error,
    });
  }
}

/** Throws: `PROMPT_NOT_PREFIX`. */
function prefixLength(before: readonly number[], ids: readonly number[]): number {
  const wrongAt = before.findIndex((id, index) => id !== ids[index]);
  if (wrongAt < 0) return before.length;
  throw new Refusal({
    code: "PROMPT_NOT_PREFIX",
    message: "The rendered prompt does not begin the rendered conversation, so where the answer starts is unknown.",
    expected: `the ${before.length} ids of the prompt first`,
    got: `another id at position ${wrongAt}`,
  });
}
