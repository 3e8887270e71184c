/**
 * One recorded call as a turn: its messages and tools, the answer, and everything else that went over the wire.
 */
import { Failure } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { Turn } from "../records/events.ts";
import { type AttemptId, turnId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";
import type { RecordedRun } from "./recorded-run.ts";
import type { GivenAnswer, SentCall } from "./wire/index.ts";

/** A call whose answer is not there yet, and its place. */
export interface OpenCall {
  run: RecordedRun;
  attempt: AttemptId;
  turnNumber: number;
  role: string;
  sent: SentCall;
  /** Of its messages. */
  hashes: readonly Hash[];
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
  /** `client-gone`, `stream-cut`, `stream-error`, `malformed-stream`. */
  flags: string[];
  latencyMs: number;
  /** What came of the answer's bytes where they, or some of them, could not be read as one. */
  raw?: string;
}

/** Of an answer that could not be read: with every character escaped a log's line still holds it. */
const MOST_RAW_CHARACTERS = 8 << 20;
const MOST_REASON_CHARACTERS = 2000;

/** Whether an answer's message is not all of it: only what came before something went wrong, or what a message has a place for. */
export function isPart({ answer, failure }: Pick<CallEnd, "answer" | "failure">): boolean {
  return answer !== null && (failure !== null || !answer.isWhole);
}

/** Appends what became of a call; of one that is no line of a log, that it is none. Throws: as the log's `append`. */
export function recordCall(call: OpenCall, end: CallEnd): void {
  const { run, attempt } = call;
  if (end.failure !== null) recordFailure(run, attempt, end.failure);
  try {
    run.append({ type: "turn", data: turnOf(call, end) });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    recordFailure(run, attempt, error);
  }
}

/** Records a failure in a run's log, with as much of its message as one may have. */
export function recordFailure(
  run: RecordedRun,
  attempt: AttemptId | null,
  { code, message, boundary = "endpoint" }: NonNullable<CallEnd["failure"]> & { boundary?: string },
): void {
  const said = message.slice(0, MOST_REASON_CHARACTERS).toWellFormed();
  run.append({ type: "failure", data: { boundary, code, message: said, attempt } });
}

function turnOf(call: OpenCall, end: CallEnd): Turn {
  const { attempt, turnNumber, role, sent, hashes, answeredBy } = call;
  const { log, book } = call.run;
  const { answer, status, flags, latencyMs, raw = "" } = end;
  const missing = [...new Set([...sent.missing, ...(isPart(end) ? (["answer"] as const) : [])])];
  const answered = (message: RecordedMessage) => {
    const hash = log.message(message);
    book.keyOf(hash, message);
    return hash;
  };
  for (const [i, hash] of hashes.entries()) if (!log.holds(hash)) log.message(sent.messages[i] as RecordedMessage);
  return {
    turn: turnId(attempt, turnNumber),
    attempt,
    role,
    phase: "call",
    messages: [...hashes],
    tools: sent.tools === null ? null : log.tools(sent.tools),
    response: answer === null ? null : answered(answer.message),
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
    wire: {
      ...{ api: sent.api, status, response: answer?.response ?? null },
      ...(raw !== "" && { raw: raw.slice(0, MOST_RAW_CHARACTERS).toWellFormed() }),
    },
    ...(missing.length > 0 && { missing }),
    ...(answer?.tokenIds && { tokenIds: answer.tokenIds }),
  };
}
