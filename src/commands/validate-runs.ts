/**
 * `tracemill validate --runs`: two runs that exist already, paired by item. Nobody planned them, so nothing is decided.
 */
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { printable } from "../foundation/printable.ts";
import type { RunId } from "../records/ids.ts";
import type { Revocation } from "../records/ledger-entries.ts";
import { revocationsText, revokedOfRuns } from "../registry/index.ts";
import type { Home } from "../store/home.ts";
import { listRuns } from "../store/runs.ts";
import { compareRuns, readGate, renderUnrandomised, type UnrandomisedComparison } from "../validate/index.ts";
import type { Context } from "./command.ts";
import type { ValidateOptions } from "./validate-input.ts";

/** The comparison of two runs, and what is revoked of them: they themselves, attempts in them, verifiers that judged in them. */
export type ExistingRuns = UnrandomisedComparison & { revoked: Revocation[] };

/** Compares the two runs that are named. Throws: `BAD_ARGUMENT`, `UNKNOWN_RUN`, `BAD_GATE`, as `compareRuns`. */
export async function compareExistingRuns(
  { runs, gate, seed }: ValidateOptions,
  { home }: Context,
): Promise<ExistingRuns> {
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
  const { alpha } = await readGate(home, gate);
  const compared = await compareRuns(home, { runs: [reference, treatment], alpha, seed });
  return { ...compared, revoked: await revokedOfRuns(home, [reference, treatment]) };
}

/** Renders what came out, and first what of it is not to be relied on. */
export function existingRunsText({ revoked, ...compared }: ExistingRuns): string {
  return [
    ...(revoked.length === 0 ? [] : [printable(`Not to be relied on, as it is revoked: ${revocationsText(revoked)}.`)]),
    renderUnrandomised(compared),
  ].join("\n");
}

async function sealedRunsNamed(home: Home, names: readonly string[]): Promise<RunId[]> {
  const sealed = (await listRuns(home)).filter(({ isSealed }) => isSealed).map(({ run }) => run);
  return names.map((name) => {
    const run = sealed.find((one) => one === name);
    if (run === undefined) throw unknownName("run", name, sealed);
    return run;
  });
}
