/**
 * The reflector's answers as a pair needs them: the prompt as it was sent, the answer as it came, and who gave it. An
 * answer is worth what its one tip is worth; nothing is cut out of an answer of several, and none is made up.
 */
import { z } from "zod";
import type { Hash } from "../foundation/hashing.ts";
import type { Message } from "../records/message.ts";
import { LESSONS, structuredAnswer } from "../records/role-answer.ts";
import { sqlText } from "../store/duckdb.ts";
import type { Lake } from "../store/lake.ts";
import type { RecordedTexts } from "../store/recorded-texts.ts";
import { type CandidateTexts, candidateTexts } from "./candidate-texts.ts";
import type { CreditedTip } from "./credit.ts";

export interface ReflectorAnswer {
  prompt: Message[];
  answer: Message;
  model: string | null;
  baseHash: Hash | null;
  adapterHash: Hash | null;
}

/** Why an answer cannot stand for its tip. */
export type UnusableAnswer = "incomplete" | "truncated" | "several-tips-in-one-answer";

const rowSchema = z.object({
  turn: z.string(),
  messages: z.array(z.string()),
  response: z.string(),
  is_whole: z.boolean(),
  finish_reason: z.string().nullable(),
  model: z.string().nullable(),
  base_hash: z.string().nullable(),
  adapter_hash: z.string().nullable(),
});

/** Reads the turn of each tip that has one. Shapes: by turn; a turn that wrote two tips of the list is read once. */
export async function readAnswers(
  { lake, texts }: { lake: Lake; texts: RecordedTexts },
  tips: readonly CreditedTip[],
): Promise<Map<string, ReflectorAnswer | UnusableAnswer>> {
  const byTurn = new Map(tips.flatMap((tip) => (tip.source.turn === null ? [] : [[String(tip.source.turn), tip]])));
  if (byTurn.size === 0) return new Map();
  const rows = await lake.query(
    `SELECT turn, messages, response, has_system_prompt AND has_tools AND has_full_prompt AND has_full_answer AS is_whole,
      finish_reason, model, base_hash, adapter_hash
      FROM files.turns WHERE turn IN (${[...byTurn.keys()].map(sqlText).join(", ")}) AND response IS NOT NULL ORDER BY turn`,
  );
  const checked = candidateTexts(texts);
  return new Map(
    rows.map((row) => {
      const read = rowSchema.parse(row);
      return [read.turn, answerOf(read, byTurn.get(read.turn) as CreditedTip, checked)];
    }),
  );
}

function answerOf(
  row: z.infer<typeof rowSchema>,
  { source, text }: CreditedTip,
  texts: CandidateTexts,
): ReflectorAnswer | UnusableAnswer {
  const answer = texts.message(source.run, row.response);
  const prompt = row.messages.flatMap((hash) => texts.message(source.run, hash) ?? []);
  if (!row.is_whole || answer === null || prompt.length === 0 || prompt.length < row.messages.length)
    return "incomplete";
  if (row.finish_reason === "length") return "truncated";
  const lessons = structuredAnswer(LESSONS.schema, answer)?.tips ?? [];
  if (lessons.length > 1) return "several-tips-in-one-answer";
  if (lessons[0]?.text !== text) return "incomplete";
  return {
    prompt,
    answer,
    model: row.model,
    baseHash: row.base_hash as Hash | null,
    adapterHash: row.adapter_hash as Hash | null,
  };
}
