/**
 * The options of `tracemill run`: one table for the parser, the help and the reference.
 */
import { z } from "zod";
import { MEMORY_MODES, SITE_MODES } from "../records/events.ts";
import { SPLITS } from "../records/item.ts";
import { namesList } from "./names-list.ts";
import { canaryInput, serverInput, targetInput } from "./target-input.ts";

export const runInput = z.object({
  skill: z.string().optional().describe("the skill whose items are attempted"),
  split: z.enum(SPLITS).default("train").describe("which families are attempted"),
  model: z.string().optional().describe("a base or a registered adapter, or with --endpoint a model's name there"),
  agent: z
    .string()
    .optional()
    .describe("a command of your own agent, run for each attempt in place of the roles; see --help for what it finds"),
  agentTimeout: z.string().default("30m").describe("with --agent: longest time of an attempt, and of a call"),
  role: z
    .array(z.string())
    .default([])
    .describe(
      "who plays a role: architect=scan-order, sweeps or promising, reflector=keep-solution or none, or role=model (the run's own), role=NAME (another base or adapter), role=NAME@URL (a model behind an endpoint of its own)",
    ),
  mode: z
    .enum(SITE_MODES)
    .default("isolated")
    .describe(
      "isolated: each attempt from the skill's baseline; progress: in one workspace where what is solved stays",
    ),
  evidence: z
    .boolean()
    .default(false)
    .describe("tell the worker what was tried at the item before and why it failed; else attempts are independent"),
  toolCalls: z
    .enum(["text", "native"])
    .default("text")
    .describe("how the worker acts: by the text of its answer, or by the endpoint's own tool calls"),
  mostAttempts: z.int().min(1).optional().describe("attempts after which the run ends, whatever items are open"),
  replanAfter: z
    .int()
    .min(1)
    .default(3)
    .describe("failed attempts after which a model architect looks at its plan again"),
  itemMinutes: z.number().gt(0).optional().describe("time in calls and actions after which an item is given up"),
  itemTokens: z.int().min(1).optional().describe("tokens of prompts and answers after which an item is given up"),
  retrieval: z.string().optional().describe("how tips are found for an item (default: bm25)"),
  tipDropout: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe("probability with which each retrieved tip is left out, so that its effect can be estimated"),
  retireTips: z
    .enum(["effect", "none"])
    .default("effect")
    .describe("with --tip-dropout: whether tips whose effect is shown to be harmful are retired when the run ends"),
  attempts: z.int().min(1).default(4).describe("attempts at each item"),
  enough: z.int().min(1).optional().describe("verified passes after which an item is finished (default: none)"),
  concurrency: z.int().min(1).default(16).describe("most attempts in flight"),
  seed: z.int().default(1).describe("seed of the model's sampling"),
  itemSeed: z.int().default(1).describe("seed that the skill makes its items from, and that --limit draws them by"),
  limit: z.int().min(1).optional().describe("most items, drawn evenly over the families (default: all)"),
  items: z.string().optional().describe("your own items, a JSONL file"),
  temperature: z.number().min(0).default(0.8).describe("sampling temperature; 0 is greedy"),
  topP: z.number().gt(0).max(1).default(0.95).describe("nucleus sampling's share"),
  maxTokens: z.int().min(1).optional().describe("most tokens of an answer (default: the skill's)"),
  memory: z
    .enum(MEMORY_MODES)
    .optional()
    .describe("grow: learn tips; frozen: only read them; none (default: grow in train, frozen with --tips-from)"),
  starters: z
    .boolean()
    .default(false)
    .describe("let a growing memory start with the solved items that the skill brings along"),
  tipsFrom: namesList(z.string()).default([]).describe("a sealed train run whose tips are read"),
  endpoint: z
    .string()
    .optional()
    .describe("an OpenAI-compatible server's URL, up to and with /v1 (default: one is started)"),
  ...targetInput,
  ...serverInput,
  ...canaryInput,
  resume: z.string().optional().describe("an unfinished run to go on with; its own settings hold"),
});

export type RunOptions = z.output<typeof runInput>;
