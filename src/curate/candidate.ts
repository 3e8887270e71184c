/**
 * One example as the filters see it: a row of the query in `candidate-query.ts` with its texts. Lake and logs are files
 * like any other: texts are checked here, and what cannot be read is absent, for a filter to refuse.
 */
import { z } from "zod";
import { type Hash, hashJson, hashText } from "../foundation/hashing.ts";
import { jsonValue } from "../foundation/json-value.ts";
import { type ActionCall, actionCallSchema, type Role } from "../records/events.ts";
import type { AttemptId, ItemId, RunId, TipId, TurnId } from "../records/ids.ts";
import { SPLITS, type Split } from "../records/item.ts";
import type { Message, Tool } from "../records/message.ts";
import { retrievalSchema, tipSpanSchema } from "../records/tip.ts";
import type { CandidateTexts } from "./candidate-texts.ts";
import { withoutTips } from "./tip-free.ts";

export interface Candidate {
  run: RunId;
  skill: string;
  item: ItemId;
  family: string;
  /** Null for an item that the run never scanned. */
  split: Split | null;
  attempt: AttemptId;
  attemptNumber: number;
  turn: TurnId;
  turnNumber: number;
  role: Role;
  /** The prompt as sent; null where a message or the tools of it are missing or unreadable. */
  messages: Message[] | null;
  /** The prompt with its tip spans taken out; null where that cannot be done exactly. */
  tipFree: Message[] | null;
  /** Hash of the tip-free prompt and the tools. */
  promptKey: Hash;
  /** Tips that the prompt held as it was sent, and those that the answer wrote. */
  tips: TipId[];
  /** Whether its run, its attempt, every verifier that judged it, the rule of its label or a tip that its prompt held is revoked. */
  isRevoked: boolean;
  /** Whether no verdict of its attempt stands, as the attempt or what judged it is revoked. */
  isVerdictRevoked: boolean;
  /** Of these the retired ones. */
  retiredTips: TipId[];
  tools: Tool[] | null;
  response: Message | null;
  /** Whether the turn's source lacked a part of its prompt or answer, or had it clipped. */
  isClipped: boolean;
  /** Whether its prompt went over the wire as one text, without a chat template. */
  isTextCompletion: boolean;
  /** Whether a proxy recorded the call itself on its way: the server behind it answered. */
  isRecorded: boolean;
  /** Whether another agent made the turn: what it did is known from its messages alone. */
  isForeign: boolean;
  /** What this turn made the attempt do; null where it led to no action. */
  call: ActionCall | null;
  finishReason: string | null;
  /** As the endpoint counted them. */
  promptTokens: number | null;
  completionTokens: number | null;
  /** Completion tokens of all turns of its attempt's worker; null where none was counted. */
  attemptTokens: number | null;
  /** Whether it is the last turn of its attempt's worker: what it said is what was judged. */
  isLast: boolean;
  /** Whether a call of the turn failed, by its exit code or as its source says; null where neither is known. */
  commandFailed: boolean | null;
  model: string | null;
  baseHash: Hash | null;
  adapterHash: Hash | null;
  flags: string[];
  /** What was noticed while the answer was read. */
  parseFlags: string[];
  /** Whether the user's filter lets it through; a bad answer to pair a good one with, or to label, need not be. */
  isWanted: boolean;
  /** What the item's skill keeps for its verifier, as JSON text. */
  reference: string | null;
  verdict: CandidateVerdict | null;
  /** Whether the answer was good: of a worker what the verdict says, of other roles what their rule says. */
  label: CandidateLabel | null;
}

export interface CandidateLabel {
  /** Null where verdicts contradict each other. */
  passed: boolean | null;
  value: number;
  confidence: number;
  rule: string;
}

export interface CandidateVerdict {
  value: number;
  /** Null where verdicts contradict each other. */
  passed: boolean | null;
  confidence: number;
  signalType: string;
  verifierId: string;
  verifierVersion: string;
  beforePassed: boolean | null;
}

/** A column that holds JSON text; null where it is absent or does not parse to the schema. */
const jsonColumn = <T>(schema: z.ZodType<T>) =>
  z.unknown().transform((text): T | null => {
    if (typeof text !== "string") return null;
    const parsed = schema.safeParse(jsonValue(text));
    return parsed.success ? parsed.data : null;
  });

