/**
 * The options of `tracemill validate`: one table for the parser, the help and the reference.
 */
import { z } from "zod";
import { SPLITS } from "../records/item.ts";
import { namesList } from "./names-list.ts";
import { serverInput, targetInput } from "./target-input.ts";

export const ARMS = ["base", "base+tips", "candidate", "candidate+tips", "champion", "few-shot"] as const;
export type ArmName = (typeof ARMS)[number];

export const validateInput = z.object({
  skill: z.string().optional().describe("the skill whose items decide"),
  split: z.enum(SPLITS).default("test").describe("which families are attempted"),
  base: z.string().optional().describe("the base that the candidate is compared with (default: the candidate's)"),
  candidate: z.string().optional().describe("adapter: name, hash or prefix of it"),
  aa: z.boolean().default(false).describe("serve the base twice instead: how much does serving alone change?"),
  arms: namesList(z.enum(ARMS))
    .default(["base", "base+tips", "candidate"])
    .describe("what is compared: base, base+tips, few-shot, candidate, candidate+tips, champion"),
  against: z.enum(ARMS).default("base").describe("the arm that the candidate has to be better than"),
  champion: z.string().optional().describe("the adapter of the arm champion (default: what is promoted now)"),
  sides: namesList(z.string()).default([]).describe("other skills, at which the candidate has to be no worse"),
  sideLimit: z.int().min(1).optional().describe("most items of each of them (default: all)"),
  general: namesList(z.string())
    .default(["multiple-choice", "human-eval", "neutral"])
    .describe("sets of general texts that both arms are measured by; none for none"),
  mmlu: z.string().optional().describe("a folder of MMLU's CSV files, as one more set"),
  results: z
    .array(z.string())
    .default([])
    .describe("two results of lm-evaluation-harness or Inspect, of the base and of the candidate, as further axes"),
  gate: z
    .string()
    .optional()
    .describe("what has to be shown, a YAML file (default: gate.yaml of the home, else the one that ships)"),
  limit: z.int().min(1).optional().describe("most items, drawn evenly over the families (default: all)"),
  items: z.string().optional().describe("your own items, a JSONL file"),
  itemSeed: z.int().default(1).describe("seed that the skill makes its items from, and that --limit draws them by"),
  freshFamilies: z
    .boolean()
    .default(false)
    .describe(
      "only families that the skill makes for this --item-seed alone, so that no earlier comparison has used them",
    ),
  samples: z
    .int()
    .min(1)
    .default(1)
    .describe("runs of each arm, each with a seed of its own; more than one needs a temperature"),
  temperature: z.number().min(0).default(0).describe("sampling temperature; 0 is greedy"),
  attempts: z.int().min(1).default(1).describe("most attempts at an item; the first decides, the others are shown"),
  sequential: z
    .boolean()
    .default(false)
    .describe(
      "end after a quarter, a half or three quarters of the items where it is sure: only the deciding pair is run, one greedy attempt an item",
    ),
  agent: z
    .string()
    .optional()
    .describe(
      "a command of your own agent that makes the attempts, as in `tracemill run`: only the model behind it differs",
    ),
  agentTimeout: z.string().default("30m").describe("with --agent: longest time of an attempt, and of a call"),
  resume: z
    .boolean()
    .default(false)
    .describe("only go on with the comparison that was begun with these very options; never begin another"),
  plan: z.boolean().default(false).describe("say what the comparison could show, and run nothing"),
  runs: namesList(z.string())
    .default([])
    .describe(
      "two runs that exist already, to be paired by item instead: the result is unrandomised and decides nothing",
    ),
  seed: z.int().default(1).describe("seed of sampling and of the bootstrap; which items there are, --item-seed says"),
  concurrency: z.int().min(1).default(16).describe("calls in flight, of all arms together; with --agent, attempts"),
  ...targetInput,
  ...serverInput,
});

export type ValidateInput = z.input<typeof validateInput>;
export type ValidateOptions = z.output<typeof validateInput>;
