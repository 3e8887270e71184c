/**
 * Counts the rows of a dataset while they pass by: how many of each skill, family, model and label, and how long they are.
 */
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { Message } from "../records/message.ts";
import type { Tokens } from "../records/selection.ts";
import { originsOf, type Part, type SelectedRow, type Tier } from "../records/selection.ts";
import { labelBalance } from "./label-balance.ts";
import type { RenderedRow } from "./rendered-rows.ts";

/** What a manifest says of the rows together. */
export type Composition = Pick<DatasetManifest, "models" | "rules" | "bySkill" | "byFamily" | "labels" | "pairLengths">;

export interface RowCounts {
  add(row: RenderedRow): void;
  counts(): Omit<DatasetManifest["counts"], "examples">;
  composition(): Composition;
}

/** Units: tokens are null where `hasTokens` is false. */
export function rowCounts(tier: Tier, hasTokens: boolean): RowCounts {
  const rows = { train: 0, validation: 0 };
  const items = new Set<string>();
  const families = new Set<string>();
  const ofModel = new Map<string | null, number>();
  const rules = new Set<string>();
  const ofSkill = new Map<string, Record<Part, number>>();
  const ofFamily = new Map<string, Composition["byFamily"][number]>();
  const labels = { good: 0, bad: 0 };
  const lengths = pairLengths(hasTokens);
  let trainTokens = 0;
  let trainedTokens = 0;

  return {
    add({ part, row, tokens }) {
      rows[part] += 1;
      items.add(row.item);
      for (const model of new Set(originsOf(row).map((origin) => origin.model)))
        ofModel.set(model, (ofModel.get(model) ?? 0) + 1);
      for (const { rule } of originsOf(row)) rules.add(rule);
      countFamily(ofFamily, part, row);
      const skill = ofSkill.get(row.skill) ?? { train: 0, validation: 0 };
      ofSkill.set(row.skill, { ...skill, [part]: skill[part] + 1 });
      if (part !== "train") return;
      families.add(row.family);
      for (const { ids, mask } of tokens) {
        trainTokens += ids.length;
        for (const isTrained of mask) trainedTokens += isTrained;
      }
      if (row.kind === "answer") labels[row.label ? "good" : "bad"] += 1;
      else if (row.kind !== "reranker-pair") lengths.add(row, tokens);
    },
    counts: () => ({
      trainRows: rows.train,
      validationRows: rows.validation,
      trainTokens: hasTokens ? trainTokens : null,
      trainedTokens: hasTokens ? trainedTokens : null,
      items: items.size,
      families: [...families].sort(),
    }),
    composition: () => ({
      models: [...ofModel]
        .map(([model, count]) => ({ model, rows: count }))
        .sort((x, y) => y.rows - x.rows || ((x.model ?? "") < (y.model ?? "") ? -1 : 1)),
      rules: [...rules].sort(),
      bySkill: [...ofSkill]
        .map(([skill, { train, validation }]) => ({ skill, trainRows: train, validationRows: validation }))
        .sort((x, y) => (x.skill < y.skill ? -1 : 1)),
      byFamily: [...ofFamily].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, family]) => family),
      labels: tier === "judged" ? labelBalance(labels) : null,
      pairLengths: tier === "preference-pairs" ? lengths.means() : null,
    }),
  };
}

function countFamily(
  ofFamily: Map<string, Composition["byFamily"][number]>,
  part: Part,
  { skill, family }: SelectedRow,
): void {
  const key = JSON.stringify([skill, family, part]);
  const known = ofFamily.get(key);
  if (known === undefined) ofFamily.set(key, { skill, family, part, rows: 1 });
  else known.rows += 1;
}

function pairLengths(hasTokens: boolean) {
  const sums = { chosenCharacters: 0, rejectedCharacters: 0, chosenTokens: 0, rejectedTokens: 0 };
  let pairs = 0;
  return {
    add({ chosen, rejected }: Extract<SelectedRow, { chosen: Message }>, [ofChosen, ofRejected]: readonly Tokens[]) {
      pairs += 1;
      sums.chosenCharacters += answerCharacters(chosen);
      sums.rejectedCharacters += answerCharacters(rejected);
      sums.chosenTokens += answerTokens(ofChosen);
      sums.rejectedTokens += answerTokens(ofRejected);
    },
    means(): NonNullable<Composition["pairLengths"]> {
      const mean = (sum: number) => sum / Math.max(1, pairs);
      return {
        chosenCharacters: mean(sums.chosenCharacters),
        rejectedCharacters: mean(sums.rejectedCharacters),
        chosenTokens: hasTokens ? mean(sums.chosenTokens) : null,
        rejectedTokens: hasTokens ? mean(sums.rejectedTokens) : null,
      };
    },
  };
}

function answerCharacters({ content, tool_calls = [] }: Message): number {
  return (content?.length ?? 0) + (tool_calls.length > 0 ? JSON.stringify(tool_calls).length : 0);
}

function answerTokens(tokens: Tokens | undefined): number {
  return tokens?.mask.reduce<number>((sum, bit) => sum + bit, 0) ?? 0;
}
