/**
 * Passes one call on to the model's server and its answer back, byte for byte, and records both. The answer, or what
 * ends a stream, is passed on only after the record was handed over; everything before the end of a stream goes at once.
 */
import { performance } from "node:perf_hooks";
import { type Dispatcher, request as send } from "undici";
import { hasCanonicalForm } from "../foundation/canonical-json.ts";
import { Failure } from "../foundation/errors.ts";
import { eventCutter, objectOf } from "./event-stream.ts";
import type { CallEnd, OpenCall } from "./recorded-turn.ts";
import type { Recorder } from "./recorder.ts";
import { streamReader } from "./stream-reader.ts";
import { type GivenAnswer, WIRES } from "./wire/index.ts";

export interface Upstream {
  /** Without a slash at its end. */
  url: string;
  agent: Dispatcher;
  timeoutMs: number;
}

/** A call on its way: what is sent on, and its place in the record. */
export interface Relayed {
  /** Path and query below the upstream's `/v1`. */
  path: string;
  method: string;
  /** Names and values in turn, as they came. */
  headers: readonly string[];
  body: Buffer | null;
  signal: AbortSignal;
  /** Breaks the client's connection off, as the server broke its own. */
  breakOff(): Promise<void>;
}

type Answer = Dispatcher.ResponseData;

/** Headers that belong to one connection, or that this end makes itself. */
const OWN_HEADERS =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|accept-encoding|expect|x-tracemill-.*)$/i;
const MOST_ANSWER_BYTES = 64 << 20;
/** Of an answer that is longer. */
const MOST_RAW_BYTES = 8 << 20;
/** Why a log cannot hold what was said, though it is JSON. */
export const NO_FORM = "says half of a surrogate pair, a number beyond all bounds, or what is nested too deeply";
const UNREADABLE_ANSWER = { code: "UNREADABLE_ANSWER", message: `an answer that ${NO_FORM}` };
/** The flag of a turn whose client did not wait for the answer's end. */
const CLIENT_GONE = "client-gone";

/** Passes a call on without recording it. Throws: a Failure of the boundary `endpoint`. */
export async function passOn(upstream: Upstream, relayed: Relayed): Promise<Response> {
  const { statusCode, headers, body } = await sent(upstream, relayed);
  const isEmpty = statusCode === 204 || statusCode === 304;
  return new Response(isEmpty ? null : (ReadableStream.from(body) as ReadableStream<Uint8Array>), {
    status: statusCode,
    headers: passedHeaders(headers),
  });
}

/** Passes a call on and records it. Throws: a Failure of the boundary `endpoint`, recorded too; what the record throws. */
export async function relay(
  { upstream, recorder }: { upstream: Upstream; recorder: Recorder },
  relayed: Relayed,
  call: OpenCall,
): Promise<Response> {
  const startMs = performance.now();
  const end = (part: Omit<CallEnd, "latencyMs">) =>
    recorder.end(call, { ...part, latencyMs: Math.round(performance.now() - startMs) });
  let answer: Answer;
  try {
    answer = await sent(upstream, relayed);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await end({ answer: null, status: null, failure: error, flags: goneFlags(relayed.signal) });
    throw error;
  }
  const status = answer.statusCode;
  const headers = passedHeaders(answer.headers);
  if (status === 200 && /^text\/event-stream/i.test(headers.get("content-type") ?? "")) {
    const pieces = streamed(answer, { call, end, signal: relayed.signal, breakOff: relayed.breakOff });
    return new Response(ReadableStream.from(pieces) as ReadableStream<Uint8Array>, { status, headers });
  }
  return whole(answer, { call, end, headers, signal: relayed.signal });
}

type End = (part: Omit<CallEnd, "latencyMs">) => Promise<void>;

async function whole(
  { statusCode: status, body }: Answer,
  { call, end, headers, signal }: { call: OpenCall; end: End; headers: Headers; signal: AbortSignal },
): Promise<Response> {
  const { bytes, rest, cut } = await bounded(body);
  if (cut !== null) {
    const code = signal.aborted ? "CLIENT_GONE" : isTimeout(cut) ? "TIMEOUT" : "CONNECTION";
    const failure = endpointFailure(code, `the answer broke off: ${cut.message}`, cut);
    await end({ answer: null, status, failure, flags: goneFlags(signal), raw: bytes.toString("utf8") });
    throw failure;
  }
  if (rest !== null) {
    const failure = { code: "ANSWER_TOO_LARGE", message: `an answer of more than ${MOST_ANSWER_BYTES} bytes` };
    await end({ answer: null, status, failure, flags: [], raw: bytes.toString("utf8", 0, MOST_RAW_BYTES) });
    return new Response(ReadableStream.from(withRest(bytes, rest)) as ReadableStream<Uint8Array>, { status, headers });
  }
  const text = bytes.toString("utf8");
  const parsed = objectOf(text);
  const wire = WIRES[call.sent.api];
  const given = status === 200 && parsed !== null ? wire.readAnswer(parsed) : null;
  const isError = parsed !== null && wire.isError(parsed);
  const failure = answerFailure(given, { status, isError, text });
  await end({
    answer: failure === null ? given : null,
    status,
    failure,
    flags: [],
    ...(failure !== null && { raw: text }),
  });
  return new Response(new Uint8Array(bytes), { status, headers });
}

