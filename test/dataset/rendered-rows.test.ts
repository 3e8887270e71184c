/** The last look for secrets: rows of which a first look is said to have missed one. */
import { expect, it } from "vitest";
import { scrubbed } from "../../src/curate/index.ts";
import { loadFormat } from "../../src/dataset/index.ts";
import { renderedRows } from "../../src/dataset/rendered-rows.ts";
import type { SelectedRow, Tier } from "../../src/records/selection.ts";
import { sampleBase, sampleExample, samplePair, sampleSelection } from "./sample-selection.ts";

const TEMPLATE = `{% for t in tools or [] %}{{ t | tojson }}{% endfor %}{% for m in messages %}<|im_start|>{{ m.role }}:{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant:{% endif %}`;
const LOGIN = "ssh lena@db7.prod.internal";
const { renderer } = await sampleBase(TEMPLATE);
const inPrompt = sampleExample(1, { prompt: [{ role: "user", content: LOGIN }] });
const inTool = sampleExample(2, {
  tools: [{ type: "function", function: { name: "connect", description: LOGIN } }],
});
const inRejected = samplePair(3, { rejected: { role: "assistant", content: LOGIN } });

async function refusalsOf(
  row: SelectedRow,
  { format, tier, hasBase }: { format: string; tier: Tier; hasBase: boolean },
) {
  const selection = await scrubbed(sampleSelection([]), null);
  const missed = {
    ...selection,
    async *rows() {
      yield row;
    },
  };
  const settings = { format: await loadFormat(format), tier, renderer: hasBase ? renderer : null, maxTokens: null };
  let written = 0;
  for await (const _ of renderedRows(missed, settings)) written++;
  const reasons = selection.refusals.counts().map(({ reason }) => reason);
  return { written, reasons };
}

it.each([
  ["its line", inPrompt, { format: "jsonl", tier: "demonstrations", hasBase: false }],
  ["its tokens, where its line is ids", inPrompt, { format: "tokens", tier: "demonstrations", hasBase: true }],
  [
    "the tools that its tokens hold and its line does not",
    inTool,
    { format: "jsonl-flat", tier: "demonstrations", hasBase: true },
  ],
  ["the prompt that is all of it", inPrompt, { format: "prompts", tier: "prompts", hasBase: true }],
  ["the worse answer", inRejected, { format: "dpo", tier: "preference-pairs", hasBase: true }],
] as const)("a row is refused where a secret is still to be seen in %s", async (_, row, settings) => {
  expect(await refusalsOf(row, settings)).toEqual({ written: 0, reasons: ["secret-left"] });
});

it.each(["jsonl", "tokens"])("a row of the format %s is kept where there is none", async (format) => {
  const asked = sampleExample(1, { prompt: [{ role: "user", content: "Which password has the user? password:" }] });
  const kept = await refusalsOf(asked, { format, tier: "demonstrations", hasBase: true });
  expect(kept).toEqual({ written: 1, reasons: [] });
});
