/**
 * Which sessions are judged trace by trace. There each trace is an attempt of its own, as the score of one says nothing of
 * the others; elsewhere all traces of a session are one attempt. A file may have hundreds of thousands of either.
 */
import { numberList } from "../../foundation/number-list.ts";
import { textNumbers } from "../../foundation/text-numbers.ts";

/** Why a score of such a session is no verdict. */
export const JUDGED_ALONE = "it is a score of a session whose traces are judged one by one";

export interface JudgedSessions {
  /** Notes what a member of a trace says of it. */
  note(trace: string, told: { sessions: readonly string[]; isScored: boolean }): void;
  /** Whether a session has several traces, and one of them a score. Contract: all is noted before. */
  has(session: string): boolean;
  /** Numbers a trace of a session: by its place among those of a session that is judged so, else 1. */
  attemptOf(session: string, trace: string): number;
}

/** Makes the record of which sessions have which traces, all of them without a score. */
export function judgedSessions(): JudgedSessions {
  /** By session how many traces it has, and by a trace in it its number there. */
  const counts = textNumbers();
  const placeIn = textNumbers();
  /** Sessions and traces as numbers, by which the pairs are held. */
  const [sessionIds, traceIds] = [textNumbers(), textNumbers()];
  const pairs = { sessions: numberList("uint32"), traces: numberList("uint32") };
  const scored = new Set<number>();
  let judged: ReadonlySet<number> | null = null;

  const inSession = (session: string, trace: string) => JSON.stringify([session, trace]);

  function isAmong(session: string): boolean {
    judged ??= judgedAmong(pairs, scored);
    return judged.has(sessionIds.get(session) ?? -1) && (counts.get(session) ?? 0) > 1;
  }

  return {
    note(trace, { sessions, isScored }) {
      if (isScored) scored.add(idOf(traceIds, trace));
      for (const session of sessions) {
        const pair = inSession(session, trace);
        if (placeIn.get(pair) !== undefined) continue;
        const place = (counts.get(session) ?? 0) + 1;
        counts.set(session, place);
        placeIn.set(pair, place);
        pairs.sessions.push(idOf(sessionIds, session));
        pairs.traces.push(idOf(traceIds, trace));
      }
    },
    has: isAmong,
    attemptOf: (session, trace) => (isAmong(session) ? (placeIn.get(inSession(session, trace)) ?? 1) : 1),
  };
}

function idOf(ids: ReturnType<typeof textNumbers>, text: string): number {
  const known = ids.get(text);
  if (known !== undefined) return known;
  ids.set(text, ids.size);
  return ids.size - 1;
}

type Pairs = Record<"sessions" | "traces", ReturnType<typeof numberList>>;

function judgedAmong({ sessions, traces }: Pairs, scored: ReadonlySet<number>): Set<number> {
  const judged = new Set<number>();
  for (let i = 0; i < sessions.length; i++) if (scored.has(traces.at(i))) judged.add(sessions.at(i));
  return judged;
}
