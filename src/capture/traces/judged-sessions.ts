/**
 * Which sessions are judged trace by trace. There each trace is an attempt of its own, as the score of one says nothing of
 * the others; elsewhere all traces of a session are one attempt. A file may have hundreds of thousands of either, so that they
 * are held as numbers, and the traces of a session are told apart only where it is judged so.
 */
import { type NumberList, numberList } from "../../foundation/number-list.ts";
import { type TextNumbers, textNumbers } from "../../foundation/text-numbers.ts";

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
  const [sessionIds, traceIds] = [textNumbers(), textNumbers()];
  const noted = { sessions: numberList("uint32"), traces: numberList("uint32"), scored: numberList("uint32") };
  let judged: ReadonlyMap<number, ReadonlyMap<number, number>> | null = null;

  /** The places of a session's traces, where they are judged one by one. */
  function placesIn(session: string): ReadonlyMap<number, number> | undefined {
    judged ??= judgedAmong(noted, { sessions: sessionIds.size, traces: traceIds.size });
    return judged.get(sessionIds.get(session) ?? -1);
  }

  return {
    note(trace, { sessions, isScored }) {
      if (isScored) noted.scored.push(idIn(traceIds, trace));
      for (const session of sessions) {
        const [sessionId, traceId] = [idIn(sessionIds, session), idIn(traceIds, trace)];
        const last = noted.sessions.length - 1;
        if (last >= 0 && noted.sessions.at(last) === sessionId && noted.traces.at(last) === traceId) continue;
        noted.sessions.push(sessionId);
        noted.traces.push(traceId);
      }
    },
    has: (session) => placesIn(session) !== undefined,
    attemptOf: (session, trace) => placesIn(session)?.get(traceIds.get(trace) ?? -1) ?? 1,
  };
}

interface Noted {
  /** Which traces are in which sessions, by their ids, in the order in which it was noted and some of it several times. */
  sessions: NumberList;
  traces: NumberList;
  scored: NumberList;
}

/** The sessions that are judged trace by trace, each with the places of its traces. */
function judgedAmong(
  { sessions, traces, scored }: Noted,
  counts: { sessions: number; traces: number },
): Map<number, Map<number, number>> {
  const isScored = new Uint8Array(counts.traces);
  for (let i = 0; i < scored.length; i++) isScored[scored.at(i)] = 1;
  const hasScore = new Uint8Array(counts.sessions);
  for (let i = 0; i < sessions.length; i++) if (isScored[traces.at(i)] === 1) hasScore[sessions.at(i)] = 1;
  const first = new Int32Array(counts.sessions).fill(-1);
  const judged = new Map<number, Map<number, number>>();
  for (let i = 0; i < sessions.length; i++) {
    const [session, trace] = [sessions.at(i), traces.at(i)];
    if (hasScore[session] === 0) continue;
    if (first[session] === -1) first[session] = trace;
    if (first[session] === trace) continue;
    const own = judged.get(session) ?? new Map([[first[session] as number, 1]]);
    judged.set(session, own);
    if (!own.has(trace)) own.set(trace, own.size + 1);
  }
  return judged;
}

function idIn(ids: TextNumbers, text: string): number {
  const known = ids.get(text);
  if (known !== undefined) return known;
  ids.set(text, ids.size);
  return ids.size - 1;
}
