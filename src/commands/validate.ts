/**
 * `tracemill validate`: the arms attempt the same held-out items side by side on one server; the paired decision, axis by axis,
 * follows from the plan that was written before the first call.
 */
import type { z } from "zod";
import type { Hash } from "../foundation/hashing.ts";
import { printable } from "../foundation/printable.ts";
import { warn } from "../foundation/progress.ts";
import type { Endpoint } from "../harness/index.ts";
import type { AdapterManifest } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { Arm, Decision, PlanDraft } from "../records/comparison.ts";
import {
  type LineageTaint,
  leaksOf,
  openGraph,
  revocationsText,
  revokedBehind,
  taintOfLineage,
} from "../registry/index.ts";
import { loadRenderer, type Renderer } from "../render/renderer.ts";
import type { RunningServer } from "../serve/index.ts";
import { readMadeDecision } from "../store/comparisons.ts";
import { readAdapterManifest, readBaseManifest } from "../store/manifests.ts";
import {
  decide,
  decideBeforehand,
  type Found,
  leftOutSentence,
  readGate,
  refuseOtherPlan,
  renderDecision,
  writePlan,
  writePlanToRefuse,
} from "../validate/index.ts";
import { type Context, defineCommand } from "./command.ts";
import { solvedItemsRun } from "./few-shot.ts";
import { serveHere } from "./model-server.ts";
import { warnOfTaint } from "./taint.ts";
import { startingOf } from "./target-input.ts";
import { type AbilityQuestion, abilityQuestion } from "./validate-ability.ts";
import { canariesOf, refuseNotLive } from "./validate-canary.ts";
import { doesNotFit, draftOf, type OpenPart, openParts, refuseUnfitting } from "./validate-draft.ts";
import { type ValidateInput, type ValidateOptions, validateInput } from "./validate-input.ts";
import { measured } from "./validate-measure.ts";
import { type ComparisonPlan, comparisonPlanText, planComparison } from "./validate-plan.ts";
import { compareExistingRuns, type ExistingRuns, existingRunsText } from "./validate-runs.ts";
import { openSession } from "./validate-session.ts";

/** A decision, and what has come to light against its candidate or itself since the gate let it pass: in words, missing where nothing has. */
export type KnownDecision = Decision & { since?: string[] };

/**
 * Runs the comparison and returns its decision; what an interrupted try has finished is not done again.
 * Throws: `ADAPTER_NOT_LIVE` before the first call, `ADAPTER_OF_ANOTHER_BASE`, `LEAKED_FAMILY`, `BAD_GATE`, `NO_CHAMPION`,
 * `DECISION_CHANGED`, `NOTHING_TO_RESUME`, `OTHER_PLAN`, `LOCKED` where another process is at the same comparison, unknown names.
 */
export async function validateAdapter(given: ValidateInput, context: Context): Promise<KnownDecision> {
  const { home } = context;
  const options = validateInput.parse(given);
  const gate = await readGate(home, options.gate);
  const adapter = options.candidate === undefined ? null : await readAdapterManifest(home, options.candidate);
  const baseName = options.base ?? adapter?.base;
  if (baseName === undefined)
    throw doesNotFit("--candidate", "the adapter to judge", "tracemill status lists the adapters");
  const base = await readBaseManifest(home, baseName);
  const ability = await abilityQuestion(options);
  const parts = await openParts(options);
  try {
    const draft = await draftOf(options, home, { parts, base, adapter, gate, general: ability.planned });
    const history = await historyOf({ parts, adapter }, context);
    await warnOfTaint(adaptersOf(draft), context);
    const against = [
      ...(history.taint ?? []).map((one) => `it ${one}`),
      ...(history.leaks ?? []).map((one) => `it has learned from ${one}`),
    ];
    const decision =
      against.length === 0
        ? await compare({ draft, parts, base, adapter, ability, options, history }, context)
        : await refused({ draft, history }, context);
    if (!decision.hasPassed) return decision;
    const behind = await revokedBehind(home, decision);
    const decidedFrom = behind.length === 0 ? [] : [`it was decided from what is revoked: ${revocationsText(behind)}`];
    const since = [...against, ...decidedFrom];
    return since.length === 0 ? decision : { ...decision, since };
  } finally {
    await Promise.all(parts.map(({ skill }) => skill.close()));
  }
}

