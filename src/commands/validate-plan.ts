/**
 * `tracemill validate --plan`: what a comparison of these items could show, before any model is loaded.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { counted } from "../foundation/counted.ts";
import { textTable } from "../foundation/text-table.ts";
import { type GateSettings, generalMargin, type PerWhat } from "../records/gate.ts";
import { percent, pointsSize } from "../statistics/figures.ts";
import { gatePower, neededTexts, type PlannedGate, type PlannedTexts, textsPower } from "../statistics/gate-power.ts";
import { ASSUMED_FAMILY_CORRELATION, designEffectOf } from "../statistics/planned-power.ts";
import { reuseAlpha } from "../statistics/test-set-reuse.ts";
import { listJudged } from "../store/comparisons.ts";
import type { Home } from "../store/home.ts";
import {
  earlierSpread,
  earlierTexts,
  earlyGatePower,
  LOOKS,
  type NamedSet,
  nextUse,
  perWhat,
} from "../validate/index.ts";
import type { OpenPart } from "./validate-draft.ts";
import type { ValidateOptions } from "./validate-input.ts";

/** Shares of items on which two arms differ, where no earlier comparison says one. */
const GRID = [0.05, 0.1, 0.2, 0.3, 0.4];
/** Of one text's difference, in nats: what a first trained candidate had (docs/log.md, how far a general axis spreads). */
const ASSUMED_SD: Record<PerWhat, number> = { question: 0.18, token: 0.06 };
/** The candidate that is asked about: better by so much, and harmless. */
const ASKED = 0.1;
/** Greedy runs are all alike; where items are sampled, half of the variance is taken to lie within an item. */
const ASSUMED_WITHIN = 0.5;

/** Texts of a set that decide. Units: `sd` and `margin` in nats of what `per` says. */
interface PlannedSet extends PlannedTexts {
  set: string;
  per: PerWhat;
  /** Where `sd` comes from. */
  source: string;
  /** The chance that a harmless candidate passes there. */
  passes: number;
  /** Texts at which it passes with 80 %; null beyond a million. */
  neededTexts: number | null;
}

/** Items of a skill. `designEffect`: the variance over that of independent items. */
interface PlannedPart {
  skill: string;
  items: number;
  families: number;
  designEffect: number;
}

export interface ComparisonPlan extends PlannedPart {
  sides: PlannedPart[];
  general: PlannedSet[];
  samples: number;
  /** Which candidate on these items it would be. */
  use: number;
  alpha: number;
  /** At which the skill is judged where the comparison may end early, a look's share; null where it is `alpha`. */
  lookAlpha: number | null;
  /** Side axes that have to pass, where there are not as many; null where there are. */
  missingSides: number | null;
  /** Whether harm is judged against the base as well, which is another arm than the one to beat. */
  isAgainstBaseToo: boolean;
  /** Where discordance and what families cost come from. */
  source: string;
  difference: number;
  rows: PlannedRow[];
}

/** What the items could show where the arms differ on so many; null where it cannot be, as arms that differ on fewer items than that. */
interface PlannedRow {
  discordant: number;
  detectable: number | null;
  primary: number | null;
  whole: number | null;
  neededItems: number | null;
}

/** Returns what the comparison could show. Throws: as `readPlan`; the reason of the signal where that was aborted. */
export async function planComparison(
  { samples, against, sequential }: ValidateOptions,
  {
    parts,
    sets,
    gate,
    home,
    signal,
  }: {
    parts: readonly [OpenPart, ...OpenPart[]];
    sets: readonly NamedSet[];
    gate: GateSettings;
    home: Home;
    signal: AbortSignal;
  },
): Promise<ComparisonPlan> {
  const use = nextUse(parts[0].part, await listJudged(home));
  const alpha = reuseAlpha(gate.alpha, use);
  const asked = { alpha, minFamilies: gate.primary.minFamilies };
  const general = (await textsOf(home, sets, gate)).map((set) => {
    return { ...set, passes: textsPower(set, asked), neededTexts: neededTexts(set, asked) };
  });
  const lookAlpha = sequential ? alpha / LOOKS : null;
  const earlier = await earlierSpread(home, parts[0].part.skill.id);
  const correlation = earlier?.familyCorrelation ?? ASSUMED_FAMILY_CORRELATION;
  const [first, ...others] = parts;
  const [primary, sides] = [sizeOf(first, correlation), others.map((part) => sizeOf(part, correlation))];
  const missingSides = sides.length + general.length < gate.informativeSides ? gate.informativeSides : null;
  const isAgainstBaseToo = against === "champion";
  // Two comparisons of one thing pass together more often than unrelated ones: so this names rather too many items.
  const each = <T>(axes: T[]): T[] => (isAgainstBaseToo ? [...axes, ...axes] : axes);
  const rowOf = (discordant: number): PlannedRow => {
    const plan: PlannedGate = {
      ...{ ...asked, margin: gate.skills.margin, primary: { ...primary, discordant }, general: each(general) },
      sides: each(sides.map((side) => ({ ...side, discordant }))),
      ...{ samples, within: samples === 1 ? 0 : ASSUMED_WITHIN },
    };
    // Of a guess the row says itself that no candidate can be so much better; what was measured was of another candidate.
    const isPossible = earlier !== null || discordant >= ASKED;
    const power = sequential && isPossible ? earlyGatePower(plan, ASKED, gate) : gatePower(plan, ASKED);
    if (!isPossible) return { discordant, ...power, primary: null, whole: null, neededItems: null };
    return { discordant, ...power, ...(missingSides === null ? {} : { whole: 0, neededItems: null }) };
  };
  const rows: PlannedRow[] = [];
  for (const discordant of earlier === null ? GRID : [earlier.discordant]) {
    await nextTurn(); // a row of draws takes a second or more: a stop is heard between them
    signal.throwIfAborted();
    rows.push(rowOf(discordant));
  }
  const source = earlier?.source ?? "assumed, as no comparison on the validation split was decided yet";
  const asAsked = { samples, use, alpha, lookAlpha, missingSides, isAgainstBaseToo };
  return { ...primary, sides, general, ...asAsked, source, difference: ASKED, rows };
}

