/**
 * What the stages of a loop did, in words, as its settings and its decision have it: who collected, which rows were trained on
 * and what was compared with what.
 */
import type { Decision } from "../records/comparison.ts";
import type { LoopSettings } from "./loop-settings.ts";

/** Says what a stage did, by the name that the journal has for it; nothing of an unknown one. */
export function stageMeaning(
  stage: string,
  { settings, decision }: { settings: LoopSettings; decision: Decision },
): string {
  const { round, continues } = settings;
  const meanings: Record<string, string> = {
    base: "prepare the base model",
    collect: `let the ${round.champion === null ? "base" : "champion"} work on the train families, tips growing`,
    watch: "let the base work on the validation families, to watch the training",
    export: `select verified answers${round.replay.length === 0 ? "" : ", those of the rounds before too,"} and render them`,
    train: `train a LoRA on them${continues && round.champion !== null ? ", from the champion's weights" : ""}`,
    validate: comparedText(
      decision.arms.map(({ arm }) => arm),
      round.isFresh,
    ),
  };
  return meanings[stage.split(" ", 1)[0] ?? ""] ?? "";
}

/** Says what stood in the prompts of a collecting run whose memory began with solved items, and whose answers the rows are. */
export function startersText({ round }: Pick<LoopSettings, "round">): string {
  const isOfBase = round.champion === null && round.replay.length === 0;
  const writer = isOfBase ? "the base itself" : "the base itself, or of the champion of its round,";
  return (
    "The memory of the collecting run began with solved items that the skill brings along, one of each kind, all of train " +
    `families. They stood in prompts as worked examples; every training row is an answer of ${writer} that the ` +
    "verifier passed, with the examples taken out of its prompt."
  );
}

function comparedText(arms: readonly string[], isFresh: boolean): string {
  if (arms.length === 0) return "what was known beforehand decided, without an attempt";
  const named = arms.map((arm) => arm.replace("+tips", " with tips"));
  const [last, ...others] = named.toReversed();
  const all = others.length === 0 ? last : `${others.toReversed().join(", ")} and ${last}`;
  return `canary, then ${all} on the ${isFresh ? "fresh " : ""}test families`;
}
