/**
 * Whose answers may be trained on without a word of permission: those of a model that was served here, and those of one
 * whose name is that of open weights. Of every other model a service may have written them, whose terms may forbid it. A
 * name is all that a foreign trace keeps of its model, and a name that is not known here is no proof of anything: to name
 * a teacher costs little, and to train on what must not be trained on costs an adapter. Does not know of licences.
 */
import { isIP } from "node:net";
import type { Hash } from "../foundation/hashing.ts";
import { isLoopbackHost } from "../foundation/port-owner.ts";
import { kindOfIPv4, kindOfIPv6 } from "./secrets/address-range.ts";
import { isPrivateName } from "./secrets/known-names.ts";

const beginning = (...patterns: string[]) => new RegExp(`^(${patterns.join("|")})`);

/** Of names, after a provider's own prefix such as `anthropic/` or `us.anthropic.` was taken off. */
const CLOSED = beginning(
  "gpt-(?!oss|neo|j-|2)|chatgpt|o[134](-|$)|codex-|computer-use|text-(davinci|curie|babbage|ada)|davinci",
  "claude|(sonnet|opus|haiku|opusplan)(-|$)|gemini|palm|grok-(?!1(-|$))|command-a|nova-|titan-|sonar",
  String.raw`(mistral|magistral|devstral)-(medium|small-latest)|mistral-large(-latest|-2[45]\d\d)?$|ministral-\d+b-latest`,
  String.raw`(codestral|pixtral-large)-(latest|2\d\d\d)|jamba-\d|reka-|hunyuan-turbo|moonshot-v1|kimi-latest|doubao`,
  String.raw`qwen[\d.]*-((vl|coder|omni)-)?(max|plus|turbo|flash|long)|glm-[\d.]+-(plus|flash|long|x|airx)|ernie-(?!4\.5-[\d.]+b)`,
);
/** Where a maker has both sorts, a name has to say more: of Qwen and Mistral how many parameters there are. */
const OPEN = beginning(
  "gpt-(oss|neo|j-|2)|gpt2|pythia|(meta-|code|tiny)?llama|vicuna|(code|med|shield|function|embedding)?gemma",
  String.raw`qwen[\d.]*[-:].*\db|(qwq|qvq)[-:]\d+b|deepseek-(v\d|r\d|llm-\d|coder.*\db|math-\d)|smol(lm|vlm)|phi-?\d|olmo`,
  String.raw`(open-)?(mistral-(7b|nemo)|mixtral)|mistral-small[-:.\d]*24b|mistral-large-3-675b|ministral-(8b-2|3-\d+b)`,
  String.raw`mathstral|(magistral|devstral)-small-2|devstral-2-123b|glm-4\.[567](-air)?$|glm-(4|z1).*[-.](9|32)b|chatglm\d?-6b`,
  String.raw`kimi-k2(?!.*turbo)|minimax-(m[12](\.\d)?$|text-01)|ernie-4\.5-[\d.]+b|seed-oss|internlm|baichuan2?-(7|13)b|yi-.*\db`,
  String.raw`falcon|granite|bloom|opt-\d|mpt-\d|star(coder|chat)|codegen|stablelm|exaone-\d|solar-10\.7b|dbrx|lfm2|apertus`,
  "dolphin|(nous-|open)?hermes|zephyr|wizard(lm|coder)|(nvidia-)?nemotron|swe-agent-lm",
);
/** Prefixes are of several parts: `bedrock/us.anthropic.claude-...`, `openai:gpt-...`, `ft:gpt-...`, an ARN. */
const PROVIDER =
  /^(.*\/|ft:|(openai|anthropic|google|vertex_ai|azure|cohere|mistral|xai|ollama|groq|together|openrouter):|([a-z-]+\.)?(anthropic|amazon|cohere|mistral|google|openai|meta|qwen|deepseek)\.)/;
/** A model's own name stands last, and no name is longer. */
const MOST_CHARACTERS = 256;

/** How a user allows answers of which nothing says who wrote them. */
export const UNNAMED_TEACHER = "unnamed";

/** What is known of who wrote an answer. */
export interface AnswerWriter {
  model: string | null;
  baseHash: Hash | null;
  adapterHash: Hash | null;
  /** Whether it came from a server of the user's own, as our harness or the proxy saw. */
  isOwn: boolean;
}

/** Whether a model's name is that of one whose weights are not open. */
export function isHosted(model: string): boolean {
  return namesOf(model).some((name) => CLOSED.test(name));
}

/** Whether a model's name is that of one whose weights are open. */
export function isOpen(model: string): boolean {
  const [plain = ""] = namesOf(model).slice(-1);
  return !isHosted(model) && OPEN.test(plain);
}

/** A name, and what is left of it whenever a provider's prefix is taken off. */
function namesOf(model: string): string[] {
  const names = [model.trim().slice(-MOST_CHARACTERS).toLowerCase()];
  for (;;) {
    const [name = ""] = names.slice(-1);
    const shorter = name.replace(PROVIDER, "");
    if (shorter === name) return names;
    names.push(shorter);
  }
}

/** Whether nobody allowed an answer's writer as a teacher, and one is needed: not for a base or an adapter that is known, as it was served here. */
export function isForbiddenTeacher(
  { model, baseHash, adapterHash, isOwn }: AnswerWriter,
  allowed: { has(model: string): boolean },
): boolean {
  if (baseHash !== null || adapterHash !== null || allowed.has(model ?? UNNAMED_TEACHER)) return false;
  if (model === null) return !isOwn;
  return isHosted(model) || !(isOwn || isOpen(model));
}

/** Whether a URL leads to this machine or into a private network, where a service for everybody is none. */
export function isOwnServer(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  if (isLoopbackHost(host)) return true;
  if (isIP(host) !== 0) return kindOfIPv4(host) === "HOST" || kindOfIPv6(host) === "HOST";
  return !host.includes(".") || isPrivateName(host);
}
