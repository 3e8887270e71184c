/**
 * What may be asked over HTTP: OpenAI's request bodies, checked field by field and brought into one form. A parameter
 * that would change the answer and is not supported is refused, never ignored.
 */
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { type Message, messageSchema, type Tool, toolSchema } from "../records/message.ts";
import { jsonGrammar } from "./json-grammar.ts";

const MOST_CHOICES = 128;
const MOST_SEED = 2 ** 32;

/** One or more answers to one prompt. */
export interface Ask {
  model: string;
  n: number;
  /** null: as much as the context holds. */
  maxTokens: number | null;
  temperature: number;
  topP: number;
  seed: number | null;
  stops: string[];
  /** What the answer's text must follow, see json-grammar.ts; null where it is free. */
  grammar: string | null;
  /** How many alternatives to tell at each place; null without log-probabilities. */
  topLogprobs: number | null;
  isStream: boolean;
  withStreamUsage: boolean;
}

export type ChatAsk = Ask & { messages: Message[]; tools: Tool[] | null };
export type TextAsk = Ask & {
  prompts: (string | number[])[];
  isEcho: boolean;
  /** The first token of an echoed prompt that is scored: what only stands before a text costs half as much then. */
  echoFrom: number;
};
export type TokenizeAsk = { prompt: string } | { messages: Message[]; tools: Tool[] | null };

const neutral = <T>(value: T) => z.literal(value as never).nullish();
const emptyObject = z.object({}).strict().nullish();

const askShape = {
  model: z.string(),
  n: z.int().min(1).max(MOST_CHOICES).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(0).nullish(),
  frequency_penalty: neutral(0),
  presence_penalty: neutral(0),
  logit_bias: emptyObject,
};

const contentPartSchema = z.looseObject({ type: z.literal("text"), text: z.string() });

/** OpenAI's clients may send text in parts, and call the system's role `developer`. */
const sentMessageSchema = z.preprocess((sent) => {
  if (typeof sent !== "object" || sent === null) return sent;
  const { role, content = null } = sent as { role?: unknown; content?: unknown };
  const parts = z.array(contentPartSchema).safeParse(content);
  return {
    ...sent,
    role: role === "developer" ? "system" : role,
    content: parts.success ? parts.data.map(({ text }) => text).join("") : content,
  };
}, messageSchema) as z.ZodType<Message>;

const conversationShape = {
  messages: z.array(sentMessageSchema).min(1),
  tools: z.array(toolSchema).nullish(),
};

/** `strict` is taken as true: where the answer can be held to a schema there is no reason to hold it loosely. */
const responseFormatSchema = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({ name: z.string().min(1), schema: z.unknown() }),
  }),
]);

const chatSchema = z.object({
  ...askShape,
  ...conversationShape,
  max_completion_tokens: z.int().min(0).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  response_format: responseFormatSchema.nullish(),
  tool_choice: z.enum(["auto", "none"]).nullish(),
});

const idsSchema = z.array(z.int().min(0));

const textSchema = z.object({
  ...askShape,
  prompt: z.union([z.string(), idsSchema.min(1), z.array(z.string()).min(1), z.array(idsSchema.min(1)).min(1)]),
  echo: z.boolean().nullish(),
  /** Of our own; servers that do not know it score the whole prompt. */
  echo_logprobs_from: z.int().min(0).nullish(),
  logprobs: z.int().min(0).max(20).nullish(),
  best_of: neutral(1),
  suffix: neutral(""),
});

const tokenizeSchema = z.union([z.object(conversationShape), z.object({ prompt: z.string() })]);

/** Throws: `BAD_REQUEST` naming the field. */
export function readChatAsk(body: unknown): ChatAsk {
  const sent = checked(chatSchema, body);
  return {
    ...askOf(sent),
    maxTokens: sent.max_completion_tokens ?? sent.max_tokens ?? null,
    topLogprobs: sent.logprobs === true ? (sent.top_logprobs ?? 0) : null,
    grammar: grammarOf(sent.response_format),
    messages: sent.messages,
    tools: toolsOf(sent.tools),
  };
}

/** Throws: `BAD_REQUEST` naming the field. */
export function readTextAsk(body: unknown): TextAsk {
  const sent = checked(textSchema, body);
  const { prompt } = sent;
  const isList = Array.isArray(prompt) && typeof prompt[0] !== "number";
  return {
    ...askOf(sent),
    maxTokens: sent.max_tokens ?? 16,
    topLogprobs: sent.logprobs ?? null,
    grammar: null,
    prompts: (isList ? prompt : [prompt]) as (string | number[])[],
    isEcho: sent.echo ?? false,
    echoFrom: sent.echo_logprobs_from ?? 0,
  };
}

/** Throws: `BAD_REQUEST` naming the field. */
export function readTokenizeAsk(body: unknown): TokenizeAsk {
  const sent = checked(tokenizeSchema, body);
  return "prompt" in sent ? sent : { messages: sent.messages, tools: toolsOf(sent.tools) };
}

function askOf(sent: z.infer<z.ZodObject<typeof askShape>>): Omit<Ask, "maxTokens" | "topLogprobs" | "grammar"> {
  return {
    model: sent.model,
    n: sent.n ?? 1,
    temperature: sent.temperature ?? 1,
    topP: sent.top_p ?? 1,
    seed: sent.seed == null ? null : ((sent.seed % MOST_SEED) + MOST_SEED) % MOST_SEED,
    stops: sent.stop == null ? [] : [sent.stop].flat(),
    isStream: sent.stream ?? false,
    withStreamUsage: sent.stream_options?.include_usage ?? false,
  };
}

function grammarOf(format: z.infer<typeof responseFormatSchema> | null | undefined): string | null {
  if (format?.type !== "json_schema") return null;
  return jsonGrammar(format.json_schema.schema, "response_format.json_schema.schema");
}

/** A template asks whether there are tools at all. */
function toolsOf(tools: Tool[] | null | undefined): Tool[] | null {
  return tools == null || tools.length === 0 ? null : tools;
}

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const field = issue?.path.join(".") || "body";
  throw new Refusal({
    code: "BAD_REQUEST",
    message: `${field}: ${issue?.message ?? "is not what it must be"}`,
    where: field,
  });
}
