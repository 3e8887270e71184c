/**
 * Models that only their makers serve, told by name: their weights are not open, so that what they wrote came from a
 * service with terms. A name is all that a foreign trace keeps of its model.
 */

/** Beginnings of names, after a provider's own prefix such as `anthropic/` or `us.anthropic.` was taken off. */
const CLOSED =
  /^(gpt-(?!oss|neo|j-|2)|chatgpt|o[134](-|$)|codex-|text-davinci|davinci|claude|gemini|palm|grok-[2-9]|command-a|nova-|sonar|jamba-\d|mistral-(large|medium|small)-latest|reka-|qwen-?(max|plus|turbo)|doubao|ernie-|hunyuan-turbo|moonshot-v1)/;
const PROVIDER = /^.*\/|^([a-z]{2}\.)?(anthropic|amazon|cohere|mistral|google|openai)\./;

/** Whether a model's name is that of one whose weights are not open. */
export function isHosted(model: string): boolean {
  return CLOSED.test(model.trim().toLowerCase().replace(PROVIDER, ""));
}