function sizeOf({ part }: OpenPart, correlation: number): PlannedPart {
  const families = new Set(part.items.map(({ family }) => family)).size;
  const size = { items: part.items.length, families };
  return { skill: part.skill.id, ...size, designEffect: designEffectOf(size, correlation) };
}

async function textsOf(
  home: Home,
  sets: readonly NamedSet[],
  gate: GateSettings,
): Promise<Omit<PlannedSet, "passes" | "neededTexts">[]> {
  const sized = sets.flatMap(({ id: set, texts: all }) => {
    const deciding = all.filter(({ isDeciding }) => isDeciding);
    const groups = new Set(deciding.map(({ group }) => group)).size;
    const per = perWhat(deciding);
    return deciding.length === 0
      ? []
      : [{ set, per, texts: deciding.length, groups, margin: generalMargin(gate, per) }];
  });
  return Promise.all(
    sized.map(async (set) => {
      return { ...set, ...((await earlierTexts(home, set)) ?? { sd: ASSUMED_SD[set.per], source: "assumed" }) };
    }),
  );
}

function textsLine({ set, per, texts, groups, sd, margin, source, passes, neededTexts: needed }: PlannedSet): string {
  const whole = needed === null ? "" : `, and in 80 % with ${needed}`;
  return (
    `General texts: ${texts} in ${groups} groups of ${set}; differences spread by ${sd.toFixed(2)} nats a ${per} (${source}), ` +
    `so a harmless candidate passes the margin of ${margin} in ${percent(passes)}${whole}.`
  );
}

function varianceOf({ skill, designEffect }: PlannedPart): string {
  return `${designEffect.toFixed(2)} for ${skill}`;
}

function looksLine(alpha: number): string {
  const share = Number(alpha.toPrecision(3));
  return `It may end at ${LOOKS} places, so the skill is judged at alpha ${share} and bets have to agree: what that finds was drawn by its own rule.`;
}

function missingLine({ sides, general, missingSides }: ComparisonPlan): string {
  const asked = sides.length + general.length;
  return `No candidate can pass: ${asked} side axes are asked and ${missingSides} must pass, so that harm would have been seen. Name more with --sides or --general.`;
}

/** Renders the plan as lines. */
export function comparisonPlanText(plan: ComparisonPlan): string {
  const { skill, items, families, sides, general, samples, use, alpha, source, difference, rows } = plan;
  const better = `${pointsSize(difference)} points better`;
  return [
    `${counted(items, "item")} of ${counted(families, "family", "families")} of ${skill}, ${samples === 1 ? "one run" : `${samples} runs`} an arm; alpha ${Number(alpha.toPrecision(3))} for candidate ${use} on them.`,
    ...sides.map(
      (side) =>
        `At the side: ${counted(side.items, "item")} of ${counted(side.families, "family", "families")} of ${side.skill}.`,
    ),
    ...general.map(textsLine),
    ...(plan.lookAlpha === null ? [] : [looksLine(plan.lookAlpha)]),
    ...(plan.isAgainstBaseToo ? ["Skills at the side and general texts are judged against the base as well."] : []),
    `Variance over that of independent items: ${[plan, ...sides].map(varianceOf).join(", ")} (${source}).`,
    "",
    textTable(
      ["arms differ on", "found with 80 %", `${better}: seen`, "passes the gate", "items for 80 %"],
      rows.map((row) => [
        percent(row.discordant),
        row.detectable === null ? "-" : `${pointsSize(row.detectable)} points`,
        row.primary === null ? "-" : percent(row.primary),
        row.whole === null ? "-" : percent(row.whole),
        row.neededItems === null ? "-" : `${row.neededItems}`,
      ]),
    ),
    "",
    `The last columns are of a candidate that is ${better} and harms nothing; items are those of ${skill}, in more families of the same size; all others and the texts grow with them.`,
    ...(plan.missingSides === null ? [] : [missingLine(plan)]),
  ].join("\n");
}
