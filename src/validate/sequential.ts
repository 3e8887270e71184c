/**
 * A comparison that may end as soon as it is sure: bets on the pairs that differ, in the plan's order, say when enough is seen. They
 * take pairs for unrelated, which those of a family are not. So it ends only at a few places that are fixed before anything is seen, and
 * where the interval over families says the same with its share of alpha: all looks together err with no more than alpha,
 * whatever was the reason to stop and however families hang together. Pure.
 * Source: of the bets `statistics/discordant-bets.ts`; of the looks Bonferroni's inequality (Pocock 1977, Biometrika 64:191, would
 * ask a little less).
 */
import { counted } from "../foundation/counted.ts";
import type { AxisResult, GateSettings } from "../records/gate.ts";
import { type BetState, betsOf, NO_BETS, placeBet, stopsFor } from "../statistics/discordant-bets.ts";
import { cellOf, noPairs, type PairedOutcome } from "../statistics/paired-counts.ts";
import { decidingRates, tooFewFamilies } from "./deciding-interval.ts";
import { isTooManyDropped } from "./dropped.ts";

/** At how many places it may end: after each quarter of the items. */
export const LOOKS = 4;

/** Whether each arm passed at an item's first try; null where one of them has no verdict (yet). */
export type PairSeen = PairedOutcome | null;

/** What a look knows beside the pairs. */
export interface LookedAt {
  /** Of all planned items, in the plan's order. */
  families: readonly string[];
  /** Of the whole comparison. */
  alpha: number;
  gate: GateSettings;
}

export interface Stop {
  /** Items up to the place where it was enough; all of them where it never was. */
  items: number;
  verdict: "better" | "worse" | null;
  bets: SureBets;
}

/** The bets as they stood when they were first sure, else at the end. */
interface SureBets {
  state: BetState;
  verdict: "better" | "worse" | null;
}

/** Looks at the pairs in the plan's order, place by place, up to the first sure answer. */
export function stopOf(pairs: readonly PairSeen[], asked: LookedAt): Stop {
  const looks = openLooks(asked);
  for (const [index, pair] of pairs.entries()) {
    const verdict = looks.add(pair);
    if (verdict !== null) return { items: index + 1, verdict, bets: looks.bets() };
  }
  return { items: pairs.length, verdict: null, bets: looks.bets() };
}

/** What is made of the pairs, which are given one by one in the plan's order. */
interface Looks {
  /** The sure answer, where this pair is the last before a place to look and brings one. */
  add(pair: PairSeen): Stop["verdict"];
  bets(): SureBets;
}

/** Begins to look, with no pair seen. */
export function openLooks({ families, alpha, gate }: LookedAt): Looks {
  const places = new Set(Array.from({ length: LOOKS }, (_, k) => Math.ceil((families.length * (k + 1)) / LOOKS)));
  const differences = new Map<string, number[]>();
  const counts = noPairs();
  let bets: SureBets = { state: NO_BETS, verdict: null };
  let [items, dropped] = [0, 0];

  function note(pair: PairedOutcome, family: string): void {
    const difference = Number(pair.treatment) - Number(pair.reference);
    const ofFamily = differences.get(family);
    if (ofFamily === undefined) differences.set(family, [difference]);
    else ofFamily.push(difference);
    counts[cellOf(pair)] += 1;
    if (difference === 0 || bets.verdict !== null) return;
    const state = placeBet(bets.state, pair.treatment);
    bets = { state, verdict: stopsFor(state, alpha) };
  }

  /** Null where too many of the pairs have no verdict as well: then it is looked at again when they are few enough. */
  function look(): Stop["verdict"] {
    if (bets.verdict === null || isTooManyDropped(dropped, items)) return null;
    if (tooFewFamilies(differences.size, gate) !== null) return null;
    const interval = decidingRates({ differences: [...differences.values()], counts }, alpha / LOOKS);
    if (interval === null) return null;
    const verdict = interval.low > 0 ? "better" : interval.high < 0 ? "worse" : null;
    return bets.verdict === verdict ? verdict : null;
  }

  return {
    add(pair) {
      if (pair === null) dropped += 1;
      else note(pair, families[items] as string);
      items += 1;
      return places.has(items) ? look() : null;
    },
    bets: () => bets,
  };
}

/** The deciding axis of such a comparison, judged at a look's share of alpha: it passes only where the bets are sure, too. */
export function sequentialAxis(axis: AxisResult, { verdict, bets }: Stop, alpha: number): AxisResult {
  const { better, worse, pairs } = betsOf(bets.state);
  const bar = (2 / alpha).toPrecision(3);
  const wealth = (bets.verdict === "worse" ? worse : better).toPrecision(3);
  const shown = `after ${counted(pairs, "pair that differs", "pairs that differ")} the e-value is ${wealth}, ${bar} is asked`;
  if (axis.outcome === "passed" && verdict !== "better") {
    return { ...axis, outcome: "inconclusive", reason: `The bets are not sure: ${shown}.` };
  }
  return { ...axis, reason: `${axis.reason} Of the bets: ${shown}.` };
}

/** What is seen of a comparison while it runs: told of each item that an arm has finished, in whatever order they come. */
export interface Watch {
  /** `passed` is null for an item that was given up without a verdict. */
  note(arm: "reference" | "treatment", index: number, passed: boolean | null): void;
  /** Whether the pairs that are whole, from the first on without a gap, are enough. */
  isSure(): boolean;
}

/** Watches the pairs of a comparison. */
export function watchPairs(asked: LookedAt): Watch {
  const seen = { reference: new Map<number, boolean | null>(), treatment: new Map<number, boolean | null>() };
  const looks = openLooks(asked);
  let [whole, isSure] = [0, false];

  function pairAt(index: number): PairSeen {
    const [reference, treatment] = [seen.reference.get(index) ?? null, seen.treatment.get(index) ?? null];
    return reference === null || treatment === null ? null : { reference, treatment };
  }

  return {
    note(arm, index, passed) {
      seen[arm].set(index, passed);
      while (!isSure && seen.reference.has(whole) && seen.treatment.has(whole)) {
        isSure = looks.add(pairAt(whole)) !== null;
        whole += 1;
      }
    },
    isSure: () => isSure,
  };
}
