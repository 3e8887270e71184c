/**
 * An axis of the gate: one question about a candidate. Every file of `axes/` is one, its file name is its id. An axis is
 * pure: it sees evidence, never runs, and answers for each thing that it looks at.
 */
import type { AxisResult, GateSettings, PerWhat } from "../records/gate.ts";
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

/** Log-likelihood of reference texts, families apart: nats a token or a question, candidate minus what it is compared with. */
export interface GeneralDifferences {
  name: string;
  per: PerWhat;
  differences: number[][];
}

/** What another tool measured, judged as a skill is; or why it cannot be judged. */
export type ForeignEvidence = SkillEvidence | { skill: string; missing: string };

/** Everything that is known of a candidate when it is judged. */
export interface Evidence {
  primary: SkillEvidence;
  /** Against the arm to beat; `toBase` against the base too, where that is another arm. */
  sides: (SkillEvidence & { toBase?: SkillEvidence })[];
  /** General ability, likewise. */
  general: (GeneralDifferences & { toBase?: number[][] })[];
  foreign: ForeignEvidence[];
  /** Nats a token from the base; null where it was not measured. */
  kl: number | null;
  /** Whether every adapter that was served is live; null where the endpoint could not score the probes. */
  isLive: boolean | null;
  /** The arms whose adapter is not applied, where there are such. */
  notApplied?: readonly string[];
  /** What was found out of the adapter's lineage: "was trained on what is revoked: the run ..."; null where that is not known. */
  taint: string[] | null;
  /** Families of the comparison that the adapter's lineage has seen, in words; null where its lineage is not known. */
  leaks: string[] | null;
  /** Whether all families of the comparison are fresh: made for its items' seed alone, and no candidate was judged on them before. */
  areFresh?: boolean;
}

export interface Axis {
  /** What it asks, in one sentence for people. */
  summary: string;
  /** Whether it can be judged before any arm is run. */
  needsNoRun?: true;
  /** Whether it sees how the deciding skill's own items came out, by which a comparison may have ended early. */
  seesItems?: true;
  judge(evidence: Evidence, gate: GateSettings): AxisResult[];
}
