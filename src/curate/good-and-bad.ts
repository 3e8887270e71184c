/** Splits examples into good answers and clean failures: those that failed by their own fault. */
import { groupBy } from "../foundation/group-by.ts";
import { answerOf, rowKey } from "./answer.ts";
import type { Candidate } from "./candidate.ts";
import type { ItemWork } from "./tier.ts";

/** With these the environment, or a gap of the verifier, may be to blame. */
const NOT_ITS_FAULT = ["environment-suspect", "evaluator-gap", "conflict", "dirty-exit"];

/**
 * Refuses what is neither: a worker's label says nothing of the answer where something else may be to blame, and that of an
 * attempt nothing of its earlier turns where it failed. A whole attempt is what its label is of, so its turns stay together.
 * What the flags of a verdict say of another role's answer, that role's rule has judged. Of the same answer that passed once
 * and failed once the pass counts: it was verified, and the failure is not the answer's. `keyOf` says what is the same.
 */
export function goodAndBad(
  sound: readonly Candidate[],
  { settings, refuse }: ItemWork,
  keyOf: (candidate: Candidate) => string = (candidate) => rowKey(candidate, answerOf(candidate, settings)),
): { good: Candidate[]; bad: Candidate[] } {
  const good = sound.filter(({ isWanted, label }) => isWanted && label?.passed === true);
  const unclear = ({ role, flags, isLast }: Candidate) => {
    if (role !== "worker") return null;
    if (flags.some((flag) => NOT_ITS_FAULT.includes(flag))) return "no-clean-label";
    return isLast || settings.unit === "attempt" ? null : "not-last-answer";
  };
  const failed = sound.filter((candidate) => candidate.label?.passed === false && unclear(candidate) === null);
  const clean = new Set([...good, ...failed]);
  for (const candidate of sound) if (!clean.has(candidate)) refuse(unclear(candidate) ?? "no-clean-label", candidate);
  if (failed.length === 0) return { good, bad: failed };
  const passes = new Map(unitsOf(good, settings).map(({ judged }) => [keyOf(judged), judged]));
  const bad = unitsOf(failed, settings).flatMap(({ judged, turns }) => {
    const pass = passes.get(keyOf(judged));
    if (pass === undefined) return turns;
    for (const turn of turns) refuse("exact-duplicate", turn, pass);
    return [];
  });
  return { good, bad };
}

/** What has a label, turn by turn or attempt by attempt: of a whole attempt its last answer, with all before it. */
function unitsOf(
  candidates: readonly Candidate[],
  { unit }: ItemWork["settings"],
): { judged: Candidate; turns: Candidate[] }[] {
  if (unit === "turn") return candidates.map((judged) => ({ judged, turns: [judged] }));
  const attempts = [...groupBy(candidates, ({ attempt }) => attempt).values()];
  return attempts.flatMap((turns) => turns.slice(-1).map((judged) => ({ judged, turns })));
}
