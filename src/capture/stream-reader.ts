/**
 * Reads a stream's events on their way: puts them together to one answer, and keeps what could not be read, within bounds.
 * Does not know how the events came.
 */
import { objectOf } from "./event-stream.ts";
import type { JsonObject } from "./reading/shapes.ts";
import type { CallEnd } from "./recorded-turn.ts";
import type { GivenAnswer, Wire } from "./wire/index.ts";

const MOST_HEARD_CHARACTERS = 8 << 20;
const MOST_UNREAD_CHARACTERS = 64 << 20;

export interface StreamReader {
  take(data: string): void;
  /** Whether no more of the answer's message comes: what it took may come yet. */
  isEnded(): boolean;
  /** Whether nothing comes any more. */
  isOver(): boolean;
  answer(): GivenAnswer | null;
  fault(): StreamFault | null;
  /** All events, up to a limit. */
  heard(): string[];
  /** Those that are none of the API's, up to a limit. */
  unread(): string[];
}

export interface StreamFault {
  failure: NonNullable<CallEnd["failure"]>;
  /** Of a turn whose answer came so. */
  flag: string;
}

/** Begins to read a stream. */
export function streamReader(wire: Wire, request: JsonObject): StreamReader {
  const join = wire.openStream(typeof request.n === "number" ? request.n : 1);
  let isEnded = false;
  let isOver = false;
  let fault: StreamFault | null = null;
  const heard = boundedTexts(MOST_HEARD_CHARACTERS);
  const unread = boundedTexts(MOST_UNREAD_CHARACTERS);
  return {
    take(data) {
      heard.keep(data);
      if (data === "[DONE]") {
        isEnded = true;
        isOver = true;
        return;
      }
      const event = objectOf(data);
      if (event === null) {
        const message = `an event is no JSON object: ${data}`;
        fault ??= { failure: { code: "MALFORMED_STREAM", message }, flag: "malformed-stream" };
        unread.keep(data);
      } else if (wire.isError(event)) {
        const message = `the server ended the stream with an error: ${data}`;
        fault ??= { failure: { code: "STREAM_ERROR", message }, flag: "stream-error" };
        unread.keep(data);
        isEnded = true;
      } else if (join.take(event)) {
        isEnded = true;
        isOver ||= !wire.saysDone;
      }
    },
    isEnded: () => isEnded,
    isOver: () => isOver,
    answer() {
      const body = join.body();
      return body === null ? null : wire.readAnswer(body);
    },
    fault: () => fault,
    heard: () => heard.texts,
    unread: () => unread.texts,
  };
}

function boundedTexts(mostCharacters: number): { texts: string[]; keep(text: string): void } {
  const texts: string[] = [];
  let characters = 0;
  return {
    texts,
    keep(text) {
      characters += text.length;
      if (characters < mostCharacters) texts.push(text);
    },
  };
}
