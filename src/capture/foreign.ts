/**
 * What other programs' files hold, in tracemill's words but under the names that the files give: what an importer says,
 * one after another. A turn's item need not have been named before; an attempt is as its turns and verdicts number it.
 */
import type { Json } from "../foundation/canonical-json.ts";
import type { ActionCall, Turn, TurnPart } from "../records/events.ts";
import type { RecordedMessage, RecordedTool } from "../records/message.ts";
import type { Tip } from "../records/tip.ts";
import { signalOf, type Verdict } from "../records/verdict.ts";

/** Begins a run: what follows belongs to it. */
export interface ForeignRun {
  kind: "run";
  /** As its own program calls it. */
  nativeId: string;
  /** Other names that the same run has elsewhere: a run that is here under one of them is not imported again. */
  aliases?: readonly string[];
  /** The files that it was read from: importing them again adds nothing. */
  files: readonly string[];
  /** What else the run depends on, where files do not tell it apart (a database's state). */
  version?: string;
  startedAt: Date | null;
  /** What it is about, unless the user says so. */
  skill: string;
  /** The model's name, as far as the source knows one for the whole run. */
  model: string | null;
  /** Whether a turn is what an agent said to one request of the harness, all of its model calls together. */
  mergesCalls?: boolean;
  /** Everything else that the source says of the run. */
  facts: Record<string, Json>;
}

/** The item of turns that choose one, before any is chosen: it is none of the skill's, and its turns are no attempt. */
export const SELECTION = "@select";

/** Where something belongs. */
export interface ForeignPlace {
  item: string;
  /** From 1. */
  attempt: number;
  at?: Date | null;
}

export interface ForeignItem {
  kind: "item";
  item: string;
  /** Items that leak into each other; null where the source does not say. */
  family: string | null;
  itemKind?: string | null;
  task: string;
  /** What is known of it: a repository, a commit, a category. */
  detail: Record<string, Json>;
}

export interface ForeignTurn extends ForeignPlace {
  kind: "turn";
  role: string;
  phase?: string;
  /** Contract: a message that was said is not changed any more. */
  messages: readonly RecordedMessage[];
  tools: readonly RecordedTool[] | null;
  response: RecordedMessage | null;
  finishReason?: string | null;
  usage?: Turn["usage"] | undefined;
  latencyMs?: number | null;
  request?: Record<string, Json>;
  model?: string | null;
  /** What the source did not hold whole. */
  missing: readonly TurnPart[];
  flags?: readonly string[];
  tokenIds?: NonNullable<Turn["tokenIds"]>;
  retrievals?: Turn["retrievals"];
  /** Where the call itself was recorded on its way. */
  wire?: NonNullable<Turn["wire"]>;
  recordedAs?: NonNullable<Turn["recordedAs"]>;
}

export interface ForeignAction extends ForeignPlace {
  kind: "action";
  call: ActionCall;
  exitCode: number | null;
  /** Set where the source says that the call failed. */
  isError?: true;
  stdout: string;
  stderr: string;
  durationMs?: number;
}

export interface ForeignVerdict extends ForeignPlace {
  kind: "verdict";
  verdict: Omit<Verdict, "before"> & { before?: Verdict["before"] };
}

/** What an attempt left, where the source says it of each. */
export interface ForeignPatch extends ForeignPlace {
  kind: "patch";
  patch: string;
  /** What the patch is against, where the source says it of the attempt itself. */
  commit?: string | null;
}

export interface ForeignTip {
  kind: "tip";
  item: string;
  attempt: number | null;
  tip: Omit<Tip, "skill" | "source" | "family">;
}

export interface ForeignTipRetirement {
  kind: "tip-retired";
  tip: Tip["tip"];
  reason: string;
}

/** Something that went wrong in the run itself. */
export interface ForeignFailure {
  kind: "failure";
  boundary: string;
  code: string;
  message: string;
  place?: ForeignPlace;
}

/** A record that cannot be used: counted, and located. */
export interface Rejected {
  kind: "rejected";
  /** The file, and the line or member in it. */
  where: string;
  reason: string;
}

export type Foreign =
  | ForeignRun
  | ForeignItem
  | ForeignTurn
  | ForeignAction
  | ForeignVerdict
  | ForeignPatch
  | ForeignTip
  | ForeignTipRetirement
  | ForeignFailure
  | Rejected;

/** A verifier of another program: its verdicts count as far as they say how they came about. */
export function foreignVerdict(
  given: Partial<Verdict> & Pick<Verdict, "value" | "verifier"> & { isJudgment?: boolean },
): ForeignVerdict["verdict"] {
  const { isJudgment = false, ...verdict } = given;
  const passed = given.passed ?? given.value === 1;
  return {
    confidence: isJudgment ? 0.5 : 1,
    signalType: isJudgment ? "judgment" : signalOf(given.value),
    evidence: null,
    before: null,
    ...verdict,
    passed,
    failureMode: passed ? null : (given.failureMode ?? "failed"),
    flags: [...new Set([...(given.flags ?? []), "imported" as const])],
  };
}
