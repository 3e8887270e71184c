/** Selections made by hand, and a dataset's origin, for tests of what comes after curation. */

import type { DatasetOrigin } from "../../src/dataset/index.ts";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { attemptId, itemId, type RunId, type TipId, turnId } from "../../src/records/ids.ts";
import type { Message } from "../../src/records/message.ts";
import { refusalTally } from "../../src/records/refusal-tally.ts";
import {
  type AnswerOrigin,
  type AnswerRow,
  NOT_SCRUBBED,
  type PairRow,
  type Part,
  type RerankerRow,
  type SelectedRow,
  type Selection,
  type Tier,
} from "../../src/records/selection.ts";
import { createRenderer, type Renderer } from "../../src/render/renderer.ts";
import { readTokenizerFiles } from "../../src/render/tokenizer-files.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";
import { writtenSettings } from "./written-settings.ts";

export const RUN = "20261101-120001-0000" as RunId;

export function sampleExample(n: number, overrides: Partial<AnswerRow> = {}): AnswerRow {
  const item = itemId("sql", `shop/${n}`);
  const attempt = attemptId(RUN, item, 1);
  return {
    kind: "answer",
    part: "train",
    prompt: [
      { role: "system", content: "You write one SQL query." },
      { role: "user", content: `How many orders cost more than ${n} €?\nTable: orders(id, price)` },
    ],
    completion: [{ role: "assistant", content: `SELECT count(*) FROM orders WHERE price > ${n}` }],
    trained: [true],
    earlier: [],
    tools: null,
    reference: null,
    label: true,
    reward: 1,
    rule: "verdict",
    tips: [],
    skill: "sql",
    role: "worker",
    family: "shop",
    item,
    run: RUN,
    attempt,
    turn: turnId(attempt, 1),
    model: "smollm2",
    baseHash: hashText("base"),
    adapterHash: null,
    verifierId: "sql-result-set",
    verifierVersion: "1",
    confidence: 1,
    ...overrides,
  };
}

export function call(name: string, given: string | Record<string, unknown>, id = "c1"): Message {
  const called = { name, arguments: given as Record<string, string> };
  return { role: "assistant", content: null, tool_calls: [{ id, type: "function", function: called }] };
}

export function result(content: string, id = "c1"): Message {
  return { role: "tool", content, tool_call_id: id };
}

/** A tool call and its result in the prompt, another call as the answer; arguments recorded as text and as an object. */
export function toolExample(n: number): AnswerRow {
  return sampleExample(n, {
    prompt: [{ role: "user", content: "Fix it." }, call("read", '{"path": "/etc/motd"}'), result("hello")],
    completion: [call("write", { path: "/etc/motd", text: "" }, "c2")],
    tools: [{ type: "function", function: { name: "write", parameters: { type: "object", properties: {} } } }],
    reward: 0.5,
  });
}

/** The whole of an attempt: two steps, with what came back between them. */
export function attemptExample(n: number, trained = [true, false, true]): AnswerRow {
  return sampleExample(n, {
    completion: [
      call("read", { path: "/etc/issue", lines: 3 }),
      result("Ubuntu"),
      { role: "assistant", content: "Done." },
    ],
    trained,
    tools: [{ type: "function", function: { name: "read" } }],
  });
}

export function samplePair(n: number, overrides: Partial<PairRow> = {}): PairRow {
  const { part, skill, role, family, item, prompt, tools, reference, ...good } = sampleExample(n);
  const { kind: _, completion, trained: __, ...chosenFrom } = good;
  const attempt = attemptId(RUN, item, 2);
  const rejectedFrom: AnswerOrigin = { ...chosenFrom, attempt, turn: turnId(attempt, 1), label: false, reward: 0 };
  return {
    ...{ kind: "worker-pair", part, skill, role, family, item, prompt, tools, reference },
    ...{ chosen: completion[0] as Message, rejected: { role: "assistant", content: `SELECT ${n} FROM orders` } },
    ...{ chosenFrom, rejectedFrom: { ...rejectedFrom, model: "other" } },
    ...overrides,
  };
}

export function sampleTipPair(n: number, overrides: Partial<RerankerRow> = {}): RerankerRow {
  const { part, skill, family, item, chosenFrom, rejectedFrom } = samplePair(n);
  const { attempt, turn } = chosenFrom;
  const from = { ...chosenFrom, rule: "tip-effect", verifierId: "tip-credit", reward: 0.6, confidence: 0.99 };
  return {
    ...{ kind: "reranker-pair", part, skill, role: "reflector", family, item },
    query: `How many orders cost more than ${n} €?`,
    ...{ positive: `Count rows, ${n} at a time.`, negative: "Write any query." },
    chosenFrom: { ...from, tips: [`tip-${"0".repeat(15)}${n}` as TipId] },
    rejectedFrom: {
      ...rejectedFrom,
      ...from,
      attempt,
      turn,
      label: false,
      reward: 0.4,
      tips: [`tip-${"f".repeat(16)}` as TipId],
    },
    ...overrides,
  };
}

/** Rows of a tier that every format which holds it can express. */
export function sampleRows(tier: Tier): SelectedRow[] {
  if (tier === "reranker-pairs") {
    const hardToWrite = { query: 'naïve "☃"\u2028\n', positive: "a\r\n```sql\nSELECT 1\n```" };
    return [sampleTipPair(1), sampleTipPair(2), sampleTipPair(3, hardToWrite)];
  }
  if (tier === "preference-pairs") {
    const { prompt, tools, completion } = toolExample(3);
    const chosen = completion[0] as Message;
    return [samplePair(1), samplePair(2, { kind: "reflector-pair" }), samplePair(3, { prompt, tools, chosen })];
  }
  const failed = sampleExample(2, {
    ...{ model: null, baseHash: null, label: tier !== "judged", reward: tier === "judged" ? 0 : 1 },
    completion: [{ role: "assistant", content: 'naïve "☃"\u2028\n' }],
    reference: '{"sql": "SELECT 1"}',
  });
  return [
    sampleExample(1),
    failed,
    sampleExample(3, { reward: 0.5, completion: [call("write", '{"path":"/x"}', "c2")] }),
  ];
}

export function sampleSelection(examples: SelectedRow[]): Selection {
  const countOf = (part: Part) => examples.filter((example) => example.part === part).length;
  return {
    examples: examples.length,
    chosen: { train: countOf("train"), validation: countOf("validation") },
    clauses: [],
    duplicates: [],
    scrub: NOT_SCRUBBED,
    refusals: refusalTally(),
    async *rows() {
      yield* examples;
    },
    close() {},
  };
}

export function sampleOrigin(maxTokens: number | null = 512): DatasetOrigin {
  return {
    ...{ tier: "demonstrations", gatesOff: [], scrub: null },
    skills: ["sql"],
    role: "worker",
    filter: "eval_passed=true",
    settings: writtenSettings({ tips: "drop", target: "answer", maxPerItem: 2, maxTokens }),
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
