/**
 * A comparison that may end as soon as it is sure: pairs are looked at in the plan's order, and bets on those that differ tell when
 * enough is seen. Pure. Valid against "no item favours the candidate"; where whole families favour one arm, the order, which
 * goes from family to family, keeps them from coming in a row.
 */
import type { AxisResult } from "../records/gate.ts";
import { type BetState, betsOf, NO_BETS, placeBet, stopsFor } from "../statistics/discordant-bets.ts";
import { isTooManyDropped } from "./dropped.ts";

/** Whether each arm passed at an item's first try; null where one of them has no verdict (yet). */
export type PairSeen = { reference: boolean; treatment: boolean } | null;

export interface Stop {
  /** Items up to and with the one after which it was enough; all of them where it never was. */
  items: number;
  state: BetState;
  verdict: "better" | "worse" | null;
}

/**
 * Folds the pairs in the plan's order, without those that have no verdict, up to the first sure answer. Where too many of the
 * pairs up to it have no verdict it looks on until they are few enough; what comes meanwhile does not change the answer.
 */
export function stopOf(pairs: readonly PairSeen[], alpha: number): Stop {
  let seen = NOTHING_SEEN;
  for (const pair of pairs) {
    seen = look(seen, pair, alpha);
    if (isEnough(seen)) break;
  }
  return { items: seen.items, state: seen.state, verdict: seen.verdict };
}

/** What was looked at, with the bets as they stood when they were first sure. */
type Seen = Stop & { dropped: number };

const NOTHING_SEEN: Seen = { items: 0, dropped: 0, state: NO_BETS, verdict: null };

function look({ items, dropped, state, verdict }: Seen, pair: PairSeen, alpha: number): Seen {
  const next = pair === null || verdict !== null ? state : seenPair(state, pair);
  return {
    ...{ items: items + 1, dropped: dropped + Number(pair === null), state: next },
    verdict: verdict ?? stopsFor(next, alpha),
  };
}

function isEnough({ items, dropped, verdict }: Seen): boolean {
  return verdict !== null && !isTooManyDropped(dropped, items);
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
  let now = NOTHING_SEEN;
  return {
    note(arm, index, passed) {
      seen[arm].set(index, passed);
      while (now.items < items && !isEnough(now)) {
        const [reference, treatment] = [seen.reference.get(now.items), seen.treatment.get(now.items)];
        if (reference === undefined || treatment === undefined) return;
        now = look(now, reference === null || treatment === null ? null : { reference, treatment }, alpha);
      }
    },
    isSure: () => isEnough(now),
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