const count = z.coerce.number().nullable();
const rowSchema = z.object({
  run: z.string(),
  skill: z.string(),
  item: z.string(),
  family: z.string().nullable(),
  split: z.enum(SPLITS).nullable(),
  attempt: z.string(),
  attempt_number: z.coerce.number(),
  turn: z.string(),
  turn_number: z.coerce.number(),
  role: z.string(),
  prompt_hashes: z.array(z.string()),
  tools_hash: z.string().nullable(),
  reference: z.string().nullable(),
  response_hash: z.string(),
  tip_spans: jsonColumn(z.array(tipSpanSchema)),
  retrievals: jsonColumn(z.array(retrievalSchema)),
  is_revoked: z.boolean(),
  written_tips: z.array(z.string()).nullable(),
  is_last: z.boolean(),
  command_failed: z.boolean().nullable(),
  attempt_tokens: count,
  is_clipped: z.boolean(),
  is_text_completion: z.boolean(),
  is_recorded: z.boolean(),
  is_foreign: z.boolean(),
  tool_call: jsonColumn(actionCallSchema),
  finish_reason: z.string().nullable(),
  prompt_tokens: count,
  completion_tokens: count,
  model: z.string().nullable(),
  base_hash: z.string().nullable(),
  adapter_hash: z.string().nullable(),
  flags: z.array(z.string()).nullable(),
  verdict_value: count,
  eval_passed: z.boolean().nullable(),
  confidence: count,
  signal_type: z.string().nullable(),
  verifier_id: z.string().nullable(),
  verifier_version: z.string().nullable(),
  before_passed: z.boolean().nullable(),
  parse_flags: z.array(z.string()).nullable(),
  is_wanted: z.boolean(),
  label: z.boolean().nullable(),
  label_value: count,
  label_confidence: count,
  label_rule: z.string().nullable(),
});

/** The columns that `readCandidate` reads, but for what the query adds: whether the user's filter wants the example. */
export const CANDIDATE_COLUMNS: readonly string[] = Object.keys(rowSchema.omit({ is_wanted: true }).shape);

/** What was said of tips since they were written. */
export interface TipsSaid {
  retired: ReadonlySet<string>;
  revoked: ReadonlySet<string>;
}

/** Reads a row of the lake and the texts that it names; `said` is what became of tips. */
export function readCandidate(row: unknown, texts: CandidateTexts, said: TipsSaid): Candidate {
  const r = rowSchema.parse(row);
  const run = r.run as RunId;
  const tools = r.tools_hash === null ? null : texts.tools(run, r.tools_hash);
  const prompt = r.prompt_hashes.flatMap((hash) => texts.message(run, hash) ?? []);
  const isWhole =
    prompt.length > 0 && prompt.length === r.prompt_hashes.length && (tools !== null || r.tools_hash === null);
  const messages = isWhole ? prompt : null;
  const tipFree = messages === null || r.tip_spans === null ? null : withoutTips(messages, r.tip_spans);
  const spanned = (r.tip_spans ?? []).map(({ tip }) => tip);
  const retrieved = (r.retrievals ?? []).flatMap(({ tip, isRendered }) => (isRendered ? [tip] : []));
  const tips = [...new Set([...spanned, ...retrieved, ...((r.written_tips ?? []) as TipId[])])].sort();
  return {
    run,
    skill: r.skill,
    item: r.item as ItemId,
    family: r.family ?? "",
    split: r.split,
    attempt: r.attempt as AttemptId,
    attemptNumber: r.attempt_number,
    turn: r.turn as TurnId,
    turnNumber: r.turn_number,
    role: r.role as Role,
    messages,
    tipFree,
    promptKey: promptKey({ messages: messages ?? [], hashes: r.prompt_hashes, tipFree: tipFree ?? [] }, r.tools_hash),
    tips,
    isRevoked: r.is_revoked || tips.some((tip) => said.revoked.has(tip)),
    isVerdictRevoked: r.is_revoked && r.eval_passed === null,
    retiredTips: tips.filter((tip) => said.retired.has(tip)),
    tools,
    response: texts.message(run, r.response_hash),
    isClipped: r.is_clipped,
    isTextCompletion: r.is_text_completion,
    isRecorded: r.is_recorded,
    isForeign: r.is_foreign,
    call: r.tool_call,
    finishReason: r.finish_reason,
    promptTokens: r.prompt_tokens,
    completionTokens: r.completion_tokens,
    attemptTokens: r.attempt_tokens,
    isLast: r.is_last,
    commandFailed: r.command_failed,
    model: r.model,
    baseHash: r.base_hash as Hash | null,
    adapterHash: r.adapter_hash as Hash | null,
    flags: r.flags ?? [],
    parseFlags: r.parse_flags ?? [],
    isWanted: r.is_wanted,
    reference: r.reference,
    verdict: verdictOf(r),
    label:
      r.label_value === null || r.label_rule === null
        ? null
        : { passed: r.label, value: r.label_value, confidence: r.label_confidence ?? 0, rule: r.label_rule },
  };
}

function verdictOf(r: z.infer<typeof rowSchema>): CandidateVerdict | null {
  if (r.verifier_id === null) return null;
  return {
    value: r.verdict_value ?? 0,
    passed: r.eval_passed,
    confidence: r.confidence ?? 0,
    signalType: r.signal_type ?? "judgment",
    verifierId: r.verifier_id,
    verifierVersion: r.verifier_version ?? "",
    beforePassed: r.before_passed,
  };
}

/** A message that holds no tip is the recorded one, whose hash is known. */
function promptKey(
  { messages, hashes, tipFree }: { messages: Message[]; hashes: readonly string[]; tipFree: Message[] },
  toolsHash: string | null,
): Hash {
  const hashOf = new Map(messages.map((message, i) => [message, hashes[i]]));
  const parts = tipFree.map((message) => hashOf.get(message) ?? hashJson(message));
  return hashText([...parts, toolsHash ?? ""].join(" "));
}
