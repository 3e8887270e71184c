/**
 * Readiness as text: what there is, what took the rest, what a comparison could see, and how that stands beside what
 * others have found to be enough.
 */
import type { Coverage } from "../curate/index.ts";
import { counted } from "../foundation/counted.ts";
import { sumOf } from "../foundation/sums.ts";
import { textTable } from "../foundation/text-table.ts";
import type { RunId } from "../records/ids.ts";
import type { RefusalCount } from "../records/refusal-tally.ts";
import { pointsSize } from "../statistics/figures.ts";
import { DEFAULT_MAX_PER_ITEM } from "./export-settings.ts";

export interface RoleReadiness {
  role: string;
  examples: number;
  trainRows: number;
  /** Of the training rows as many as the default cap on an item's rows leaves. */
  rowsByDefault: number;
  validationRows: number;
  families: { skill: string; family: string; rows: number }[];
  refusals: RefusalCount[];
  /** Training rows of each run, oldest first: what the latest added is what the next may add. */
  byRun: { run: RunId; rows: number }[];
  /** Different answers per item that has one, white space aside. */
  answersPerItem: number | null;
  /** Of a training row's prompt and answer, as the base renders them; null without a base or a row. */
  tokens: { p50: number; p99: number; largest: number } | null;
}

export interface Detectable {
  skill: string;
  items: number;
  families: number;
  /** Least difference in success found with 80 % power, by the share of items on which the arms differ; fractions. */
  differences: { discordant: number; difference: number | null }[];
}

export interface Readiness {
  target: "A" | "B";
  skills: string[];
  /** The base whose template and context the examples have to fit; null where nothing is rendered. */
  base: string | null;
  /** What the base can hold. */
  contextTokens: number | null;
  roles: RoleReadiness[];
  coverage: Coverage[];
  detectable: Detectable[];
}

/**
 * Rules of thumb, not thresholds. A: 491 verified trajectories (SWE-Gym, arXiv:2412.21139) and 500 (FireAct,
 * arXiv:2310.05915) changed an agent for one kind of task. B: 60,000 verified calls over many tools (APIGen,
 * arXiv:2406.18518).
 */
const ENOUGH = {
  A: {
    rows: 500,
    words: "some hundreds of verified examples change an agent at one skill (SWE-Gym: 491; FireAct: 500)",
  },
  B: { rows: 60_000, words: "sets over many skills have tens of thousands of examples (APIGen: 60,000)" },
};

const FAMILIES_SHOWN = 5;
const REFUSALS_SHOWN = 4;

/** Writes what `readiness` prints. */
export function printedReadiness(readiness: Readiness): string {
  const { target, skills, base, contextTokens, roles, coverage, detectable } = readiness;
  const enough = ENOUGH[target];
  return [
    `Target ${target}: ${target === "A" ? `an adapter for ${skills[0]}` : `adapters over ${skills.join(", ")}`}`,
    base === null
      ? "no base: what a template or a context would refuse is not taken off"
      : `rendered by ${base}: what its template or its context refuses is taken off`,
    "",
    textTable(
      ["role", "examples", "train", "validation", "families", "answers an item", "most are refused for"],
      roles.map(roleRow),
      140,
    ),
    ...roles.flatMap((role) => skills.flatMap((skill) => familyLines(role, skill))),
    "",
    ...coverage.map(
      ({ skill, items, solved, never, families }) =>
        `${skill}: ${counted(items, "train item")} of ${counted(families, "family", "families")} ${items === 1 ? "was" : "were"} tried; ${solved} ${solved === 1 ? "was" : "were"} solved at least once, ${never} never`,
    ),
    ...roles.flatMap(nextRun),
    ...roles.flatMap((role) => tokensLine(role, contextTokens)),
    "",
    ...detectable.map(detectableLine),
    `Rule of thumb: ${enough.words}; here are ${roles.map(rowsOf).join(", ") || "none"}.`,
  ].join("\n");
}

function rowsOf({ role, trainRows, rowsByDefault }: RoleReadiness): string {
  const byDefault = `${rowsByDefault} at --max-per-item ${DEFAULT_MAX_PER_ITEM}, the default`;
  return `${trainRows} of the ${role}${rowsByDefault === trainRows ? "" : ` (${byDefault})`}`;
}

function roleRow({
  role,
  examples,
  trainRows,
  validationRows,
  families,
  answersPerItem,
  refusals,
}: RoleReadiness): string[] {
  const most = refusals.slice(0, REFUSALS_SHOWN).map(({ reason, count }) => `${reason} ${count}`);
  const counts = [examples, trainRows, validationRows, families.length].map(String);
  return [role, ...counts, answersPerItem?.toFixed(1) ?? "-", most.join(", ")];
}

function familyLines({ role, families }: RoleReadiness, skill: string): string[] {
  const ofSkill = families.filter((family) => family.skill === skill);
  const shown = ofSkill.slice(0, FAMILIES_SHOWN).map(({ family, rows }) => `${family} ${rows}`);
  const left = ofSkill.length - shown.length;
  const more = left > 0 ? `, and ${counted(left, "more family", "more families")}` : "";
  const rows = sumOf(ofSkill, (family) => family.rows);
  return [`${role}, ${skill}: ${counted(rows, "row")}${shown.length === 0 ? "" : `: ${shown.join(", ")}`}${more}`];
}

/** The latest run is what the next one will be most like: much of what it would bring is there already. */
function nextRun({ role, byRun }: RoleReadiness): string[] {
  const last = byRun.at(-1);
  if (last === undefined) return [];
  return [
    `${role}: the latest of ${counted(byRun.length, "run")} has ${counted(last.rows, "row")} that no other run stands for: another like it may add as many`,
  ];
}

function tokensLine({ role, tokens }: RoleReadiness, contextTokens: number | null): string[] {
  if (tokens === null) return [];
  const { p50, p99, largest } = tokens;
  const holds = contextTokens === null ? "" : `; the base holds ${contextTokens}`;
  return [`${role}: an example has ${p50} tokens (p50), ${p99} (p99), ${largest} at most${holds}`];
}

function detectableLine({ skill, items, families, differences }: Detectable): string {
  if (items === 0) return `${skill}: its test items are not here, so what a comparison could see is not known`;
  const seen = differences.flatMap(({ discordant, difference }) =>
    difference === null ? [] : [`${pointsSize(difference)} points where ${Math.round(100 * discordant)} % differ`],
  );
  const shown = seen.length === 0 ? "no difference that there can be" : seen.join(", ");
  return `${skill}: with its ${counted(items, "test item")} of ${counted(families, "family", "families")}, once each, 80 % power: ${shown}`;
}
