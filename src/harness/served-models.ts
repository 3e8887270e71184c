/**
 * What a server says of the models that it serves (OpenAI's `GET /v1/models`), and of each what tells it from another of
 * the same name. When it was listed, and permissions that are made up anew for each answer, are no part of that.
 */
import { z } from "zod";
import { boundedText } from "../foundation/bounded-text.ts";
import type { Json } from "../foundation/canonical-json.ts";

const MOST_BODY_BYTES = 4 << 20;
/** Statuses of a server that has no such list. */
const NO_LIST = new Set([404, 405, 501]);

/** vLLM's `root` is the path that was loaded, and `parent` an adapter's base; the hashes are tracemill's own server's. */
const IDENTITY = ["id", "root", "parent", "owned_by", "max_model_len", "base_hash", "adapter_hash"] as const;
/** What llama.cpp's server reads from the file. */
const META = ["n_vocab", "n_ctx_train", "n_embd", "n_params", "size"] as const;

const metaSchema = z.record(z.string(), z.json());
const listSchema = z.looseObject({
  data: z.array(z.looseObject({ id: z.string(), meta: metaSchema.nullish().catch(null) })),
});

/** A model's identity as its server tells it; an adapter's has its base's beside it as `base`. */
export type ServedModel = Record<string, Json>;
/** By the name in requests; null where the server has no list. */
export type ServedModels = ReadonlyMap<string, ServedModel> | null;

/**
 * Asks a server for its models. `url` goes up to and with `/v1`.
 * Throws: whatever kept it from answering, with a reason in words.
 */
export async function readServedModels(url: string, signal: AbortSignal): Promise<ServedModels> {
  const response = await fetch(`${url.replace(/\/+$/, "")}/models`, { redirect: "manual", signal });
  const body = await boundedText(response, MOST_BODY_BYTES);
  if (NO_LIST.has(response.status)) return null;
  if (response.status !== 200) throw new Error(`HTTP status ${response.status}`);
  const { data } = listSchema.parse(JSON.parse(body));
  const cards = new Map(data.map((card) => [card.id, identityOf(card)]));
  return new Map([...cards].map(([id, card]) => [id, { ...card, ...baseOf(card, cards) }]));
}

function identityOf({ meta, ...card }: z.infer<typeof listSchema>["data"][number]): ServedModel {
  const told = IDENTITY.flatMap((key) => (isJson(card[key]) ? [[key, card[key]] as const] : []));
  const measured = META.flatMap((key) => (meta?.[key] === undefined ? [] : [[key, meta[key]] as const]));
  return { ...Object.fromEntries(told), ...(measured.length > 0 && { meta: Object.fromEntries(measured) }) };
}

function baseOf({ id, parent }: ServedModel, cards: ReadonlyMap<string, ServedModel>): ServedModel {
  const base = typeof parent === "string" && parent !== id ? cards.get(parent) : undefined;
  return base === undefined ? {} : { base };
}

function isJson(value: unknown): value is Json {
  return typeof value === "string" || typeof value === "number" || value === null;
}
