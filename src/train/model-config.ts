/**
 * A base's config.json, as far as training needs it: its family's `model_type`, and the shape of its text stack.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";

const shapeSchema = z.object({
  hidden_size: z.int().min(1),
  intermediate_size: z.int().min(1),
  num_hidden_layers: z.int().min(1),
  num_attention_heads: z.int().min(1),
  num_key_value_heads: z.int().min(1).optional(),
  head_dim: z.int().min(1).nullish(),
  vocab_size: z.int().min(1),
  tie_word_embeddings: z.boolean().optional(),
});

const configSchema = z.object({ model_type: z.string(), text_config: shapeSchema.optional() });

export interface ModelConfig {
  modelType: string;
  /** Weights of the text stack: its projections, embeddings and head; norms are too few to count. */
  parameters: number;
}

/** Reads the config of a base's Hugging Face folder. Throws: `BAD_MODEL_CONFIG`. */
export async function readModelConfig(folder: string): Promise<ModelConfig> {
  const where = join(folder, "config.json");
  try {
    const json: unknown = JSON.parse(await readFile(where, "utf8"));
    const { model_type: modelType, text_config: text } = configSchema.parse(json);
    return { modelType, parameters: parametersOf(text ?? shapeSchema.parse(json)) };
  } catch (cause) {
    const got = (cause as Error).message;
    throw new Refusal({ code: "BAD_MODEL_CONFIG", message: "The base's config.json cannot be read.", got, where });
  }
}

function parametersOf(shape: z.infer<typeof shapeSchema>): number {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, vocab_size: vocabulary } = shape;
  const size = shape.head_dim ?? hidden / heads;
  const attention = 2 * hidden * size * (heads + (shape.num_key_value_heads ?? heads));
  const embeddings = vocabulary * hidden * (shape.tie_word_embeddings === false ? 2 : 1);
  return shape.num_hidden_layers * (attention + 3 * hidden * inner) + embeddings;
}
