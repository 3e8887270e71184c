/**
 * From what the user named to what is selected: every name checked, every default filled in, before any work is done.
 */
import {
  formatFilter,
  loadRoleRule,
  parseFilter,
  type SelectionSettings,
  scrubbed,
  selectExamples,
  selectRerankerPairs,
  selectTipPairs,
} from "../curate/index.ts";
import { loadFormat } from "../dataset/index.ts";
import { Refusal } from "../foundation/errors.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { ExportSettings } from "../records/dataset-manifest.ts";
import type { RunId } from "../records/ids.ts";
import type { Selection, Tier } from "../records/selection.ts";
import type { Home } from "../store/home.ts";
import { type Lake, openLake } from "../store/lake.ts";
import { listPlans } from "../store/manifests.ts";
import { openTexts } from "../store/recorded-texts.ts";
import { answerTexts, checkedRole, chosenBase, chosenRuns, type SealedRun } from "./export-inputs.ts";
import type { ExportOptions } from "./export-result.ts";
import { BOTH_ROLES, commaList, exportSettings, readBand, readNear, readScrub } from "./export-settings.ts";

export interface ExportPlan {
  runs: SealedRun[];
  unsealed: RunId[];
  missing: RunId[];
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
  const format = await loadFormat(asked.format);
  const tier = asked.tier ?? format.tiers[0] ?? "demonstrations";
  const role = tier === "reranker-pairs" ? roleOfTips(asked.role) : checkedRole(asked.role ?? "worker");
  const filter = parseFilter(asked.filter ?? (role === "worker" ? "eval_passed=true" : "label=true"));
  if (!format.tiers.includes(tier)) throw tierNotOfFormat(tier, { format: asked.format, tiers: format.tiers });
  const pairs = pairsOf(asked.role, tier);
  const scrubReason = readScrub(asked);
  const { runs, unsealed, missing } = await chosenRuns(home, skills, options.runs);
  const base = tier === "reranker-pairs" ? null : await chosenBase(home, runs, asked.base); // no template renders tips
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
  const answerText = asked.target === "action" ? await answerTexts(skills) : null;
  const { gatesOff: _, tier: __, ...written } = chosen;
  return {
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
          ...{ role, skills, runs: names, filter, answerText, seed: asked.seed },
          labels: role === "worker" ? null : await (await loadRoleRule(role)).labels(lake, names),
          withBad: tier !== "demonstrations",
          comparisons: await listPlans(home),
        };
      });
      return scrubbed(selection, scrubReason);
    },
  };
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

/** Tips are what the reflector is for, whoever wrote them. */
function roleOfTips(role = "reflector"): "reflector" {
  if (role === "reflector") return role;
  throw new Refusal({
    code: "ROLE_WITHOUT_TIPS",
    message: "Pairs of tips are of no other role than the reflector.",
    expected: "--role reflector, or no role",
    got: `--role ${role} --tier reranker-pairs`,
    fix: "leave --role out",
  });
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
    if (settings.tier === "reranker-pairs") return await selectRerankerPairs(store, settings);
    const selection = pairs.worker ? await selectExamples(store, settings) : undefined;
    return pairs.reflector || selection === undefined ? await selectTipPairs(store, settings, selection) : selection;
  } finally {
    store.texts.close();
    lake.close();
  }
}

function tierNotOfFormat(tier: Tier, { format, tiers }: { format: string; tiers: readonly Tier[] }): Refusal {
  return new Refusal({
    code: "TIER_NOT_OF_FORMAT",
    message: `The format ${format} cannot hold rows of the tier ${tier}.`,
    expected: `--tier ${tiers.join(" or ")}, or another format`,
    got: `--format ${format} --tier ${tier}`,
    fix: `--tier ${tiers[0]}`,
  });
}
