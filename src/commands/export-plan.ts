/**
 * From what the user named to what is selected: every name checked, every default filled in, before any work is done.
 */
import type { z } from "zod";
import {
  formatFilter,
  isOwnServer,
  joinedSelections,
  loadRoleRule,
  parseFilter,
  type SelectionSettings,
  type SelectionStore,
  scrubbed,
  selectExamples,
  selectRerankerPairs,
  selectTipPairs,
  withoutOutcome,
} from "../curate/index.ts";
import { formatFor, loadFormat } from "../dataset/index.ts";
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { ExportSettings } from "../records/dataset-manifest.ts";
import { ROLES, type Role } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import { ALL_ROLES, BOTH_ROLES } from "../records/role-names.ts";
import type { Selection, Tier } from "../records/selection.ts";
import { listHeldParts } from "../store/comparisons.ts";
import type { Home } from "../store/home.ts";
import { type Lake, openLake } from "../store/lake.ts";
import { openTexts } from "../store/recorded-texts.ts";
import { listRuns, type RunSummary } from "../store/runs.ts";
import { chosenRuns, type SealedRun } from "./chosen-runs.ts";
import { answerTexts, checkedRole, chosenBase } from "./export-inputs.ts";
import type { ExportOptions } from "./export-result.ts";
import { commaList, exportSettings, readBand, readNear, readScrub } from "./export-settings.ts";
import { splitRuns } from "./split-runs.ts";

const GOOD_LABEL = "label=true";
const ROLES_WITH_PAIRS: readonly Role[] = ["worker", "reflector"];

export interface ExportPlan {
  runs: SealedRun[];
  unsealed: RunId[];
  missing: RunId[];
  /** Registered comparisons whose items are held out. */
  comparisons: Hash[];
  base: BaseManifest | null;
  /** As the manifest names it. */
  role: string;
  tier: Tier;
  format: string;
  filterText: string;
  settings: ExportSettings;
  gatesOff: string[];
  minRows: number;
  seed: number;
  select(): Promise<Selection>;
}

/** Throws: a refusal for every name or word that cannot be used. */
export async function exportPlan(options: ExportOptions, home: Home): Promise<ExportPlan> {
  const { skills } = options;
  const asked = exportSettings.parse(options);
  const tier = await tierOf(asked);
  const roles = rolesOf(asked.role, tier);
  const filter = parseFilter(asked.filter ?? defaultFilter(roles));
  refuseWhatCannotBe(asked, { roles, tier });
  const scrubReason = readScrub(asked);
  const { runs, unsealed, missing } = await chosenRuns(home, skills, options.runs);
  const base = tier === "reranker-pairs" ? null : await chosenBase(home, runs, asked.base); // no template renders tips
  await formatFor(asked.format, { tier, hasBase: base !== null });
  if (base === null && asked.maxTokens !== undefined) throw maxTokensWithoutBase(asked.maxTokens);
  const gatesOff = [
    ...new Set([...commaList(asked.without), ...(asked.include === "retired" ? ["retired-tip"] : [])]),
  ].sort();
  const chosen = {
    ...{ tier, unit: asked.unit, tips: asked.tips, tries: asked.tries, dampEasy: asked.dampEasy, gatesOff },
    maxPerItem: asked.maxPerItem,
    maxTokens: asked.maxTokens ?? base?.contextTokens ?? null,
    band: readBand(asked.band),
    balance: { families: asked.balanceFamilies, skills: asked.balanceSkills },
    nearThreshold: readNear(asked.near),
    allowTeachers: commaList(asked.allowTeacher),
  };
  const heldOut = await listHeldParts(home);
  const isServedElsewhere = await servedElsewhere(home, runs);
  const answerText = asked.target === "action" ? await answerTexts(skills) : null;
  const { gatesOff: _, tier: __, ...written } = chosen;
  return {
    comparisons: [...new Set(heldOut.map(({ comparisonHash }) => comparisonHash))].sort(),
    ...{ runs, unsealed, missing, base, tier, gatesOff, role: nameOf(roles) },
    format: asked.format,
    filterText: formatFilter(filter),
    settings: {
      ...written,
      target: asked.target,
    },
    minRows: asked.minRows,
    seed: asked.seed,
    select: async () => {
      const names = runs.map(({ run }) => run);
      const inOneSplit = await splitRuns(home, { chosen: names, withRevoked: gatesOff.includes("revoked") });
      const selections = await selectFrom(home, roles, async (lake, role) => ({
        ...chosen,
        ...{ role, skills, runs: names, seed: asked.seed },
        answerText: role === "worker" ? answerText : null,
        isServedElsewhere,
        filter: tier === "prompts" ? withoutOutcome(filter) : filter,
        labels: role === "worker" ? null : await (await loadRoleRule(role)).labels(lake, names),
        withBad: tier === "judged" || tier === "preference-pairs",
        ...{ heldOut, splitRuns: inOneSplit },
      }));
      return scrubbed(joinedSelections(selections, asked.seed), scrubReason);
    },
  };
}

/** Returns the tier that is asked for, else the one that the format is for. Throws: `UNKNOWN_FORMAT`. */
export async function tierOf({ tier, format }: Pick<Asked, "tier" | "format">): Promise<Tier> {
  return tier ?? (await loadFormat(format)).tiers[0] ?? "demonstrations";
}

/** Whether a row of the tier may hold a whole attempt: one of several answers or of none has no place for it. */
export function takesWholeAttempts(tier: Tier): boolean {
  return tier === "demonstrations" || tier === "judged";
}

