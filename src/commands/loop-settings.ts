/**
 * The settings of a loop, stage by stage, and the presets that `tracemill loop --preset` offers.
 * docs/log.md has the experiments behind them. No setting was chosen by comparing scores on the test split, but the
 * number of attempts was raised once after a quick demo, which is judged there, had been inconclusive.
 */
import type { z } from "zod";
import type { ServerInput } from "./target-input.ts";
import type { loopTrainInput, trainInput } from "./train-input.ts";

export interface LoopSettings extends ServerInput {
  /** The skill that decides. */
  skill: string;
  /** The skills that are trained on: that one, or others alone, where it is asked what they bring to it. */
  learns: string[];
  base: string;
  seed: number;
  /** What serves the models of each stage. */
  target: string;
  /** Other skills, at which the candidate has to be no worse. */
  sides: string[];
  round: Round;
  /** Whether a training goes on from the champion's weights; else each begins with the base. */
  continues: boolean;
  collect: CollectSettings;
  watch: CollectSettings;
  export: { maxPerItem: number; target: "answer" | "action" };
  train: LoopTraining;
  /** `general`: sets of texts by which general ability is measured. */
  validate: { limit: number; sideLimit: number; general: string[] };
}

/** Options of `tracemill train`; one that is left out has its default there, the learning rate the model family's. */
type LoopTraining = Pick<z.input<typeof trainInput>, "rank" | "alpha" | "dropout" | "warmupSteps"> &
  z.input<typeof loopTrainInput>;

/** Where a loop stands in a row of loops; a single one is the first of them. */
export interface Round {
  /** Counts from 1. Each round has items of its own, where the skill makes them from a seed. */
  number: number;
  /** The adapter that collects and that the candidate has to beat; null for the base. */
  champion: string | null;
  /** Runs of earlier rounds, whose rows are trained on again. */
  replay: string[];
  /** The first round's runs over the validation families; none where they are still to be made. */
  watched: string[];
  /** Whether it is judged on families that only its items' seed gives, which no other round has used. */
  isFresh: boolean;
}

export const FIRST_ROUND: Round = { number: 1, champion: null, replay: [], watched: [], isFresh: false };

/** What a loop asks of its comparison beside the preset's: the champion is the one that the round began with. */
export function judgedBy({ skill, learns, round }: LoopSettings) {
  const { champion, isFresh: freshFamilies } = round;
  return {
    freshFamilies,
    ...(champion === null ? { against: "base" as const } : { against: "champion" as const, champion }),
    // Tips of other skills say nothing of this one.
    ...(!learns.includes(skill) && { arms: ["base" as const, "candidate" as const] }),
  };
}

/** What is said anew for each loop. */
export type LoopWork = Pick<
  LoopSettings,
  "skill" | "learns" | "continues" | "base" | "seed" | "target" | keyof ServerInput | "sides" | "round"
>;

interface CollectSettings {
  /** The run ends after so many attempts, at whatever items it chose. */
  mostAttempts?: number;
  /** Most items, drawn evenly over the families. */
  limit: number;
  attempts: number;
  /** An item is done after this many verified passes. */
  enough: number;
  temperature: number;
  /** Whether the memory starts with the solved items that the skill brings along. */
  starters: boolean;
  role: string[];
}

export const PRESETS = ["demo", "quick", "tiny"] as const;
export type Preset = (typeof PRESETS)[number];

/** The tries at one item follow each other, so that the server evaluates their common prompt once. */
const LEARNING = ["architect=promising", "reflector=keep-solution"];
const WATCHING = ["architect=scan-order", "reflector=none"];

const TRAIN: LoopSettings["train"] = {
  rank: 16,
  alpha: 32,
  dropout: 0,
  epochs: 3,
  batchSize: 8,
  warmupSteps: 5,
  maxTokens: 1024,
};

/** `demo`: the full demonstration. `quick`: fewer items, so a wider interval. `tiny`: for tests with a random model. */
const BY_PRESET: Record<Preset, Omit<LoopSettings, keyof LoopWork>> = {
  demo: {
    collect: {
      limit: 2000,
      attempts: 3,
      mostAttempts: 480,
      enough: 1,
      temperature: 0.5,
      starters: true,
      role: LEARNING,
    },
    watch: { limit: 24, attempts: 2, enough: 1, temperature: 0.5, starters: false, role: WATCHING },
    export: { maxPerItem: 2, target: "action" },
    train: TRAIN,
    validate: { limit: 117, sideLimit: 60, general: ["multiple-choice"] },
  },
  quick: {
    collect: {
      limit: 2000,
      attempts: 3,
      mostAttempts: 300,
      enough: 1,
      temperature: 0.5,
      starters: true,
      role: LEARNING,
    },
    watch: { limit: 16, attempts: 1, enough: 1, temperature: 0.5, starters: false, role: WATCHING },
    export: { maxPerItem: 2, target: "action" },
    train: TRAIN,
    validate: { limit: 104, sideLimit: 40, general: ["multiple-choice"] },
  },
  tiny: {
    collect: { limit: 30, attempts: 2, enough: 2, temperature: 1, starters: false, role: LEARNING },
    watch: { limit: 6, attempts: 1, enough: 1, temperature: 1, starters: false, role: WATCHING },
    export: { maxPerItem: 2, target: "answer" },
    train: { ...TRAIN, rank: 4, alpha: 8, epochs: 1 },
    validate: { limit: 24, sideLimit: 12, general: ["none"] },
  },
};

/** Returns a preset's settings, with what else is said of the training; everything that the loop does follows from them. */
export function loopSettings(
  preset: Preset,
  work: LoopWork,
  training: z.input<typeof loopTrainInput> = {},
): LoopSettings {
  const settings = BY_PRESET[preset];
  return { ...work, ...settings, train: { ...settings.train, ...training } };
}

/** What the rows of a loop follow from: a loop that differs in the rest alone goes on from the same rows. */
export function collectingOf({ train: _, validate: __, ...collecting }: LoopSettings) {
  return collecting;
}
