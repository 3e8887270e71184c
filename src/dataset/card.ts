/**
 * The dataset's card: README.md with the YAML that makes the folder a Hugging Face dataset repository. Features are said
 * there, so that no loader infers them from the first rows that it sees.
 * Source: Hugging Face hub docs, "Manual configuration" and "Dataset cards"; datasets, packaged_modules/json/json.py.
 */
import { counted } from "../foundation/counted.ts";
import { markdownTable } from "../foundation/markdown.ts";
import { sumOf } from "../foundation/sums.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { PARTS, type Tier } from "../records/selection.ts";
import { cardFeatures } from "./columns.ts";
import type { DatasetFormat } from "./format.ts";

export interface CardFacts {
  manifest: DatasetManifest;
  format: DatasetFormat;
  /** The licence of the base that the dataset is made for; null where it is not known. */
  licence: string | null;
  /** Columns of text that a reader would take for dates: the card says that they are JSON. */
  asJson: readonly string[];
  /** What each refusal reason means; reasons that are not here are shown alone. */
  reasons: ReadonlyMap<string, string>;
}

const TIER_WORDS: Record<Tier, string> = {
  demonstrations: "good answers",
  judged: "answers with their label, good and bad ones",
  "preference-pairs": "pairs of a better and a worse answer to the same prompt",
  prompts: "tasks without answers",
  "reranker-pairs": "a query, a tip that helps more and one that helps less, for a model that ranks tips",
};
/** Hugging Face's own steps. */
const SIZES = [
  [1e3, "n<1K"],
  [1e4, "1K<n<10K"],
  [1e5, "10K<n<100K"],
  [1e6, "100K<n<1M"],
  [1e7, "1M<n<10M"],
] as const;
const SHOWN_MODELS = 20;

/** Writes the card of a dataset. The same manifest gives the same text. */
export function datasetCard(facts: CardFacts): string {
  const { manifest, reasons } = facts;
  const { counts, settings, tier } = manifest;
  const name = `${manifest.skills.join("+")} ${manifest.role}`;
  return `---
${cardHead(facts)}
---
# ${name}

${counted(counts.trainRows, "training row")} and ${counted(counts.validationRows, "validation row")} from verified agent runs: ${TIER_WORDS[tier]}. Made by tracemill ${manifest.codeVersion}.

- Filter: \`${manifest.filter.replaceAll(/[`\s]+/g, " ")}\`; at most ${counted(settings.maxPerItem, "row")} an item${tier === "judged" ? ", role and label" : " and role"}${settings.maxTokens === null ? "" : `, ${settings.maxTokens} tokens a row`}.${manifest.gatesOff.length > 0 ? ` Switched off: ${manifest.gatesOff.join(", ")}.` : ""}
- Prompts: ${settings.tips === "drop" ? "tips taken out" : "tips left in"}. Target: ${settings.target === "action" ? "the action that the verifier judged" : "the answer as it was recorded"}.
${tokensLine(manifest)}
- Held-out test families are in no part; validation families are in \`validation\` only.
- Licence: that of the base, whose outputs these rows are; check the terms of the model that is named for each row.
${balanceLines(manifest).join("")}
\`manifest.json\` names every input by its hash, \`croissant.json\` describes the columns to other programs.

${markdownTable(["model", "rows"], shownModels(manifest))}

| refused | examples | why |
|---|---|---|
${[
  ...manifest.refusals.map(({ reason, count }) => `| ${reason} | ${count} | ${reasons.get(reason) ?? ""} |`),
  `| kept | ${counts.trainRows + counts.validationRows} | of ${counts.examples} |`,
].join("\n")}
`;
}

/**
 * `parse_agent_traces` keeps the loader of JSON from taking rows for an agent's trace; that of Parquet does not know it.
 * Tokens are no configuration of their own: a repository is read by one loader, and theirs is that of Parquet.
 */
function cardHead({ manifest, format, licence, asJson }: CardFacts): string {
  const { counts, tier, skills, role } = manifest;
  const rows = { train: counts.trainRows, validation: counts.validationRows };
  const size = SIZES.find(([below]) => rows.train + rows.validation < below)?.[1] ?? "n>10M";
  const splits = PARTS.filter((part) => rows[part] > 0).map(
    (part) => `  - split: ${part}\n    path: ${part}.${format.extension}`,
  );
  return [
    `license: ${licence === null ? "unknown" : JSON.stringify(licence.toLowerCase())}`,
    `pretty_name: ${JSON.stringify(`tracemill ${skills.join("+")} ${role}`)}`,
    `task_categories:\n- ${tier === "reranker-pairs" ? "text-ranking" : "text-generation"}`,
    `tags:\n- tracemill\n- agent\n- ${tier}`,
    `size_categories:\n- ${size}`,
    `configs:\n- config_name: default\n  data_files:\n${splits.join("\n")}`,
    ...(format.extension === "jsonl" ? ["  parse_agent_traces: false"] : []),
    `dataset_info:\n- config_name: default\n  features:\n${cardFeatures(format.columns, asJson)}`,
  ].join("\n");
}

function tokensLine({ base, counts }: DatasetManifest): string {
  if (base === null) return "- Tokens: none; the rows are texts, for any base.";
  return `- Tokens: ${counts.trainTokens} in the training rows, ${counts.trainedTokens} of them under the loss, by the tokenizer and chat template of \`${base}\`; \`tokens/\` holds ids and mask of each row.`;
}

function balanceLines({ labels, pairLengths }: DatasetManifest): string[] {
  const lines: string[] = [];
  if (labels !== null) {
    const { good, bad, goodWeight, badWeight } = labels;
    lines.push(
      `- Labels: ${good} good, ${bad} bad. For KTO: desirable_weight ${goodWeight}, undesirable_weight ${badWeight}.\n`,
    );
  }
  if (pairLengths !== null) {
    const { chosenCharacters, rejectedCharacters } = pairLengths;
    lines.push(
      `- Length: chosen answers have ${Math.round(chosenCharacters)} characters on average, rejected ones ${Math.round(rejectedCharacters)}.\n`,
    );
  }
  return lines;
}

function shownModels({ models }: DatasetManifest): string[][] {
  const shown = models.slice(0, SHOWN_MODELS).map(({ model, rows }) => [model ?? "not recorded", String(rows)]);
  const rest = models.slice(SHOWN_MODELS);
  const restRows = sumOf(rest, ({ rows }) => rows);
  return rest.length === 0 ? shown : [...shown, [`${rest.length} more`, String(restRows)]];
}
