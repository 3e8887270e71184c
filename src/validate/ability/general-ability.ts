/**
 * What is left of a base's general ability in a candidate, and how far the candidate has moved: every set is scored and
 * answered by both arms, in turn, and the base's own draws are scored by both. Everything that was finished is kept in a
 * folder and not done again.
 */
import { join } from "node:path";
import type { AdapterManifest } from "../../records/adapter-manifest.ts";
import type { Renderer } from "../../render/renderer.ts";
import type { GeneralPrompt } from "../general-set.ts";
import { answerPrompts } from "./answer-prompts.ts";
import type { MeasuredEndpoint } from "./ask-endpoint.ts";
import type { NamedSet } from "./general-sets.ts";
import type { AskingOptions } from "./in-turn.ts";
import type { ArmMeasure, Missing, Shown } from "./measure.ts";
import { type Distance, distanceFrom, type GeneralEvidence, generalEvidence } from "./paired-scores.ts";
import { scoreTexts } from "./score-texts.ts";

const SCORES = "scores.jsonl";
const ANSWERS = "answers.jsonl";

export interface AbilityOptions {
  renderer: Renderer;
  /** Gets what is finished. */
  folder: string;
  /** Prompts that are answered at once. */
  atOnce: number;
  /** Texts that are scored at once, where that is fewer. */
  scoresAtOnce?: number;
  /** Of the base's draws. */
  seed: number;
  signal: AbortSignal;
  /** `step` is what is done, in words. */
  onProgress?(step: string, done: number, total: number): void;
}

export interface GeneralAbility {
  /** One axis for each set that has deciding texts. */
  general: GeneralEvidence[];
  /** Figures that are shown beside, by set. */
  shown: { set: string; figures: Shown[] }[];
  /** By the draws of the base; null where no set has it draw. */
  distance: Distance | null;
  /** What no arm could be asked, by set. */
  missing: { set: string; texts: Missing[] }[];
}

/** The arms of the deciding pair, and the base alone, from which the candidate's distance is told; it may be the reference. */
interface Arms {
  base: MeasuredEndpoint;
  reference: MeasuredEndpoint;
  candidate: MeasuredEndpoint;
}

/**
 * Measures both arms on all sets.
 * Throws: a failure of the boundary `endpoint`, after which the same call goes on where it was.
 */
export async function measureGeneralAbility(
  arms: Arms,
  sets: readonly NamedSet[],
  options: AbilityOptions,
): Promise<GeneralAbility> {
  const found: GeneralAbility = { general: [], shown: [], distance: null, missing: [] };
  for (const set of sets) {
    const reference = await measureArm(arms.reference, set, { ...options, arm: "reference" });
    const candidate = await measureArm(arms.candidate, set, { ...options, arm: "candidate" });
    const evidence = generalEvidence({ name: set.id, texts: set.texts }, reference.scores, candidate.scores);
    if (evidence !== null) found.general.push({ ...evidence, ...(await toBase(arms, set, { candidate, options })) });
    found.shown.push({ set: set.id, figures: await set.shown({ base: reference, candidate }, options.signal) });
    if (reference.missing.length > 0) found.missing.push({ set: set.id, texts: reference.missing });
    if (set.isDrawn) found.distance = await estimateDistance(arms, set.prompts, options);
  }
  return found;
}

/** The same against the base, where another model is the reference. */
async function toBase(
  { base, reference }: Arms,
  set: NamedSet,
  { candidate, options }: { candidate: ArmMeasure; options: AbilityOptions },
): Promise<Pick<GeneralEvidence, "toBase">> {
  if (base.model === reference.model) return {};
  const { texts } = set;
  const { scores } = await scoreTexts(base, texts, asking(options, SCORES, `${set.id}: base scores`));
  const evidence = generalEvidence({ name: set.id, texts }, scores, candidate.scores);
  return evidence === null ? {} : { toBase: evidence.differences };
}

/** The evidence of the `kl` axis: the trainer's exact figure where there is one, else the estimate. Units: nats a token. */
export function klEvidence(adapter: AdapterManifest, distance: Distance | null): number | null {
  const told = adapter.curve.filter(({ step }) => adapter.bestStep === undefined || step === adapter.bestStep);
  const exact = told.flatMap(({ validation }) => validation?.klToBase ?? []).at(-1);
  return exact ?? distance?.nats ?? null;
}

async function measureArm(
  endpoint: MeasuredEndpoint,
  { id, texts, prompts }: NamedSet,
  options: AbilityOptions & { arm: string },
): Promise<ArmMeasure & { missing: Missing[] }> {
  const scored = await scoreTexts(endpoint, texts, asking(options, SCORES, `${id}: ${options.arm} scores`));
  const answered = await answerPrompts(endpoint, prompts, asking(options, ANSWERS, `${id}: ${options.arm} answers`));
  return { ...scored, ...answered, missing: [...scored.missing, ...answered.missing] };
}

/** The base draws, and both arms score what it drew. */
async function estimateDistance(
  { base, candidate }: Arms,
  prompts: readonly GeneralPrompt[],
  options: AbilityOptions,
): Promise<Distance | null> {
  const { seed } = options;
  const { answers } = await answerPrompts(base, prompts, { ...asking(options, ANSWERS, "distance: base draws"), seed });
  const drawn = prompts.flatMap((prompt) => {
    const continuation = answers.get(prompt.id)?.text ?? "";
    return continuation === "" ? [] : [{ ...prompt, continuation }];
  });
  const one = await scoreTexts(base, drawn, asking(options, SCORES, "distance: base scores"));
  const other = await scoreTexts(candidate, drawn, asking(options, SCORES, "distance: candidate scores"));
  return distanceFrom(one.scores, other.scores);
}

function asking(
  { renderer, folder, atOnce, scoresAtOnce = atOnce, signal, onProgress }: AbilityOptions,
  file: string,
  step: string,
): AskingOptions & { renderer: Renderer } {
  return {
    ...{ renderer, file: join(folder, file), atOnce: file === SCORES ? scoresAtOnce : atOnce, signal },
    ...(onProgress !== undefined && { onProgress: (done, total) => onProgress(step, done, total) }),
  };
}
