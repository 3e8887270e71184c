/**
 * The options of every command that serves models: one table for the parser, the help and the reference.
 */
import { z } from "zod";

export const DEFAULT_TARGET = "llamacpp";

export const targetInput = {
  target: z
    .string()
    .default(DEFAULT_TARGET)
    .describe("what serves the models: llamacpp (in this process), llama-server, vllm"),
};

export const canaryInput = {
  canary: z
    .boolean()
    .default(true)
    .describe("leave out the proof, before the run, that an adapter is live where it is served"),
};

/** The server that the environment names for a target, which was not started here. */
export function attachedServer(target: string): string | null {
  const named = target === "llama-server" ? process.env.TRACEMILL_LLAMA_SERVER : undefined;
  return named !== undefined && URL.canParse(named) ? named : null;
}
