/**
 * An axis of the gate: one question about a candidate. Every file of `axes/` is one, its file name is its id. An axis is
 * pure: it sees evidence, never runs, and answers for each thing that it looks at.
 */

import type { AxisResult, GateSettings } from "../records/gate.ts";
import type { PairedCost } from "../statistics/cost-per-success.ts";
import type { PairedCounts } from "../statistics/paired-counts.ts";

/** Paired outcomes on one skill's items, families apart; -1 to 1 an item, candidate minus base. */
export interface SkillEvidence {
  skill: string;
  differences: number[][];
  /** Share of the base's attempts that passed. */
  baseRate: number;
  /** How the pairs of one attempt each came out; null where items were sampled several times. */
  counts: PairedCounts | null;
  /** Null where an endpoint did not count tokens. */
  costs: PairedCost[][] | null;
}

/** Everything that is known of a candidate when it is judged. */
export interface Evidence {
  primary: SkillEvidence;
  sides: SkillEvidence[];
  /** General ability: mean log-likelihood of reference texts in nats a token, candidate minus base, in groups. */
  general: { name: string; differences: number[][] }[];
  /** Nats a token from the base; null where it was not measured. */
  kl: number | null;
  /** Null where the endpoint could not score the probes. */
  isLive: boolean | null;
  /** What is revoked of the adapter's lineage, in words. */
  taint: string[];
  /** Families of the comparison that the adapter's lineage has seen, in words; null where its lineage is not known. */
  leaks: string[] | null;
}

export interface Axis {
  /** What it asks, in one sentence for people. */
  summary: string;
  /** Whether it can be judged before any arm is run. */
  needsNoRun?: true;
  judge(evidence: Evidence, gate: GateSettings): AxisResult[];
}