/** Whose answers are read. Throws: `UNKNOWN_ROLE`, `ROLE_WITHOUT_PAIRS`. */
function rolesOf(asked: string | undefined, tier: Tier): readonly Role[] {
  if (tier === "preference-pairs" && (asked === undefined || asked === ALL_ROLES)) return ROLES_WITH_PAIRS;
  if (asked === ALL_ROLES) return ROLES;
  const role = checkedRole(asked ?? (tier === "reranker-pairs" ? "reflector" : "worker"));
  if (tier !== "preference-pairs" || ROLES_WITH_PAIRS.includes(role)) return [role];
  throw new Refusal({
    code: "ROLE_WITHOUT_PAIRS",
    message: `Two answers of the ${role} to comparable prompts are not told apart by anything that can be trusted.`,
    expected: "--role worker, --role reflector, or neither for both",
    got: `--role ${role} --tier ${tier}`,
    fix: `--tier demonstrations --format jsonl, for good answers of the ${role}`,
  });
}

/** Good answers: of a worker what the verifier says alone, where nobody else's are asked for. */
function defaultFilter(roles: readonly Role[]): string {
  return roles.includes("worker") && roles !== ROLES ? "eval_passed=true" : GOOD_LABEL;
}

function nameOf(roles: readonly Role[]): string {
  const [role, ...others] = roles;
  if (role !== undefined && others.length === 0) return role;
  return roles === ROLES_WITH_PAIRS ? BOTH_ROLES : ALL_ROLES;
}

/**
 * Rules play on no server. Whoever played a role that the run does not name answered by the server behind the proxy, where it
 * recorded the call; of what else was imported nothing is known.
 */
async function servedElsewhere(
  home: Home,
  runs: readonly SealedRun[],
): Promise<SelectionSettings["isServedElsewhere"]> {
  const byRun = new Map(runs.map((one) => [one.run, one]));
  const behind = await upstreamsOf(home, runs);
  return ({ run, role, isRecorded }) => {
    const { models, source = null } = byRun.get(run) ?? {};
    const player = models?.[role];
    if (player !== undefined) return "endpoint" in player && !isOwnServer(player.endpoint);
    const upstream = source === null || isRecorded ? behind.get(run) : undefined;
    return upstream === undefined || !isOwnServer(upstream);
  };
}

/** The server behind the proxy that recorded a run, or the calls that a log was joined with. */
async function upstreamsOf(home: Home, runs: readonly SealedRun[]): Promise<Map<RunId, string>> {
  const recordedAs = (one: SealedRun) => one.source?.facts.recorded ?? one.run;
  const isJoined = runs.some((one) => recordedAs(one) !== one.run);
  const all = new Map<unknown, RunSummary>((isJoined ? await listRuns(home) : runs).map((one) => [one.run, one]));
  return new Map(
    runs.flatMap((one) => {
      const upstream = all.get(recordedAs(one))?.upstream ?? null;
      return upstream === null ? [] : [[one.run, upstream] as const];
    }),
  );
}

async function selectFrom(
  home: Home,
  roles: readonly Role[],
  settingsOf: (lake: Lake, role: Role) => Promise<SelectionSettings>,
): Promise<Selection[]> {
  const lake = await openLake(home);
  const store = { lake, texts: openTexts(home), spillFolder: home.lake };
  const selections: Selection[] = [];
  try {
    for (const role of roles) selections.push(await selectionOf(store, await settingsOf(lake, role)));
  } catch (error) {
    for (const selection of selections) selection.close();
    throw error;
  } finally {
    store.texts.close();
    lake.close();
  }
  return selections;
}

function selectionOf(store: SelectionStore, settings: SelectionSettings): Promise<Selection> {
  const { tier, role } = settings;
  if (tier === "reranker-pairs") return selectRerankerPairs(store.lake, settings);
  const isOfTips = tier === "preference-pairs" && role === "reflector";
  return isOfTips ? selectTipPairs(store, settings) : selectExamples(store, settings);
}

type Asked = z.output<typeof exportSettings>;

/** Refuses what would have no effect, or none that is meant. */
function refuseWhatCannotBe(
  { target, unit, without, filter }: Asked,
  { roles, tier }: { roles: readonly Role[]; tier: Tier },
): void {
  if (unit === "attempt" && !takesWholeAttempts(tier))
    throw cannotBe(`--unit attempt --tier ${tier}`, "whole attempts are rows of one answer", "--unit turn");
  if (tier === "reranker-pairs") {
    if (nameOf(roles) !== "reflector")
      throw cannotBe(`--role ${nameOf(roles)} --tier ${tier}`, "tips are the reflector's", "leave --role out");
    if ((filter ?? GOOD_LABEL) !== GOOD_LABEL)
      throw cannotBe(
        `--filter "${filter}" --tier ${tier}`,
        "tips are chosen by their effects alone",
        "leave --filter out",
      );
  }
  if (target !== "action") return;
  if (!roles.includes("worker"))
    throw cannotBe(`--target action --role ${nameOf(roles)}`, "only a worker acts", "--target answer");
  if (commaList(without).includes("no-action"))
    throw cannotBe(
      "--target action --without no-action",
      "an action is what is trained on",
      "leave --without no-action out",
    );
}

function cannotBe(got: string, expected: string, fix: string): Refusal {
  return new Refusal({ code: "BAD_ARGUMENT", message: "These do not go together.", expected, got, fix });
}

function maxTokensWithoutBase(maxTokens: number): Refusal {
  return new Refusal({
    code: "MAX_TOKENS_NEEDS_BASE",
    message: "Without a base nothing can count tokens.",
    expected: "--base NAME with --max-tokens",
    got: `--max-tokens ${maxTokens}, and no base`,
    fix: "tracemill base add smollm2, or leave --max-tokens out",
  });
}