interface Comparison {
  draft: PlanDraft;
  parts: readonly OpenPart[];
  base: BaseManifest;
  adapter: AdapterManifest | null;
  ability: AbilityQuestion;
  options: ValidateOptions;
  history: Pick<Found, "taint" | "leaks">;
}

/** What the candidate's lineage holds against it: nothing where the base is only served twice. */
async function historyOf(
  { parts, adapter }: Pick<Comparison, "parts" | "adapter">,
  { home }: Context,
): Promise<Comparison["history"]> {
  if (adapter === null) return { taint: [], leaks: [] };
  const judged = parts.map(({ part }) => {
    return { skill: part.skill.id, split: part.split, families: new Set(part.items.map(({ family }) => family)) };
  });
  const candidate = adapter.adapterHash;
  const graph = await openGraph(home);
  try {
    return {
      taint: taintInWords(await taintOfLineage(graph, candidate)),
      leaks: await leaksOf(graph, candidate, judged),
    };
  } finally {
    await graph.close();
  }
}

/** Null where nothing revoked is found, but what is gone may have been. */
function taintInWords({ tainted, gone }: LineageTaint): string[] | null {
  const found = [true, false].flatMap((isKnown) => {
    const by = tainted.filter(({ isCertain }) => isCertain === isKnown).flatMap((one) => one.by);
    const was = isKnown ? "was" : "may have been";
    return by.length === 0 ? [] : [`${was} trained on what is revoked: ${revocationsText(by)}`];
  });
  return found.length === 0 && gone.length > 0 ? null : found;
}

/** What the candidate's lineage holds against it decides before the first call, unless it was decided earlier. */
async function refused(
  { draft, history }: Pick<Comparison, "draft" | "history">,
  { home, clock }: Context,
): Promise<Decision> {
  const { comparisonHash } = await writePlanToRefuse(home, draft, clock);
  return decideBeforehand(home, comparisonHash, { found: history, clock });
}

async function compare(comparison: Comparison, context: Context): Promise<Decision> {
  const { draft, parts, base, adapter, options, history } = comparison;
  const { home, clock } = context;
  const { target } = options;
  const hashes = adaptersOf(draft);
  const candidates = hashes.filter((hash) => hash === adapter?.adapterHash);
  const adapters = hashes.filter((hash) => hash !== adapter?.adapterHash);
  const server = await serveHere({ base: base.name, adapters, candidates, target, ...startingOf(options) }, context);
  try {
    const renderer = await loadRenderer(home, base);
    const endpointOf = endpointsAt(server, renderer);
    // The canary comes first: an adapter that is served but not applied must never be judged.
    const asked = { arms: draft.arms, base, endpointOf, server, target };
    await refuseNotLive(asked, context);
    const prove = (signal: AbortSignal) => canariesOf(asked, { ...context, signal });
    const whole = await withShots(draft, { parts, endpointOf, options }, context);
    if (options.resume) await refuseOtherPlan(home, whole, clock);
    const plan = await writePlan(home, whole, clock);
    const known = await readMadeDecision(home, plan.comparisonHash);
    if (known !== null) return known;
    const session = await openSession(home, plan, clock);
    if (session.leftOut.length > 0) warn(`${leftOutSentence(session.leftOut)} They are made again.`, context);
    try {
      const { runs, seen } = await measured(
        { ...comparison, plan, endpointOf, server, renderer, session },
        prove,
        context,
      );
      const found: Found = { ...history, ...seen, ...session.canaries() };
      return await decide(home, plan.comparisonHash, { runs, found, clock, leftOut: session.leftOut });
    } finally {
      session.close();
    }
  } finally {
    await server.close();
  }
}

