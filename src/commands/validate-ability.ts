/**
 * General ability in a comparison: which sets are asked for, what both arms of the deciding pair make of them, and results of
 * other tools that the user has.
 */
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { hashJson } from "../foundation/hashing.ts";
import { type Progress, startProgress, warn } from "../foundation/progress.ts";
import type { Endpoint } from "../harness/index.ts";
import type { AdapterManifest } from "../records/adapter-manifest.ts";
import { type Decision, decidingPair, type Plan } from "../records/comparison.ts";
import type { Renderer } from "../render/renderer.ts";
import { scoresAtOnce } from "../serve/index.ts";
import {
  type ForeignAxes,
  type Found,
  foreignAxes,
  type GeneralEvidence,
  klEvidence,
  loadGeneralSets,
  measureGeneralAbility,
  type NamedSet,
  plannedSets,
} from "../validate/index.ts";
import type { Context } from "./command.ts";
import type { ValidateOptions } from "./validate-input.ts";
import { generalFolder } from "./validate-session.ts";

/** Share of a set's texts that may be missing. */
const MOST_MISSING = 0.02;

/** What is asked beside the skills, known before the first call. */
export interface AbilityQuestion {
  sets: NamedSet[];
  foreign: ForeignAxes;
  planned: Plan["general"];
}

/** Loads the sets and reads the results of other tools. Throws: what a set or a reader refuses; `BAD_ARGUMENT`. */
export async function abilityQuestion({
  general,
  mmlu,
  results,
  aa,
}: Pick<ValidateOptions, "general" | "mmlu" | "results" | "aa">): Promise<AbilityQuestion> {
  const wanted = general.filter((id) => id !== "none").map((id) => ({ id }));
  const sets = aa
    ? []
    : await loadGeneralSets([...wanted, ...(mmlu === undefined ? [] : [{ id: "mmlu", folder: mmlu }])]);
  const [base, candidate] = results;
  if (results.length !== 0 && (results.length !== 2 || base === candidate)) throw badResults(results);
  const foreign =
    base === undefined || candidate === undefined
      ? { axes: [], missing: [], rejected: [] }
      : await foreignAxes({ base, candidate });
  const ofSets = plannedSets(sets).map(({ set, hash, texts }) => ({ set, hash, texts }));
  const ofTools = foreign.axes.map((axis) => {
    return { set: axis.name, hash: hashJson(axis), texts: axis.differences.flat().length };
  });
  const ofGaps = foreign.missing.map((gap) => ({ set: gap.name, hash: hashJson(gap), texts: 0 }));
  return { sets, foreign, planned: [...ofSets, ...ofTools, ...ofGaps] };
}

/** What is found of general ability. Throws: a failure of the boundary `endpoint`, after which the same call goes on. */
export async function measureAbility(
  { sets, foreign }: AbilityQuestion,
  asked: {
    plan: Plan;
    arms: { base: Endpoint; reference: Endpoint; candidate: Endpoint };
    adapter: AdapterManifest;
    renderer: Renderer;
    options: ValidateOptions;
  },
  context: Context,
): Promise<Pick<Found, "general" | "foreign" | "kl" | "shown">> {
  const { plan, arms, adapter, renderer, options } = asked;
  const folder = generalFolder(context.home, plan);
  const { concurrency: atOnce, target, seed } = options;
  const steps = stepsShown(context);
  const found = await measureGeneralAbility(arms, sets, {
    ...{ renderer, folder, atOnce, seed, signal: context.signal, onProgress: steps.update },
    scoresAtOnce: await scoresAtOnce(target, atOnce),
  }).finally(steps.end);
  for (const { set, texts } of found.missing) {
    warn(
      `${counted(texts.length, "text")} of ${set} could not be asked of an arm and ${texts.length === 1 ? "is" : "are"} left out: ${texts[0]?.reason}`,
      context,
    );
  }
  refuseGaps({ sets, foreign, planned: plan.general }, found.general);
  for (const { where, reason } of foreign.rejected) warn(`Left out of ${where}: ${reason}`, context);
  return {
    general: found.general,
    foreign: [
      ...foreign.axes.map(({ name, differences, baseRate, counts }) => {
        return { skill: name, differences, baseRate, counts, costs: null };
      }),
      ...foreign.missing.map(({ name: skill, reason: missing }) => ({ skill, missing })),
    ],
    kl: klEvidence(adapter, found.distance),
    shown: shownOf(found.shown, decidingPair(plan)),
  };
}

function badResults(results: readonly string[]): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "Results of other tools are given for both arms, or for none.",
    expected: "--results OF_THE_BASE --results OF_THE_CANDIDATE",
    got: results.join(", "),
    fix: "give two different ones",
  });
}

/** A set of which much could not be asked says nothing of the rest. Throws: `SET_NOT_MEASURED`. */
function refuseGaps({ sets }: AbilityQuestion, general: readonly GeneralEvidence[]): void {
  for (const { id, texts } of sets) {
    const deciding = texts.filter(({ isDeciding }) => isDeciding).length;
    const missing = general.find(({ name }) => name === id)?.missing ?? deciding;
    if (missing <= MOST_MISSING * deciding) continue;
    throw new Refusal({
      code: "SET_NOT_MEASURED",
      message: `Too many texts of ${id} could not be asked of both arms.`,
      expected: `all but ${100 * MOST_MISSING} % of ${deciding}`,
      got: `${deciding - missing}`,
      fix: "give the server more room: --context-tokens, or leave the set out",
    });
  }
}

function shownOf(
  shown: Awaited<ReturnType<typeof measureGeneralAbility>>["shown"],
  [reference, treatment]: [string, string],
): Decision["shown"] {
  return shown.flatMap(({ set, figures }) =>
    figures.flatMap(({ name: figure, base, candidate }) => [
      ...(base === null ? [] : [{ set, arm: reference, figure, value: base }]),
      ...(candidate === null ? [] : [{ set, arm: treatment, figure, value: candidate }]),
    ]),
  );
}

/** One bar for each step, as each has its own number of texts. */
function stepsShown({ clock, stderr: stream, isJson, signal }: Context) {
  let shown: { step: string; progress: Progress } | null = null;
  return {
    update(step: string, done: number, total: number): void {
      if (total === 0) return;
      if (shown?.step !== step) {
        shown?.progress.finish();
        shown = { step, progress: startProgress({ title: step, total, clock, stream, isJson, signal }) };
      }
      shown.progress.update(done);
    },
    end: (): void => shown?.progress.finish(),
  };
}
