/**
 * What curation hands to whoever writes a dataset: the chosen examples as ready training rows, and what was refused.
 * An example is one prompt and one answer; its texts are streamed, so that a selection fits in memory at any size.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { Role } from "./events.ts";
import type { AttemptId, ItemId, RunId, TipId, TurnId } from "./ids.ts";
import type { Message, Tool } from "./message.ts";
import type { RefusalTally } from "./refusal-tally.ts";

/** The part of a dataset that an example goes to. Test families are in none. */
export const PARTS = ["train", "validation"] as const;
export type Part = (typeof PARTS)[number];

export interface SelectedExample {
  part: Part;
  prompt: Message[];
  /** What is trained on. */
  completion: Message[];
  tools: Tool[] | null;
  /** The deciding verdict's value, a fraction. */
  reward: number;
  skill: string;
  role: Role;
  family: string;
  item: ItemId;
  run: RunId;
  attempt: AttemptId;
  turn: TurnId;
  /** Tips that the prompt held as it was sent, where they are taken out of the row too. */
  tips: TipId[];
  /** The model that generated the answer. */
  model: string | null;
  baseHash: Hash | null;
  adapterHash: Hash | null;
  verifierId: string;
  verifierVersion: string;
  confidence: number;
}

export interface Selection {
  /** Examples of the asked role, skills and runs, before any was refused. */
  examples: number;
  /** How many were chosen for each part. */
  chosen: Record<Part, number>;
  /** Counts who was refused and why; whoever refuses a chosen example later adds to it. */
  refusals: RefusalTally;
  /** The chosen examples in the dataset's order; each call reads them anew. */
  rows(): AsyncIterable<SelectedExample>;
  /** Gives up what the rows are read from. */
  close(): void;
}
