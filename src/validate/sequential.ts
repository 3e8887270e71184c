/**
 * A comparison that may end as soon as it is sure: pairs are looked at in the plan's order, and bets on those that differ tell when
 * enough is seen. Pure. Valid against "no item favours the candidate"; where whole families favour one arm, the order, which
 * goes from family to family, keeps them from coming in a row.
 */
import type { AxisResult } from "../records/gate.ts";
import { type BetState, betsOf, NO_BETS, placeBet, stopsFor } from "../statistics/discordant-bets.ts";

/** Whether each arm passed at an item's first try; null where one of them has no verdict (yet). */
export type PairSeen = { reference: boolean; treatment: boolean } | null;

export interface Stop {
  /** Items up to and with the one after which it was sure; all of them where it never was. */
  items: number;
  state: BetState;
  verdict: "better" | "worse" | null;
}

/** Folds the pairs in the plan's order, without those that have no verdict, up to the first sure answer. */
export function stopOf(pairs: readonly PairSeen[], alpha: number): Stop {
  let state = NO_BETS;
  for (const [index, pair] of pairs.entries()) {
    if (pair !== null) state = seenPair(state, pair);
    const verdict = stopsFor(state, alpha);
    if (verdict !== null) return { items: index + 1, state, verdict };
  }
  return { items: pairs.length, state, verdict: null };
}

/** A pair that does not differ says nothing. */
function seenPair(state: BetState, { reference, treatment }: NonNullable<PairSeen>): BetState {
  return reference === treatment ? state : placeBet(state, treatment);
}

/** What is seen of a comparison while it runs: told of each item that an arm has finished, in whatever order they come. */
export interface Watch {
  /** `passed` is null for an item that was given up without a verdict. */
  note(arm: "reference" | "treatment", index: number, passed: boolean | null): void;
  /** Whether the pairs that are whole, from the first on without a gap, are enough. */
  isSure(): boolean;
}

/** Watches `items` pairs. */
export function watchPairs(items: number, alpha: number): Watch {
  const seen = { reference: new Map<number, boolean | null>(), treatment: new Map<number, boolean | null>() };
  let [next, state, sure] = [0, NO_BETS, false];
  return {
    note(arm, index, passed) {
      seen[arm].set(index, passed);
      for (; next < items && !sure; next++) {
        const [reference, treatment] = [seen.reference.get(next), seen.treatment.get(next)];
        if (reference === undefined || treatment === undefined) return;
        if (reference !== null && treatment !== null) state = seenPair(state, { reference, treatment });
        sure = stopsFor(state, alpha) !== null;
      }
    },
    isSure: () => sure,
  };
}

/**
 * The deciding axis of such a comparison: the bets decide, and it passes only where the interval over families does too, as bets
 * take pairs of one family for unrelated.
 */
export function sequentialAxis(axis: AxisResult, { state, verdict, items }: Stop, alpha: number): AxisResult {
  const { better, worse, pairs } = betsOf(state);
  const bar = (2 / alpha).toPrecision(3);
  const shown = (wealth: number) => wealth.toPrecision(3);
  if (verdict === "better" && axis.outcome !== "passed") {
    const reason = `The bets are sure after ${items} items; over families it is not shown: ${axis.reason}`;
    return { ...axis, outcome: "inconclusive", threshold: `an e-value of ${bar}`, reason };
  }
  return {
    ...axis,
    outcome: verdict === "better" ? "passed" : verdict === "worse" ? "failed" : "inconclusive",
    threshold: `an e-value of ${bar}`,
    reason:
      verdict === null
        ? `After ${items} items, of which ${pairs} differ, the e-values are ${shown(better)} (better) and ${shown(worse)} (worse); ${bar} is asked.`
        : `It was sure after ${items} items, of which ${pairs} differ: e-value ${shown(verdict === "better" ? better : worse)}.`,
    neededItems: null,
  };
}
