/**
 * One recorded call as a turn: its messages and tools, the answer, and everything else that went over the wire.
 */
import type { Turn } from "../records/events.ts";
import { type AttemptId, turnId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";
import { keyOf } from "./conversations.ts";
import type { RecordedRun } from "./recorded-run.ts";
import type { GivenAnswer, SentCall } from "./wire/index.ts";

/** A call whose answer is not there yet, and its place. */
export interface OpenCall {
  run: RecordedRun;
  attempt: AttemptId;
  turnNumber: number;
  role: string;
  sent: SentCall;
  /** Of its messages, as conversations are told by. */
  keys: readonly string[];
  /** The model behind the proxy; null where it is not known. */
  answeredBy: Pick<Turn, "baseHash" | "adapterHash"> | null;
}

/** How a call ended. */
export interface CallEnd {
  /** What came of the answer; null where nothing did. */
  answer: GivenAnswer | null;
  /** Of the HTTP answer; null where none came. */
  status: number | null;
  /** What went wrong on the way; null where nothing did. */
  failure: { code: string; message: string } | null;
  /** `client-gone`, `stream-cut`, ... */
  flags: string[];
  latencyMs: number;
}

const MOST_REASON_CHARACTERS = 2000;

/** Appends what became of a call. Throws: as the log's `append`. */
export function recordCall(call: OpenCall, end: CallEnd): void {
  if (end.failure !== null) recordFailure(call.run, call.attempt, end.failure);
  call.run.append({ type: "turn", data: turnOf(call, end) });
}

export function recordFailure(
  run: RecordedRun,
  attempt: AttemptId | null,
  { code, message, boundary = "endpoint" }: NonNullable<CallEnd["failure"]> & { boundary?: string },
): void {
  const said = message.slice(0, MOST_REASON_CHARACTERS).toWellFormed();
  run.append({ type: "failure", data: { boundary, code, message: said, attempt } });
}

function turnOf(call: OpenCall, end: CallEnd): Turn {
  const { attempt, turnNumber, role, sent, keys, answeredBy } = call;
  const { log, book } = call.run;
  const { answer, status, flags, latencyMs } = end;
  const hashOf = (message: RecordedMessage, key: string) => {
    const hash = log.message(message);
    book.noteMessage(hash, key);
    return hash;
  };
  return {
    turn: turnId(attempt, turnNumber),
    attempt,
    role,
    phase: "call",
    messages: sent.messages.map((message, i) => hashOf(message, keys[i] as string)),
    tools: sent.tools === null ? null : log.tools(sent.tools),
    response: answer === null ? null : hashOf(answer.message, keyOf(answer.message)),
    finishReason: answer?.finishReason ?? null,
    usage: answer?.usage ?? null,
    latencyMs,
    request: sent.request,
    modelAnswered: answer?.model ?? null,
    baseHash: answeredBy?.baseHash ?? null,
    adapterHash: answeredBy?.adapterHash ?? null,
    parseFlags: flags,
    retrievals: [],
    tipSpans: [],
    wire: { api: sent.api, status, response: answer?.response ?? null },
    ...(answer?.tokenIds && { tokenIds: answer.tokenIds }),
  };
}
