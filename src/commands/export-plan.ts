/**
 * From what the user named to what is selected: every name checked, every default filled in, before any work is done.
 */
import type { z } from "zod";
import {
  formatFilter,
  isOwnServer,
  loadRoleRule,
  parseFilter,
  type SelectionSettings,
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
import type { Role } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import type { Selection, Tier } from "../records/selection.ts";
import { listHeldParts } from "../store/comparisons.ts";
import type { Home } from "../store/home.ts";
import { type Lake, openLake } from "../store/lake.ts";
import { openTexts } from "../store/recorded-texts.ts";
import { answerTexts, checkedRole, chosenBase, chosenRuns, type SealedRun } from "./export-inputs.ts";
import type { ExportOptions } from "./export-result.ts";
import { BOTH_ROLES, commaList, exportSettings, readBand, readNear, readScrub } from "./export-settings.ts";

const GOOD_LABEL = "label=true";

export interface ExportPlan {
  runs: SealedRun[];
  unsealed: RunId[];
  missing: RunId[];
  /** Registered comparisons whose items are held out. */
  comparisons: Hash[];
  base: BaseManifest | null;
  /** One role, or both that pairs are of. */
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
  const role = checkedRole(asked.role ?? (tier === "reranker-pairs" ? "reflector" : "worker"));
  const filter = parseFilter(asked.filter ?? (role === "worker" ? "eval_passed=true" : GOOD_LABEL));
  const pairs = pairsOf(asked.role, tier);
  refuseWhatCannotBe(asked, { role, tier });
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
    band: readBand(asked.band),
    balance: { families: asked.balanceFamilies, skills: asked.balanceSkills },
    nearThreshold: readNear(asked.near),
    allowTeachers: commaList(asked.allowTeacher),
  };
  const heldOut = await listHeldParts(home);
  const answerText = asked.target === "action" ? await answerTexts(skills) : null;
  const { gatesOff: _, tier: __, ...written } = chosen;
  return {
    comparisons: [...new Set(heldOut.map(({ comparisonHash }) => comparisonHash))].sort(),
    ...{ runs, unsealed, missing, base, tier, gatesOff, role: pairs.worker && pairs.reflector ? BOTH_ROLES : role },
    format: asked.format,
    filterText: formatFilter(filter),
    settings: {
      ...written,
      target: asked.target,
      maxTokens: asked.maxTokens ?? base?.contextTokens ?? null,
    },
    minRows: asked.minRows,
    seed: asked.seed,
    select: async () => {
      const selection = await selectFrom(home, pairs, async (lake) => {
        const names = runs.map(({ run }) => run);
        return {
          ...chosen,
          ...{ role, skills, runs: names, answerText, seed: asked.seed },
          isServedElsewhere: servedElsewhere(runs),
          filter: tier === "prompts" ? withoutOutcome(filter) : filter,
          labels: role === "worker" ? null : await (await loadRoleRule(role)).labels(lake, names),
          withBad: tier === "judged" || tier === "preference-pairs",
          heldOut,
        };
      });
      return scrubbed(selection, scrubReason);
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

/** Whose pairs are in a dataset of pairs: pairs of a worker's answers, of the reflector's, or both. */
function pairsOf(role: string | undefined, tier: Tier): { worker: boolean; reflector: boolean } {
  if (tier !== "preference-pairs") return { worker: true, reflector: false };
  if (role === undefined) return { worker: true, reflector: true };
  if (role === "worker" || role === "reflector") return { worker: role === "worker", reflector: role === "reflector" };
  throw new Refusal({
    code: "ROLE_WITHOUT_PAIRS",
    message: `Two answers of the ${role} to comparable prompts are not told apart by anything that can be trusted.`,
    expected: "--role worker, --role reflector, or neither for both",
    got: `--role ${role} --tier ${tier}`,
    fix: `--tier demonstrations --format jsonl, for good answers of the ${role}`,
  });
}

/**
 * Rules play on no server. Whoever played a role that the run does not name answered by the server behind the proxy, where it
 * was recorded; of an imported run nothing is known.
 */
function servedElsewhere(runs: readonly SealedRun[]): SelectionSettings["isServedElsewhere"] {
  const byRun = new Map(runs.map((one) => [one.run, one]));
  return (run, role) => {
    const { models, upstream = null } = byRun.get(run) ?? {};
    const player = models?.[role];
    if (player === undefined) return upstream === null || !isOwnServer(upstream);
    return "endpoint" in player && !isOwnServer(player.endpoint);
  };
}

async function selectFrom(
  home: Home,
  pairs: ReturnType<typeof pairsOf>,
  settingsOf: (lake: Lake) => Promise<SelectionSettings>,
): Promise<Selection> {
  const lake = await openLake(home);
  const store = { lake, texts: openTexts(home), spillFolder: home.lake };
  try {
    const settings = await settingsOf(lake);
    if (settings.tier === "reranker-pairs") return await selectRerankerPairs(lake, settings);
    const selection = pairs.worker ? await selectExamples(store, settings) : undefined;
    return pairs.reflector || selection === undefined ? await selectTipPairs(store, settings, selection) : selection;
  } finally {
    store.texts.close();
    lake.close();
  }
}

type Asked = z.output<typeof exportSettings>;

/** Refuses what would have no effect, or none that is meant. */
function refuseWhatCannotBe(
  { target, unit, without, filter }: Asked,
  { role, tier }: { role: Role; tier: Tier },
): void {
  if (unit === "attempt" && !takesWholeAttempts(tier))
    throw cannotBe(`--unit attempt --tier ${tier}`, "whole attempts are rows of one answer", "--unit turn");
  if (tier === "reranker-pairs") {
    if (role !== "reflector")
      throw cannotBe(`--role ${role} --tier ${tier}`, "tips are the reflector's", "leave --role out");
    if ((filter ?? GOOD_LABEL) !== GOOD_LABEL)
      throw cannotBe(
        `--filter "${filter}" --tier ${tier}`,
        "tips are chosen by their effects alone",
        "leave --filter out",
      );
  }
  if (target !== "action") return;
  if (role !== "worker") throw cannotBe(`--target action --role ${role}`, "only a worker acts", "--target answer");
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
