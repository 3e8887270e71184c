/**
 * `tracemill validate --runs`: two runs that exist already, paired by item. Nobody planned them, so nothing is decided.
 */
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { RunId } from "../records/ids.ts";
import type { Home } from "../store/home.ts";
import { listRuns } from "../store/runs.ts";
import { compareRuns, readGate, type UnrandomisedComparison } from "../validate/index.ts";
import type { Context } from "./command.ts";
import type { ValidateOptions } from "./validate-input.ts";

/** Compares the two runs that are named. Throws: `BAD_ARGUMENT`, `UNKNOWN_RUN`, `BAD_GATE`, as `compareRuns`. */
export async function compareExistingRuns(
  { runs, gate, seed }: ValidateOptions,
  { home }: Context,
): Promise<UnrandomisedComparison> {
  const [reference, treatment, ...more] = await sealedRunsNamed(home, runs);
  if (reference === undefined || treatment === undefined || more.length > 0) {
    throw new Refusal({
      code: "BAD_ARGUMENT",
      message: "Two runs are compared.",
      expected: "--runs REFERENCE --runs TREATMENT",
      got: `${runs.length}`,
      fix: "tracemill runs lists them",
    });
  }
  return compareRuns(home, { runs: [reference, treatment], alpha: (await readGate(home, gate)).alpha, seed });
}

async function sealedRunsNamed(home: Home, names: readonly string[]): Promise<RunId[]> {
  const sealed = (await listRuns(home)).filter(({ isSealed }) => isSealed).map(({ run }) => run);
  return names.map((name) => {
    const run = sealed.find((one) => one === name);
    if (run === undefined) throw unknownName("run", name, sealed);
    return run;
  });
}
