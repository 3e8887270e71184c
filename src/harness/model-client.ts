/**
 * The one way to a model. The `turn` with its messages is in the run log before anything else sees the answer, so
 * nothing that an answer led to is ever without its cause.
 *
 * Every try that fails is a `failure` of the boundary `endpoint`. A call that is given up is a turn without a
 * response: the endpoint's failure, never the agent's.
 *
 * Before each try the endpoint is held to what it served when the run began (endpoint-watch.ts).
 *
 * An endpoint that refuses a request for the answer's schema is asked again without it, and from then on is sent none.
 * The refusal is a `failure` of its own, and each turn that went without a schema has the flag `no-schema`.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "../foundation/canonical-json.ts";
import { counted } from "../foundation/counted.ts";
import { Failure, Refusal } from "../foundation/errors.ts";
import type { Lane } from "../foundation/fair-turns.ts";
import { waitBeforeTryMs } from "../foundation/passing-status.ts";
import type { Role, Sampling, Turn } from "../records/events.ts";
import { type AttemptId, type TurnId, turnId } from "../records/ids.ts";
import type { Message, Tool } from "../records/message.ts";
import type { Retrieval, TipSpan } from "../records/tip.ts";
import type { RunLog } from "../store/run-log.ts";
import { type Completion, type FailedTry, tryCompletion } from "./chat-completion.ts";
import type { Endpoint } from "./endpoint.ts";
import type { EndpointWatch } from "./endpoint-watch.ts";

/** How long the client bears with an endpoint. */
export interface Patience {
  timeoutMs: number;
  tries: number;
  /** The first wait; each further one is twice as long, unless the server says when to come back. */
  backoffMs: number;
}

export const PATIENCE: Patience = { timeoutMs: 300_000, tries: 5, backoffMs: 1000 };

export interface ModelCall {
  attempt: AttemptId;
  /** Counts the turns of the attempt from 1. */
  turnNumber: number;
  role: Role;
  phase: string;
  endpoint: Endpoint;
  messages: Message[];
  tools: Tool[] | null;
  /** The JSON schema that the answer is to fit; sent where the endpoint takes it. */
  answerSchema?: { name: string; schema: Record<string, Json> };
  sampling: Sampling;
  seed: number;
  retrievals: Retrieval[];
  tipSpans: TipSpan[];
  /** The template that the messages, or what was added to them, came from; null where none did. */
  template: NonNullable<Turn["template"]> | null;
  /** What the caller notices in the answer, for the record. Contract: pure, must not throw. */
  notice(answer: Message): string[];
}

export interface ModelClient {
  /**
   * Asks a model and returns its answer once that is in the log.
   * Throws: a Failure of the boundary `endpoint`: `CALL_LOST` (may work later), `CALL_REJECTED` (will not); a Refusal
   * `SERVED_MODEL_CHANGED`, which ends the run; the reason of the signal where that was aborted.
   */
  call(call: ModelCall): Promise<{ turn: TurnId; answer: Message }>;
}

/** Makes the client of one run, which logs every call in `log`; `turn` lets calls go one at a time. */
export function modelClient(
  log: RunLog,
  {
    patience,
    watch,
    turn,
    signal,
  }: { patience: Patience; watch: EndpointWatch; turn?: Lane | undefined; signal: AbortSignal },
): ModelClient {
  const takesNoSchema = new Set<string>();

  async function call(c: ModelCall): Promise<{ turn: TurnId; answer: Message }> {
    const { endpoint, messages, tools } = c;
    const { timeoutMs, tries, backoffMs } = patience;
    let request = requestOf(c, takesNoSchema.has(endpoint.url));
    const tryOnce = async () => {
      await watch.look(endpoint).catch((error) => {
        recordChange(log, c, error);
        throw error;
      });
      const startMs = performance.now();
      const outcome = await tryCompletion({ endpoint, request, messages, tools, timeoutMs, signal });
      return { outcome, latencyMs: Math.round(performance.now() - startMs) };
    };
    for (let count = 1; ; count++) {
      const leave = await turn?.();
      const { outcome, latencyMs } = await tryOnce().finally(leave);
      if ("answer" in outcome) {
        return { turn: recordTurn(log, c, { request, latencyMs, completion: outcome }), answer: outcome.answer };
      }
      if (request.response_format !== undefined && isAboutSchema(outcome)) {
        recordFailure(log, c, { ...outcome, code: "SCHEMA_REFUSED" });
        takesNoSchema.add(endpoint.url);
        request = requestOf(c, true);
        continue;
      }
      recordFailure(log, c, outcome);
      if (outcome.next !== "retry" || count >= tries) {
        recordTurn(log, c, { request, latencyMs, completion: null });
        throw givenUp(c, outcome, count);
      }
      await sleep(waitBeforeTryMs(outcome.retryAfterMs, backoffMs * 2 ** (count - 1)), undefined, { signal });
    }
  }

  return { call };
}

