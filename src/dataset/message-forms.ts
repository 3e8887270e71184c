/**
 * Messages in the forms that formats ask for. What differs most is a tool call's arguments: an object where a chat
 * template runs over them, JSON text where an API reads them; a file holds one of the two, whatever was recorded.
 */
import type { Message } from "../records/message.ts";
import type { AnswerRow, PairRow, RerankerRow, Tokens } from "../records/selection.ts";
import type { DatasetFormat } from "./format.ts";
import type { Reason } from "./reasons.ts";

export type Refused = { refused: Reason };
type WithId<Row> = Row & { id: string };
type Arguments = NonNullable<Message["tool_calls"]>[number]["function"]["arguments"];

/** A format's `line` over rows of one answer; others are refused. */
export function ofAnswers(
  write: (row: WithId<AnswerRow>, tokens: Tokens | null) => string | Refused,
): DatasetFormat["line"] {
  return (row, tokens) => (row.kind === "answer" ? write(row, tokens) : { refused: "other-tier" });
}

/** A format's `line` over pairs of answers; others are refused. */
export function ofPairs(write: (row: WithId<PairRow>) => string | Refused): DatasetFormat["line"] {
  return (row) =>
    row.kind === "worker-pair" || row.kind === "reflector-pair" ? write(row) : { refused: "other-tier" };
}

/** A format's `line` over pairs of tips; whatever an answer is in is refused. */
export function ofTipPairs(write: (row: WithId<RerankerRow>) => string | Refused): DatasetFormat["line"] {
  return (row) => (row.kind === "reranker-pair" ? write(row) : { refused: "other-tier" });
}

/** Whether a message of the completion that `isExcused` does not excuse is not to be trained on. */
export function hasUntrained(
  { completion, trained }: Pick<AnswerRow, "completion" | "trained">,
  isExcused: (message: Message) => boolean,
): boolean {
  return completion.some((message, index) => trained[index] !== true && !isExcused(message));
}

/** Returns the messages with every call's arguments as an object; the same list where that is so already. */
export function withObjectArguments(messages: Message[]): Message[] | Refused {
  return withArguments(messages, (given) => (typeof given === "string" ? parsed(given) : { arguments: given }));
}

/** Returns the messages with every call's arguments as JSON text: as it was recorded, where it was text. */
export function withTextArguments(messages: Message[]): Message[] | Refused {
  return withArguments(messages, (given) => {
    if (typeof given !== "string") return { arguments: JSON.stringify(given) };
    const object = parsed(given);
    return "refused" in object && object.refused === "arguments-not-an-object" ? object : { arguments: given };
  });
}

/** The reasoning that some servers give beside an answer; empty where there is none. */
export function reasoningOf({ reasoning_content, reasoning }: Message): string {
  const given = reasoning_content ?? reasoning;
  return typeof given === "string" ? given : "";
}

function withArguments(
  messages: Message[],
  convert: (given: Arguments) => { arguments: Arguments } | Refused,
): Message[] | Refused {
  if (!messages.some(({ tool_calls }) => tool_calls !== undefined)) return messages;
  const converted: Message[] = [];
  for (const message of messages) {
    const calls = [];
    for (const call of message.tool_calls ?? []) {
      const result = convert(call.function.arguments);
      if ("refused" in result) return result;
      calls.push({ ...call, function: { ...call.function, ...result } });
    }
    converted.push(message.tool_calls === undefined ? message : { ...message, tool_calls: calls });
  }
  return converted;
}

function parsed(text: string): { arguments: Exclude<Arguments, string> } | Refused {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { refused: "arguments-not-an-object" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { refused: "arguments-not-an-object" };
  if (losesDigits(text, value) || holdsInfinity(value) || losesKeys(text, value))
    return { refused: "arguments-lose-precision" };
  return { arguments: value as Exclude<Arguments, string> };
}

/** A number that no double holds is read as infinite, and would be written as null. */
function holdsInfinity(value: unknown): boolean {
  const pending = [value];
  while (pending.length > 0) {
    const one = pending.pop();
    if (typeof one === "number" && !Number.isFinite(one)) return true;
    if (typeof one === "object" && one !== null) for (const inner of Object.values(one)) pending.push(inner);
  }
  return false;
}

/** A text or a key of JSON, the latter with its colon. */
const QUOTED = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** Whether a key stands twice in an object of the text: of these the last one alone is left once it was parsed. */
function losesKeys(text: string, value: object): boolean {
  let keys = 0;
  for (const [, colon] of text.matchAll(QUOTED)) if (colon !== undefined) keys += 1;
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const one = pending.pop();
    if (typeof one !== "object" || one === null) continue;
    if (!Array.isArray(one)) keys -= Object.keys(one).length;
    for (const inner of Object.values(one)) pending.push(inner);
  }
  return keys !== 0;
}

/** Whether a run of more digits than a double holds is gone once the text was parsed. */
function losesDigits(text: string, value: object): boolean {
  const runs = text.match(/\d{16,}/g);
  if (runs === null) return false;
  const again = JSON.stringify(value);
  return runs.some((run) => !again.includes(run));
}
