/**
 * A base's config.json, as far as training needs it: its family's `model_type`, and the shape of the model.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { type ModelShape, shapeOf, weightsOf } from "./plan/shape.ts";

export interface ModelConfig {
  modelType: string;
  /** Weights of the text stack: its projections, embeddings and head; norms are too few to count. */
  parameters: number;
  shape: ModelShape;
}

/** Reads the config of a base's Hugging Face folder. Throws: `BAD_MODEL_CONFIG`. */
export async function readModelConfig(folder: string): Promise<ModelConfig> {
  const where = join(folder, "config.json");
  try {
    const shape = shapeOf(JSON.parse(await readFile(where, "utf8")));
    return { modelType: shape.modelType, parameters: weightsOf(shape), shape };
  } catch (cause) {
    const got = (cause as Error).message;
    throw new Refusal({ code: "BAD_MODEL_CONFIG", message: "The base's config.json cannot be read.", got, where });
  }
}
