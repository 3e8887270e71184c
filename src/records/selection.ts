/**
 * What curation hands to whoever writes a dataset: the chosen rows as they are trained on, and what was refused.
 * A row holds one answer, or a pair of answers to one prompt, or a pair of tips for who ranks them; its texts are
 * streamed, so that a selection fits in memory at any size.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { Role } from "./events.ts";
import type { AttemptId, ItemId, RunId, TipId, TurnId } from "./ids.ts";
import type { Message, Tool } from "./message.ts";
import type { ClauseCount, RefusalTally } from "./refusal-tally.ts";

/** The part of a dataset that an example goes to. Test families are in none. */
export const PARTS = ["train", "validation"] as const;
export type Part = (typeof PARTS)[number];

/**
 * What kind of rows a dataset holds, each with its own use: good answers; all judged answers with their label; pairs of
 * a better and a worse answer; tasks alone, for a trainer that asks the model itself; pairs of tips for what ranks them,
 * which are no answers and never lie beside any.
 */
export const TIERS = ["demonstrations", "judged", "preference-pairs", "prompts", "reranker-pairs"] as const;
export type Tier = (typeof TIERS)[number];

export const UNITS = ["turn", "attempt"] as const;
/** A row holds one turn, or a whole attempt from its first turn to its last answer. */
export type Unit = (typeof UNITS)[number];

export const TRIES = ["all", "first", "best"] as const;
/** Which attempts at an item count: all, the first alone, or the one with the fewest completion tokens. */
export type Tries = (typeof TRIES)[number];

/** Where an answer came from, and why its label is trusted. */
export interface AnswerOrigin {
  run: RunId;
  attempt: AttemptId;
  turn: TurnId;
  /** The model that generated the answer. */
  model: string | null;
  baseHash: Hash | null;
  adapterHash: Hash | null;
  /** Whether the answer was good. */
  label: boolean;
  /** How good, a fraction: the deciding verdict's value, or what the role's rule says. */
  reward: number;
  /** How sure the label is, a fraction. */
  confidence: number;
  /** The rule that made a label of what happened: `verdict` for a worker, else the role's own. */
  rule: string;
  verifierId: string;
  verifierVersion: string;
  /**
   * Tips that the recorded prompt held, whether or not the row's prompt still does; of a reflector's answer those it wrote;
   * of a tip itself that one.
   */
  tips: TipId[];
}

interface RowHead {
  part: Part;
  skill: string;
  role: Role;
  family: string;
  item: ItemId;
  prompt: Message[];
  tools: Tool[] | null;
  /** What the item's skill keeps for its verifier, as JSON text; null where it keeps nothing. */
  reference: string | null;
}

export interface AnswerRow extends RowHead, AnswerOrigin {
  kind: "answer";
  /** What follows the prompt: one answer, or the rest of an attempt with what came back between its steps. */
  completion: Message[];
  /** For each message of the completion whether it is trained on: never what the model did not write. */
  trained: boolean[];
  /** Of a whole attempt the turns before the last one, whose answers are in the completion. */
  earlier: AnswerOrigin[];
}

export interface PairRow extends RowHead {
  kind: "worker-pair" | "reflector-pair";
  chosen: Message;
  rejected: Message;
  chosenFrom: AnswerOrigin;
  rejectedFrom: AnswerOrigin;
}

/**
 * A query with two tips that were retrieved for it, the one credibly worth more. No model said the one in answer to the
 * other, so it has no messages: what trains a generator cannot take it. Its origins name the turn that retrieved both, and
 * the model that wrote the tip, where one did.
 */
export interface RerankerRow extends Pick<RowHead, "part" | "skill" | "role" | "family" | "item"> {
  kind: "reranker-pair";
  /** The item's task, which is what the retriever is asked with. */
  query: string;
  positive: string;
  negative: string;
  chosenFrom: AnswerOrigin;
  rejectedFrom: AnswerOrigin;
}

/** What a generator is trained on. */
export type GeneratorRow = AnswerRow | PairRow;
export type SelectedRow = GeneratorRow | RerankerRow;

export interface Duplicate {
  removed: TurnId;
  kept: TurnId;
  /** `exact-duplicate` or `near-duplicate`. */
  reason: string;
}

/** How secrets in the rows are dealt with. */
export interface Scrub {
  /** Why they are left in; null where they are replaced. */
  reason: string | null;
  /** How many were replaced in the rows read so far, by kind. */
  counts(): Record<string, number>;
  /** An item's name as it may be written: one that stays apart from any other's. */
  nameOf(item: ItemId): ItemId;
  /** Whether one is still to be seen; of rows that are left as they are, never asked. */
  holdsSecret(text: string): boolean;
}

export const NOT_SCRUBBED: Scrub = {
  reason: "not asked for",
  counts: () => ({}),
  nameOf: (item) => item,
  holdsSecret: () => false,
};

export interface Selection {
  /** Examples of the asked role, skills and runs, before any was refused. */
  examples: number;
  /** How many were chosen for each part. */
  chosen: Record<Part, number>;
  /** What each clause of the user's filter left out, in the order written. */
  clauses: ClauseCount[];
  /** Every example that says what another one says, and the one that stands for it. */
  duplicates: Duplicate[];
  /** Counts who was refused and why; whoever refuses a chosen example later adds to it. */
  refusals: RefusalTally;
  scrub: Scrub;
  /** The chosen rows in the dataset's order; each call reads them anew. */
  rows(): AsyncIterable<SelectedRow>;
  /** Gives up what the rows are read from. */
  close(): void;
}

/**
 * The origins of a row's answers or tips: the one that was judged with those before it, or the chosen's and the rejected's.
 */
export function originsOf(row: SelectedRow): [AnswerOrigin, ...AnswerOrigin[]] {
  return row.kind === "answer" ? [row, ...row.earlier] : [row.chosenFrom, row.rejectedFrom];
}

/** What the one renderer made of a conversation. Shapes: `mask` is as long as `ids`, 1 where the loss lies. */
export interface Tokens {
  ids: number[];
  mask: (0 | 1)[];
}
