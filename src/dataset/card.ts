/**
 * The dataset's card: README.md with the YAML that makes the folder a Hugging Face dataset repository.
 * Source: Hugging Face hub docs, "Manual configuration" and "Dataset cards".
 */
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { PARTS } from "../records/selection.ts";

export interface CardFacts {
  manifest: DatasetManifest;
  /** Ending of the files of rows. */
  extension: string;
  /** The licence of the base that the dataset is made for; null where it is not known. */
  licence: string | null;
  /** What each refusal reason means; reasons that are not here are shown alone. */
  reasons: ReadonlyMap<string, string>;
}

/** Writes the card of a dataset. The same manifest gives the same text. */
export function datasetCard({ manifest, extension, licence, reasons }: CardFacts): string {
  const { counts, settings } = manifest;
  const rows = { train: counts.trainRows, validation: counts.validationRows };
  const name = `${manifest.skills.join("+")} ${manifest.role}`;
  return `---
license: ${licence === null ? "unknown" : JSON.stringify(licence.toLowerCase())}
pretty_name: ${JSON.stringify(`tracemill ${name}`)}
task_categories:
- text-generation
configs:
- config_name: default
  data_files:
${PARTS.filter((part) => rows[part] > 0)
  .map((part) => `  - split: ${part}\n    path: ${part}.${extension}`)
  .join("\n")}
  parse_agent_traces: false
---
# ${name}

${counts.trainRows} training rows and ${counts.validationRows} validation rows from verified agent runs, made by tracemill ${manifest.codeVersion}.

- Filter: \`${manifest.filter.replaceAll(/[`\s]+/g, " ")}\`; at most ${settings.maxPerItem} rows an item, ${settings.maxTokens} tokens a row.
- Prompts: ${settings.tips === "drop" ? "tips taken out" : "tips left in"}. Target: ${settings.target === "action" ? "the action that the verifier judged" : "the answer as it was recorded"}.
- Tokens: ${counts.trainTokens} in the training rows, ${counts.trainedTokens} of them under the loss, by the tokenizer and chat template of \`${manifest.base}\`.
- Held-out test families are in no part; validation families are in \`validation\` only.
- Licence: that of the base, whose outputs these rows are; check the terms of the model named in the column \`model\`.

\`manifest.json\` names every input by its hash. \`train.parquet\` and \`validation.parquet\` hold the rendered token ids and the loss mask.

| refused | examples | why |
|---|---|---|
${manifest.refusals.map(({ reason, count }) => `| ${reason} | ${count} | ${reasons.get(reason) ?? ""} |`).join("\n")}
| kept | ${counts.trainRows + counts.validationRows} | of ${counts.examples} |
`;
}
