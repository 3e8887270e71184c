/**
 * Compares two runs that exist already, imported ones too, over the items that both attempted. Nobody planned it, nobody drew who
 * attempted what, and whoever looks has chosen the runs: so it shows, and decides nothing.
 */
import { counted } from "../foundation/counted.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { ZERO_HASH } from "../foundation/hashing.ts";
import type { ArmResult, PairResult } from "../records/comparison.ts";
import type { RunId } from "../records/ids.ts";
import type { Home } from "../store/home.ts";
import { withLake } from "../store/lake.ts";
import { armFigures } from "./arm-figures.ts";
import { outcomesOfRun } from "./arm-outcomes.ts";
import type { WholeArm } from "./judged-part.ts";
import { pairFigures } from "./pair-figures.ts";

export interface UnrandomisedComparison {
  label: "unrandomised";
  alpha: number;
  arms: ArmResult[];
  pair: Omit<PairResult, "verdict">;
  /** Items that only one of the runs has a verdict of. */
  unpaired: { run: string; items: number }[];
}

/**
 * Pairs the first attempts of two sealed runs by item: the first is the reference.
 * Throws: `NOTHING_TO_PAIR` with how many items each has.
 */
export async function compareRuns(
  home: Home,
  { runs, alpha, seed }: { runs: readonly [RunId, RunId]; alpha: number; seed: number },
): Promise<UnrandomisedComparison> {
  return withLake(home, async (lake) => {
    const [reference, treatment] = await Promise.all(
      runs.map((run) => outcomesOfRun(lake, { run, role: null, attempts: null, fromVerdict: false })),
    );
    assert(reference !== undefined && treatment !== undefined, "two runs give two maps");
    const shared = [...reference.keys()].filter((item) => treatment.has(item)).sort();
    if (shared.length === 0) throw nothingToPair(runs, [reference.size, treatment.size]);
    const arms = [reference, treatment].map((outcomes, index): WholeArm => {
      const arm = {
        arm: `${runs[index]}`,
        model: "",
        baseHash: ZERO_HASH,
        adapterHash: null,
        memory: "none" as const,
        tipRuns: [],
      };
      const whole = shared.flatMap((item) => outcomes.get(item) ?? []);
      // A family is a property of the item: the reference's name for it holds for both.
      const named = whole.map((outcome) => ({
        ...outcome,
        family: reference.get(outcome.item)?.family ?? outcome.family,
      }));
      return { arm, runs: [{ run: runs[index] as RunId, head: ZERO_HASH }], outcomes: named, runsOfArm: 1 };
    });
    const [pair] = pairFigures({ pairs: [[runs[0], runs[1]]], alpha, seed, samples: 1 }, arms);
    assert(pair !== undefined, "a pair of arms gives its figures");
    return {
      ...{ label: "unrandomised", alpha, arms: arms.map((arm) => armFigures(arm, alpha)), pair },
      unpaired: [reference, treatment].map((outcomes, index) => {
        return { run: `${runs[index]}`, items: outcomes.size - shared.length };
      }),
    };
  });
}

function nothingToPair(runs: readonly RunId[], items: readonly number[]): Refusal {
  return new Refusal({
    code: "NOTHING_TO_PAIR",
    message: "The two runs have no judged item in common.",
    expected: "two sealed runs over the same items",
    got: runs.map((run, index) => `${run} with ${counted(items[index] ?? 0, "judged item")}`).join(", "),
    fix: "tracemill runs lists the runs, with their skills and splits",
  });
}
