/** Selections made by hand, and a dataset's origin, for tests of what comes after curation. */

import type { DatasetOrigin } from "../../src/dataset/index.ts";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { attemptId, itemId, type RunId, turnId } from "../../src/records/ids.ts";
import { refusalTally } from "../../src/records/refusal-tally.ts";
import type { Part, SelectedExample, Selection } from "../../src/records/selection.ts";
import { createRenderer, type Renderer } from "../../src/render/renderer.ts";
import { readTokenizerFiles } from "../../src/render/tokenizer-files.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";

export const RUN = "20261101-120001-0000" as RunId;

export function sampleExample(n: number, overrides: Partial<SelectedExample> = {}): SelectedExample {
  const item = itemId("sql", `shop/${n}`);
  const attempt = attemptId(RUN, item, 1);
  return {
    part: "train",
    prompt: [
      { role: "system", content: "You write one SQL query." },
      { role: "user", content: `How many orders cost more than ${n} €?\nTable: orders(id, price)` },
    ],
    completion: [{ role: "assistant", content: `SELECT count(*) FROM orders WHERE price > ${n}` }],
    tools: null,
    reward: 1,
    skill: "sql",
    role: "worker",
    family: "shop",
    item,
    run: RUN,
    attempt,
    turn: turnId(attempt, 1),
    tips: [],
    model: "smollm2",
    baseHash: hashText("base"),
    adapterHash: null,
    verifierId: "sql-result-set",
    verifierVersion: "1",
    confidence: 1,
    ...overrides,
  };
}

/** A tool call and its result in the prompt, another call as the answer. */
export function toolExample(n: number): SelectedExample {
  const call = (name: string, args: Record<string, string>) => [
    { id: "c1", type: "function" as const, function: { name, arguments: args } },
  ];
  return sampleExample(n, {
    prompt: [
      { role: "user", content: "Fix it." },
      { role: "assistant", content: null, tool_calls: call("read", { path: "/etc/motd" }) },
      { role: "tool", content: "hello", tool_call_id: "c1" },
    ],
    completion: [{ role: "assistant", content: null, tool_calls: call("write", { path: "/etc/motd", text: "" }) }],
    tools: [{ type: "function", function: { name: "write", parameters: { type: "object" } } }],
    reward: 0.5,
  });
}

export function sampleSelection(examples: SelectedExample[]): Selection {
  const countOf = (part: Part) => examples.filter((example) => example.part === part).length;
  return {
    examples: examples.length,
    chosen: { train: countOf("train"), validation: countOf("validation") },
    refusals: refusalTally(),
    async *rows() {
      yield* examples;
    },
    close() {},
  };
}

export function sampleOrigin(maxTokens = 512): DatasetOrigin {
  return {
    skills: ["sql"],
    role: "worker",
    filter: "eval_passed=true",
    settings: { tips: "drop", target: "answer", maxPerItem: 2, maxTokens },
    inputs: { runs: [{ run: RUN, head: hashText("head") }], ledgerHead: hashText("ledger") },
    seed: 1,
    codeVersion: "0.1.0",
  };
}

/** The renderer of the real base, or of one with another chat template; and as much of a manifest as datasets need. */
export async function sampleBase(template?: string): Promise<{ base: BaseManifest; renderer: Renderer }> {
  const files = await readTokenizerFiles(await smollm2Tokenizer());
  const renderer = createRenderer(template === undefined ? files : { ...files, template });
  const { tokenizerHash, templateHash } = renderer;
  const weightsHash = "0".repeat(64) as Hash;
  const base: BaseManifest = {
    name: "smollm2",
    baseHash: hashText("base"),
    weightsHash,
    tokenizerHash,
    templateHash,
    architecture: "llama",
    contextTokens: 8192,
    hfFolder: "hf",
    gguf: null,
    files: [],
    licence: "Apache-2.0",
    source: "test",
  };
  return { base, renderer };
}