function recordTurn(
  log: RunLog,
  c: ModelCall,
  answered: { request: Turn["request"]; latencyMs: number; completion: Completion | null },
): TurnId {
  const { request, latencyMs, completion } = answered;
  const turn: Turn = {
    turn: turnId(c.attempt, c.turnNumber),
    attempt: c.attempt,
    role: c.role,
    phase: c.phase,
    messages: c.messages.map((message) => log.message(message)),
    tools: c.tools === null ? null : log.tools(c.tools),
    response: completion && log.message(completion.answer),
    finishReason: completion?.finishReason ?? null,
    usage: completion?.usage ?? null,
    latencyMs,
    request,
    modelAnswered: completion?.modelAnswered ?? null,
    baseHash: c.endpoint.baseHash,
    adapterHash: c.endpoint.adapterHash,
    parseFlags: completion ? [...flagsOf(c, answered.request, completion), ...c.notice(completion.answer)] : [],
    retrievals: c.retrievals,
    tipSpans: c.tipSpans,
    ...(c.template !== null && { template: c.template }),
  };
  log.append({ type: "turn", data: turn });
  return turn.turn;
}

function recordFailure(log: RunLog, c: ModelCall, { code, reason }: FailedTry): void {
  const data = { boundary: "endpoint", code, message: reason.toWellFormed(), attempt: c.attempt };
  log.append({ type: "failure", data });
}

/** The call is not made: there is no turn of it. */
function recordChange(log: RunLog, { attempt }: ModelCall, error: unknown): void {
  if (!(error instanceof Refusal)) return;
  const { code, message } = error;
  log.append({ type: "failure", data: { boundary: "endpoint", code, message: message.toWellFormed(), attempt } });
}

/** A server that does not know the field names it; one that cannot hold to a schema names the schema, or its grammar. */
function isAboutSchema({ code, next, reason }: FailedTry): boolean {
  return next === "reject" && code !== "HTTP_413" && /response_format|schema|grammar/i.test(reason);
}

function requestOf({ endpoint, sampling, seed, answerSchema }: ModelCall, isWithoutSchema: boolean): Turn["request"] {
  const isHeld = answerSchema !== undefined && !isWithoutSchema;
  return {
    model: endpoint.model,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    max_tokens: sampling.maxTokens,
    ...(endpoint.takesSeed !== false && { seed }),
    ...(isHeld && { response_format: { type: "json_schema", json_schema: { ...answerSchema, strict: true } } }),
  };
}

function flagsOf(
  { answerSchema }: ModelCall,
  { response_format }: Turn["request"],
  { answer, finishReason }: Completion,
): string[] {
  const isFree = answerSchema !== undefined && response_format === undefined;
  const isEmpty = (answer.content ?? "").trim() === "" && (answer.tool_calls ?? []).length === 0;
  return [
    ...(isEmpty ? ["empty"] : []),
    ...(finishReason === "length" ? ["cut-at-max-tokens"] : []),
    ...(isFree ? ["no-schema"] : []),
  ];
}

function givenUp(c: ModelCall, { code, reason, next }: FailedTry, tries: number): Failure {
  return new Failure({
    boundary: "endpoint",
    code: next === "reject" ? "CALL_REJECTED" : "CALL_LOST",
    message: `${c.endpoint.url} gave no answer (${counted(tries, "try", "tries")}, last ${code}: ${reason})`,
  });
}
