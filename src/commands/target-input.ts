/**
 * The options of every command that serves models: one table for the parser, the help and the reference.
 */
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { readDuration } from "./read-duration.ts";

export const DEFAULT_TARGET = "llamacpp";

export const targetInput = {
  target: z
    .string()
    .default(DEFAULT_TARGET)
    .describe(
      "what serves the models: llamacpp (in this process), llama-server, vllm; openai with an --endpoint alone",
    ),
};

/** For those that may start a server. */
export const serverInput = {
  serverArgs: z.string().default("").describe("what `vllm serve` is told beside what tracemill tells it"),
  startTimeout: z.string().default("10m").describe("how long a server of its own may take until it answers"),
  contextTokens: z
    .int()
    .min(16)
    .optional()
    .describe("longest prompt and answer together, at most the base's (default: 2048)"),
};

const serverSchema = z.object(serverInput);

export type ServerInput = z.output<typeof serverSchema>;

/** What of a command's options a server is told, as it was given: for a record, or for another command. */
export function serverInputOf(options: ServerInput) {
  const { contextTokens, ...given } = serverSchema.parse(options);
  return { ...given, ...(contextTokens !== undefined && { contextTokens }) };
}

/** Throws: `BAD_ARGUMENT`. */
export function startingOf({ serverArgs, startTimeout, contextTokens }: ServerInput) {
  return {
    args: argumentsOf(serverArgs),
    startTimeoutMs: readDuration("start-timeout", startTimeout),
    ...(contextTokens !== undefined && { contextTokens }),
  };
}

export type ServerStarting = ReturnType<typeof startingOf>;

export const canaryInput = {
  canary: z
    .boolean()
    .default(true)
    .describe("leave out the proof, before it is used, that an adapter is live where it is served"),
};

/** The server that the environment names for a target, which was not started here. */
export function attachedServer(target: string): string | null {
  const variables: Record<string, string> = { "llama-server": "TRACEMILL_LLAMA_SERVER", vllm: "TRACEMILL_VLLM" };
  const variable = variables[target];
  const named = variable === undefined ? undefined : process.env[variable];
  return named !== undefined && URL.canParse(named) ? named : null;
}

const ARGUMENT = /\s*((?:[^\s"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*')+)\s*/y;

/** Takes a line apart as a shell would, without expanding anything. Throws: `BAD_ARGUMENT`. */
function argumentsOf(line: string): string[] {
  const found: string[] = [];
  const rest = line.trim();
  ARGUMENT.lastIndex = 0;
  while (ARGUMENT.lastIndex < rest.length) {
    const at = ARGUMENT.lastIndex;
    const word = ARGUMENT.exec(rest)?.[1];
    if (word === undefined) throw notClosed(rest.slice(at));
    found.push(
      word.replace(
        /\\([\s\S])|"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'/g,
        (_, plain, double, single) => plain ?? double?.replace(/\\(["\\$`])/g, "$1") ?? single,
      ),
    );
  }
  return found;
}

function notClosed(got: string): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "--server-args cannot be read as a line of a shell.",
    expected: "every quote to be closed",
    got,
    fix: `--server-args "--tensor-parallel-size 2 --hf-overrides '{}'"`,
  });
}
