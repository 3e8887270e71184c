/**
 * One recorded call as a turn: its messages and tools, the answer, and everything else that went over the wire.
 */
import type { Turn } from "../records/events.ts";
import { type AttemptId, type RunId, turnId } from "../records/ids.ts";
import type { CallPlace } from "./call-place.ts";
import type { RecordedRun } from "./recorded-run.ts";
import type { GivenAnswer, SentCall } from "./wire/index.ts";

/** A call whose answer is not there yet. */
export interface OpenCall {
  run: RunId;
  attempt: AttemptId;
  turnNumber: number;
  place: CallPlace;
  sent: SentCall;
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
export function recordCall(run: RecordedRun, call: OpenCall, end: CallEnd): void {
  if (end.failure !== null) recordFailure(run, call.attempt, end.failure);
  run.append({ type: "turn", data: turnOf(run, call, end) });
}

export function recordFailure(
  run: RecordedRun,
  attempt: AttemptId | null,
  { code, message }: NonNullable<CallEnd["failure"]>,
): void {
  const said = message.slice(0, MOST_REASON_CHARACTERS).toWellFormed();
  run.append({ type: "failure", data: { boundary: "endpoint", code, message: said, attempt } });
}

function turnOf({ log, book }: RecordedRun, { attempt, turnNumber, place, sent }: OpenCall, end: CallEnd): Turn {
  const { answer, status, flags, latencyMs } = end;
  const hashOf = (message: Parameters<typeof log.message>[0]) => {
    const hash = log.message(message);
    book.take({ type: "message", data: { hash, message } });
    return hash;
  };
  return {
    turn: turnId(attempt, turnNumber),
    attempt,
    role: place.role,
    phase: "call",
    messages: sent.messages.map(hashOf),
    tools: sent.tools === null ? null : log.tools(sent.tools),
    response: answer === null ? null : hashOf(answer.message),
    finishReason: answer?.finishReason ?? null,
    usage: answer?.usage ?? null,
    latencyMs,
    request: sent.request,
    modelAnswered: answer?.model ?? null,
    baseHash: null,
    adapterHash: null,
    parseFlags: flags,
    retrievals: [],
    tipSpans: [],
    wire: { api: sent.api, status, response: answer?.response ?? null },
  };
}