/** Why an answer that came whole is none; null where it is one. */
function answerFailure(
  given: GivenAnswer | null,
  { status, isError, text }: { status: number; isError: boolean; text: string },
): CallEnd["failure"] {
  if (status !== 200) return { code: `HTTP_${status}`, message: text };
  if (isError) return { code: "FAILED_ANSWER", message: `the server answered with an error: ${text}` };
  if (given === null) return { code: "MALFORMED_ANSWER", message: `the answer is none of this API: ${text}` };
  return hasCanonicalForm(given) ? null : UNREADABLE_ANSWER;
}

/** The pieces of a stream; what ends the answer, and all after it, comes once the record is made. */
async function* streamed(
  { statusCode: status, body }: Answer,
  { call, end, signal, breakOff }: { call: OpenCall; end: End } & Pick<Relayed, "signal" | "breakOff">,
): AsyncGenerator<Uint8Array> {
  const reader = streamReader(WIRES[call.sent.api], call.sent.request);
  const cutter = eventCutter();
  const pieces: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let isRecorded = false;
  let cut: unknown = null;
  const record = async (failure: CallEnd["failure"], flags: string[]) => {
    isRecorded = true;
    const answer = reader.answer();
    const isHeld = hasCanonicalForm(answer);
    const fault = reader.fault();
    const wrong = failure ?? fault?.failure ?? (isHeld ? null : UNREADABLE_ANSWER);
    const all = fault === null ? flags : [...flags, fault.flag];
    const raw = [...(isHeld ? reader.unread() : reader.heard()), cutter.rest().toString("utf8")].join("\n");
    await end({ answer: isHeld ? answer : null, status, failure: wrong, flags: all, raw: raw.trim() });
  };
  try {
    try {
      // Not to the end of the response: a server may leave it open long after the last event.
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
        for (const { bytes, data } of cutter.take(next.value)) {
          if (data !== null) reader.take(data);
          if (reader.isEnded()) held.push(bytes);
          else yield bytes;
        }
        if (reader.isOver()) break;
      }
    } catch (error) {
      cut = error;
    }
    if (cutter.rest().length > 0) held.push(cutter.rest());
    if (!signal.aborted) {
      const isCut = cut !== null || !reader.isEnded();
      await record(isCut ? cutFailure(cut) : null, isCut ? ["stream-cut"] : []);
      yield* held;
      if (cut !== null || !(yield* passedToEnd(pieces))) await breakOff();
    }
  } finally {
    body.destroy(); // the server need not go on where the client went away
    if (!isRecorded) {
      // What had come until then is the record.
      await record({ code: "CLIENT_GONE", message: "the client went away before the answer ended" }, [CLIENT_GONE]);
    }
  }
}

/** What comes after the answer, which nobody reads; false where the connection broke. */
async function* passedToEnd(pieces: AsyncIterator<Buffer>): AsyncGenerator<Uint8Array, boolean> {
  try {
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value;
    return true;
  } catch {
    return false;
  }
}

function goneFlags(signal: AbortSignal): string[] {
  return signal.aborted ? [CLIENT_GONE] : [];
}

function cutFailure(cause: unknown): NonNullable<CallEnd["failure"]> {
  const reason = cause instanceof Error ? cause.message : "its last event is missing";
  return {
    code: isTimeout(cause) ? "TIMEOUT" : "STREAM_CUT",
    message: `the stream ended before the answer did: ${reason}`,
  };
}

async function sent({ url, agent, timeoutMs }: Upstream, relayed: Relayed): Promise<Answer> {
  const { path, method, headers, body, signal } = relayed;
  const passed = headers.filter((_, i) => !OWN_HEADERS.test(headers[i - (i % 2)] as string));
  try {
    return await send(`${url}${path}`, {
      method: method as Dispatcher.HttpMethod,
      headers: [...passed, "accept-encoding", "identity"],
      body,
      signal,
      dispatcher: agent,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  } catch (cause) {
    const { code = "", message } = cause as Error & { code?: string };
    if (isTimeout(cause)) throw endpointFailure("TIMEOUT", `no answer within ${timeoutMs} ms`, cause);
    throw endpointFailure(signal.aborted ? "CLIENT_GONE" : "CONNECTION", message || code, cause);
  }
}

function endpointFailure(code: string, message: string, cause: unknown): Failure {
  return new Failure({ boundary: "endpoint", code, message, cause });
}

function passedHeaders(headers: Answer["headers"]): Headers {
  const passed = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || OWN_HEADERS.test(name)) continue;
    for (const one of Array.isArray(value) ? value : [value]) passed.append(name, one);
  }
  return passed;
}

/** An answer's bytes; of one that is too long to be recorded, or broke off, what came so far with the rest, or with why. */
interface ReadBytes {
  bytes: Buffer;
  rest: AsyncIterator<Buffer> | null;
  cut: Error | null;
}

async function bounded(body: Answer["body"]): Promise<ReadBytes> {
  const chunks: Buffer[] = [];
  const rest: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  const read = () => (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
  let sizeBytes = 0;
  try {
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      chunks.push(next.value);
      sizeBytes += next.value.length;
      if (sizeBytes > MOST_ANSWER_BYTES) return { bytes: read(), rest, cut: null };
    }
  } catch (error) {
    return { bytes: read(), rest: null, cut: error as Error };
  }
  return { bytes: read(), rest: null, cut: null };
}

async function* withRest(bytes: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Uint8Array> {
  yield bytes;
  try {
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Whether the server was waited for as long as may be: for its answer to begin, or for more of it. */
function isTimeout(error: unknown): boolean {
  return /^UND_ERR_(HEADERS|CONNECT|BODY)_TIMEOUT$/.test((error as { code?: string } | null)?.code ?? "");
}
