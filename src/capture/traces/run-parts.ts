/**
 * A long file of traces is several runs, so that memory does not grow with it: a run ends where it has enough of them and no
 * session goes on.
 */
import type { ForeignRun } from "../foreign.ts";
import type { Group } from "./member-groups.ts";

const MOST_GROUPS_A_RUN = 25_000;

/**
 * Returns a function that is asked before each group of a file: the run that begins with it, null where none does, as in a file
 * without a run.
 */
export function runParts(run: ForeignRun | null): (group: Pick<Group<unknown>, "isSettled">) => ForeignRun | null {
  if (run === null) return () => null;
  let [part, count, isDue] = [1, 0, false];
  return ({ isSettled }) => {
    const begins = isDue;
    if (begins) [part, count] = [part + 1, 0];
    count += 1;
    isDue = isSettled && count >= MOST_GROUPS_A_RUN;
    return begins ? { ...run, nativeId: `${run.nativeId}#${part}` } : null;
  };
}
