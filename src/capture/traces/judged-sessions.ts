/**
 * Which sessions are judged trace by trace. There each trace is an attempt of its own, as the score of one says nothing of
 * the others; elsewhere all traces of a session are one attempt.
 */

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
  /** Of each session its traces, numbered as they came. */
  const traces = new Map<string, Map<string, number>>();
  const scored = new Set<string>();

  let judged: ReadonlySet<string> | null = null;

  function has(session: string): boolean {
    const isJudged = (own: Map<string, number>) => own.size > 1 && [...own.keys()].some((trace) => scored.has(trace));
    judged ??= new Set([...traces].flatMap(([name, own]) => (isJudged(own) ? [name] : [])));
    return judged.has(session);
  }

  return {
    note(trace, { sessions, isScored }) {
      if (isScored) scored.add(trace);
      for (const session of sessions) {
        const own = traces.get(session) ?? new Map<string, number>();
        traces.set(session, own);
        if (!own.has(trace)) own.set(trace, own.size + 1);
      }
    },
    has,
    attemptOf: (session, trace) => (has(session) ? (traces.get(session)?.get(trace) ?? 1) : 1),
  };
}
