/**
 * A set of texts by which general ability is measured. Every file of `general/` is one, its file name is its id. A set knows
 * its texts and what can be told of how they were scored and answered; it never asks a model itself.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { Message } from "../records/message.ts";
import type { ArmMeasure, Shown } from "./ability/measure.ts";

/** What a model is given, and how its answer begins. Plain text is given as it is, without a token that begins texts. */
export interface Opening {
  id: string;
  /** Texts of one group rise and fall together: a subject, a problem. */
  group: string;
  context: string | Message[];
  /** The first words of the answer, given too. */
  opening: string;
}

export type GeneralText = Opening & {
  /** The text whose likelihood is asked for. */
  continuation: string;
  /** False where the text is scored for a figure that is shown only. */
  isDeciding: boolean;
  /** Ids of the texts that stand beside it as answers of one question: then it decides by how likely it is among them all. */
  rivals?: readonly string[];
};

export type GeneralPrompt = Opening & { maxTokens: number; stops: string[] };

export interface LoadedSet {
  /** Of everything that is asked. */
  hash: Hash;
  /** What it is and where it lies, in words. */
  source: string;
  /** Scored. */
  texts: GeneralText[];
  /** Answered greedily. */
  prompts: GeneralPrompt[];
  /** Whether the base also draws answers to its prompts, by which its distance from the candidate is estimated. */
  isDrawn: boolean;
  shown(arms: { base: ArmMeasure; candidate: ArmMeasure }, signal: AbortSignal): Promise<Shown[]>;
}

export interface GeneralSet {
  /** In one sentence for people. */
  summary: string;
  /** Throws: a refusal that says what is missing where its texts cannot be had. */
  load(options: { folder?: string }): Promise<LoadedSet>;
}
