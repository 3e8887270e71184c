/**
 * Which runs a command reads that takes examples or tips from runs: the sealed ones of the skills, or those that the user
 * named; what is left out is told, and what is named and cannot be read is refused.
 */
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { RunId } from "../records/ids.ts";
import { listSkills } from "../skills/load.ts";
import type { Home } from "../store/home.ts";
import { coveredRuns } from "../store/ledger.ts";
import { listRuns, type RunSummary, runsWithoutLog } from "../store/runs.ts";
import { wayToSeal } from "./way-to-seal.ts";

export type SealedRun = RunSummary & { head: Hash };

export interface ChosenRuns {
  /** Oldest first. */
  runs: SealedRun[];
  /** Left out, as they are not sealed. */
  unsealed: RunId[];
  /** Left out, as their log is gone. */
  missing: RunId[];
}

/**
 * Returns the sealed runs to read, and the names of those that were left out. Unless they are named, runs over the test
 * split are not read: they hold nothing to train on.
 * Throws: `UNKNOWN_SKILL`, `UNKNOWN_RUN`, `NO_RUNS`; for a run that is named `RUN_NOT_SEALED`, `RUN_OF_OTHER_SKILL`,
 * `LOG_MISSING`.
 */
export async function chosenRuns(
  home: Home,
  skills: readonly string[],
  named?: readonly string[],
): Promise<ChosenRuns> {
  const all = await listRuns(home);
  const gone = runsWithoutLog(home);
  const known = new Set([...(await listSkills()), ...[...all, ...gone].map(({ skill }) => skill)]);
  for (const skill of skills) if (!known.has(skill)) throw unknownName("skill", skill, known);
  if (named !== undefined) {
    for (const { run } of gone) if (named.includes(run)) throw logMissing(run, home.runLog(run));
    const runs = [...new Set(named)].sort().map((run) => namedRun(all, run, skills));
    return { runs, unsealed: [], missing: [] };
  }
  const missing = gone.filter(({ skill }) => skills.includes(skill)).map(({ run }) => run);
  const covered = coveredRuns(home);
  const relevant = all.filter(
    ({ run, skill, split }) => skills.includes(skill) && split !== "test" && !covered.has(run),
  );
  const runs = relevant.filter(isSealedRun);
  const open = relevant.filter((run) => !isSealedRun(run));
  const unsealed = open.map(({ run }) => run);
  if (runs.length > 0) return { runs, unsealed, missing };
  throw new Refusal({
    code: "NO_RUNS",
    message: `There is no finished run of ${skills.join(", ")} to take examples from.`,
    expected: "at least one sealed run over train items",
    got:
      [...unsealed.map((run) => `${run} is not sealed`), ...missing.map((run) => `the log of ${run} is gone`)].join(
        ", ",
      ) || "none",
    fix: open[0] !== undefined ? wayToSeal(open[0]) : `tracemill run --skill ${skills[0]} --split train --model NAME`,
  });
}

function namedRun(all: readonly RunSummary[], name: string, skills: readonly string[]): SealedRun {
  const run = all.find((known) => known.run === name);
  if (run === undefined)
    throw unknownName(
      "run",
      name,
      all.map((known) => known.run),
    );
  if (!skills.includes(run.skill)) {
    throw new Refusal({
      code: "RUN_OF_OTHER_SKILL",
      message: `The run ${name} is of another skill.`,
      expected: skills.join(", "),
      got: run.skill,
      fix: `--skill ${run.skill}, or other --runs`,
    });
  }
  if (isSealedRun(run)) return run;
  throw new Refusal({
    code: "RUN_NOT_SEALED",
    message: `The run ${name} is not finished, so its log may still change.`,
    expected: "a sealed run",
    got: `${run.events} events, not sealed`,
    fix: wayToSeal(run),
  });
}

function logMissing(run: RunId, where: string): Refusal {
  return new Refusal({
    code: "LOG_MISSING",
    message: `The run ${run} is sealed, but its log is gone.`,
    expected: "the log as it was sealed",
    where,
    fix: "put the file back from a backup, or name other --runs",
  });
}

function isSealedRun(run: RunSummary): run is SealedRun {
  return run.isSealed && run.head !== null;
}