function adaptersOf({ arms }: PlanDraft): Hash[] {
  return [...new Set(arms.flatMap(({ adapterHash }) => adapterHash ?? []))];
}

/** Gives the arm `few-shot` its solved items. */
async function withShots(
  draft: PlanDraft,
  {
    parts,
    endpointOf,
    options,
  }: { parts: Comparison["parts"]; endpointOf(arm: Arm): Endpoint; options: ValidateOptions },
  context: Context,
): Promise<PlanDraft> {
  const [part] = parts;
  const arm = draft.arms.find((one) => one.arm === "few-shot");
  if (arm === undefined || part === undefined) return draft;
  const worker = endpointOf(arm);
  const shots = await solvedItemsRun(part, { worker, itemSeed: options.itemSeed }, context);
  return { ...draft, arms: draft.arms.map((one) => (one === arm ? { ...arm, tipRuns: [shots] } : one)) };
}

function endpointsAt(server: RunningServer, renderer: Renderer): (arm: Arm) => Endpoint {
  const { url, contextTokens, takesSeed } = server;
  const countTokens = (text: string) => renderer.encode(text).length;
  return ({ model: name, baseHash, adapterHash }) => {
    return { url, model: server.idOf(adapterHash), name, baseHash, adapterHash, contextTokens, takesSeed, countTokens };
  };
}

async function planned(options: ValidateOptions, context: Context): Promise<ComparisonPlan> {
  const { home, signal } = context;
  refuseUnfitting(options);
  if (options.aa) throw doesNotFit("--plan", "a comparison that a gate judges, without --aa", "leave one of them out");
  const gate = await readGate(home, options.gate);
  const { sets, foreign } = await abilityQuestion(options);
  const names = [...foreign.axes, ...foreign.missing].map(({ name }) => name);
  if (names.length > 0)
    warn(`Results of other tools are further axes, with which the plan does not reckon: ${names.join(", ")}.`, context);
  const parts = await openParts(options);
  try {
    return await planComparison(options, { parts, sets, gate, home, signal });
  } finally {
    await Promise.all(parts.map(({ skill }) => skill.close()));
  }
}

export default defineCommand({
  summary: "Prove on held-out items, paired, whether an adapter helps and what it harms.",
  details: `Examples:
  tracemill validate --skill sql --candidate sql-v1 --sides cron
  tracemill validate --skill sql --candidate sql-v2 --arms base,champion --against champion
  tracemill validate --skill sql --sides cron --plan
  tracemill validate --skill sql --base smollm2 --aa
  tracemill validate --runs 20261102-090001-0000 20261102-110001-0000

The gate's axes are in docs/promotion.md; what each number means is in docs/validation.md. The same command goes on where it was
stopped; with --resume it does nothing else, and says what differs where the options are not those of then. It ends with 0 where the
gate passed, and with 4 where it did not or where something stands against the candidate or the decision since.`,
  input: validateInput as z.ZodType<ValidateOptions>,
  async run(options, context): Promise<KnownDecision | ComparisonPlan | ExistingRuns> {
    if (options.plan) return planned(options, context);
    return options.runs.length > 0 ? compareExistingRuns(options, context) : validateAdapter(options, context);
  },
  print(result) {
    if ("rows" in result) return comparisonPlanText(result);
    if ("label" in result) return existingRunsText(result);
    const { since = [] } = result;
    return [
      ...since.map((one) => printable(`It has passed, and since then it came to light that ${one}.`)),
      renderDecision(result),
    ].join("\n");
  },
  exitCode(result) {
    if (!("comparisonHash" in result) || result.adapterHash === null) return 0;
    return result.hasPassed && result.since === undefined ? 0 : 4;
  },
});
