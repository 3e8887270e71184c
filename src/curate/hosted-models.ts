/**
 * Models that only their makers serve, told by name: their weights are not open, so that what they wrote came from a
 * service with terms. A name is all that a foreign trace keeps of its model.
 */

/** Beginnings of names, after a provider's own prefix such as `anthropic/` or `us.anthropic.` was taken off. */
const CLOSED =
  /^(gpt-(?!oss|neo|j-|2)|chatgpt|o[134](-|$)|codex-|text-davinci|davinci|claude|gemini|palm|grok-[2-9]|command-a|nova-|sonar|jamba-\d|mistral-(large|medium)(-latest|-2[45]\d\d)?$|reka-|qwen-?(max|plus|turbo)|doubao|ernie-|hunyuan-turbo|moonshot-v1)/;
/** Prefixes are of several parts: `bedrock/us.anthropic.claude-...`, `openai:gpt-...`, `ft:gpt-...`, an ARN. */
const PROVIDER =
  /^(.*\/|ft:|(openai|anthropic|google|vertex_ai|azure|cohere|mistral|xai):|([a-z-]+\.)?(anthropic|amazon|cohere|mistral|google|openai)\.)/;

/** Whether a model's name is that of one whose weights are not open. */
export function isHosted(model: string): boolean {
  let name = model.trim().toLowerCase();
  for (let shorter = ""; ; name = shorter) {
    if (CLOSED.test(name)) return true;
    shorter = name.replace(PROVIDER, "");
    if (shorter === name) return false;
  }
}

/** Whether an answer was written by a hosted model that nobody allowed as a teacher: a base that is known was served here. */
export function isForbiddenTeacher(
  { model, baseHash }: { model: string | null; baseHash: string | null },
  allowed: { has(model: string): boolean },
): boolean {
  return model !== null && baseHash === null && isHosted(model) && !allowed.has(model);
}
