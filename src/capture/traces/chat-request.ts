/**
 * The parameters of a request under the names that OpenAI's chat has for them.
 */
import type { Json } from "../../foundation/canonical-json.ts";

const NAMES: Readonly<Record<string, string>> = {
  stop_sequences: "stop",
  stopSequences: "stop",
  "choice.count": "n",
  topP: "top_p",
  topK: "top_k",
  maxTokens: "max_tokens",
  maxOutputTokens: "max_tokens",
  frequencyPenalty: "frequency_penalty",
  presencePenalty: "presence_penalty",
  toolChoice: "tool_choice",
};
/** Of what a client is set to, these are no part of a request's parameters. */
const LEFT_OUT = new Set(["messages", "tools", "maxRetries", "maxSteps", "mode"]);

/** Renames parameters, the later of two holding, and leaves out those that are not set. */
export function chatRequest(entries: Iterable<readonly [string, Json]>): Record<string, Json> {
  const request = new Map<string, Json>();
  for (const [key, value] of entries) {
    const name = Object.hasOwn(NAMES, key) ? (NAMES[key] as string) : key;
    if (!LEFT_OUT.has(name) && value !== null) request.set(name, value);
  }
  return Object.fromEntries(request);
}
