/**
 * Cuts a stream of server-sent events into whole events, byte for byte as they came, each with its data where that is
 * JSON. Bounds what it holds.
 */
import { isObject, type JsonObject } from "./reading/shapes.ts";

export interface StreamEvent {
  /** The bytes of the event with its blank line. */
  bytes: Buffer;
  /** The data as text; null where the event has none (a comment). */
  data: string | null;
}

/** An event that is longer is passed on in pieces and not read. */
const MOST_EVENT_BYTES = 32 << 20;

/** Returns a function that takes bytes and gives the events that are whole by then; `rest` is what is not. */
export function eventCutter(): { take(bytes: Uint8Array): StreamEvent[]; rest(): Buffer } {
  let pending: Buffer = Buffer.alloc(0);
  let searched = 0;
  return {
    take(bytes) {
      pending = pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([pending, bytes]);
      const events: StreamEvent[] = [];
      let start = 0;
      for (let end = eventEnd(pending, Math.max(start, searched - 3)); end !== -1; end = eventEnd(pending, start)) {
        events.push(eventOf(pending.subarray(start, end)));
        start = end;
      }
      pending = pending.subarray(start);
      searched = pending.length;
      if (pending.length > MOST_EVENT_BYTES) {
        events.push({ bytes: pending, data: null });
        pending = Buffer.alloc(0);
        searched = 0;
      }
      return events;
    },
    rest: () => pending,
  };
}

/** What an event's data says; null where it is no JSON object. */
export function objectOf(data: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Where the first event from `from` on ends, after its blank line; -1 where none is whole. */
function eventEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

const LF = 10;
const CR = 13;

function eventOf(bytes: Buffer): StreamEvent {
  const lines = bytes.toString("utf8").split(/\r?\n/);
  const data = lines.flatMap((line) => (line.startsWith("data:") ? [line.slice(line[5] === " " ? 6 : 5)] : []));
  return { bytes, data: data.length === 0 ? null : data.join("\n") };
}
