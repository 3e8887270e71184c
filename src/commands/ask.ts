/**
 * `tracemill ask`: one question of your own to several models, their answers side by side, each with what it gives when
 * it is carried out: on the skill's own tables, or on a file of yours. Nothing is recorded.
 */
import { z } from "zod";
import { counted } from "../foundation/counted.ts";
import { Failure, Refusal } from "../foundation/errors.ts";
import { textTable } from "../foundation/text-table.ts";
import { SPLITS } from "../records/item.ts";
import type { Message } from "../records/message.ts";
import type { Reply, Skill, Source } from "../skills/contract.ts";
import { loadSkill } from "../skills/load.ts";
import { scanItems } from "../skills/scan.ts";
import { type Context, defineCommand } from "./command.ts";
import { proveServed } from "./live-adapter.ts";
import { resolveModel, serveHere } from "./model-server.ts";
import { warnOfTaint } from "./taint.ts";
import { canaryInput, serverInput, startingOf, targetInput } from "./target-input.ts";

const MOST_ROWS = 10;

const input = z.object({
  question: z.string().min(1).describe("what you want to know"),
  skill: z.string().default("sql").describe("the skill that carries the answers out"),
  models: z.string().describe("bases and adapters of one base, separated by commas"),
  file: z
    .string()
    .optional()
    .describe("your own CSV or Parquet file (default: those of the skill's tables that fit best)"),
  seed: z.int().default(1).describe("seed that the skill makes its items from"),
  ...targetInput,
  ...serverInput,
  ...canaryInput,
});

type AskOptions = z.output<typeof input>;

type AskedSkill = Skill & Required<Pick<Skill, "describe" | "freePrompt" | "answer">>;

interface ModelAnswer {
  model: string;
  answer: string;
  /** What carrying it out gave, or why there was nothing to carry out. */
  reply: Reply;
}

interface Asked {
  question: string;
  schema: string;
  answers: ModelAnswer[];
}

/** Whether a skill can be asked what is none of its items. */
export function takesFreeQuestions(skill: Skill): skill is AskedSkill {
  return skill.describe !== undefined && skill.freePrompt !== undefined && skill.answer !== undefined;
}

async function ask(options: AskOptions, context: Context): Promise<Asked> {
  const { home, signal } = context;
  const skill = await loadSkill(options.skill);
  if (!takesFreeQuestions(skill)) throw noFreeQuestions(options.skill);
  const names = options.models.split(",").map((name) => name.trim());
  const models = await Promise.all(names.map((name) => resolveModel(home, name)));
  const [first] = models;
  if (first === undefined || models.some(({ base }) => base.baseHash !== first.base.baseHash))
    throw severalBases(names);
  const adapters = models.flatMap(({ adapter }) => adapter?.adapterHash ?? []);
  await warnOfTaint(adapters, context);
  const source = options.file === undefined ? { item: await fittingItem(skill, options) } : { file: options.file };
  const schema = await skill.describe(source);
  const prompt = skill.freePrompt(options.question, schema);
  const { target } = options;
  const server = await serveHere({ base: first.base.name, adapters, target, ...startingOf(options) }, context);
  try {
    for (const { base, adapter } of models) {
      if (adapter !== null) await proveServed(server, { ...options, base, adapter }, context);
    }
    const answers = models.map(async ({ adapter }, i): Promise<ModelAnswer> => {
      const id = server.idOf(adapter?.adapterHash ?? null);
      const message = await complete({
        url: server.url,
        model: id,
        prompt,
        maxTokens: skill.manifest.maxTokens,
        signal,
      });
      return { model: names[i] ?? id, answer: message.content ?? "", reply: await carriedOut(skill, message, source) };
    });
    return { question: options.question, schema, answers: await Promise.all(answers) };
  } finally {
    await server.close();
    await skill.close();
  }
}

/** Reads the action from an answer as the harness would, and carries it out. */
async function carriedOut(skill: AskedSkill, message: Message, source: Source): Promise<Reply> {
  const parsed = skill.parse(message, source.item as never);
  return "call" in parsed ? skill.answer(parsed.call, source) : { error: parsed.reason };
}

/** The item whose tables share most words with the question; its own question is not used. */
async function fittingItem(skill: Skill, { question, seed }: AskOptions) {
  const words = new Set(wordsOf(question));
  const items = (await Promise.all(SPLITS.map((split) => scanItems(skill, { seed, split })))).flat();
  const scored = items.map((item) => ({
    item,
    score: new Set(wordsOf(JSON.stringify(item.detail.schema ?? item.task)).filter((word) => words.has(word))).size,
  }));
  const best = scored.reduce((x, y) => (y.score > x.score ? y : x));
  return best.item;
}

function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/[a-z]{3,}/g) ?? []).map((word) => word.replace(/s$/, ""));
}

const completionSchema = z.looseObject({
  choices: z
    .array(z.looseObject({ message: z.looseObject({ role: z.literal("assistant"), content: z.string().nullable() }) }))
    .min(1),
});

async function complete(request: {
  url: string;
  model: string;
  prompt: Message[];
  maxTokens: number;
  signal: AbortSignal;
}): Promise<Message> {
  const { url, model, prompt, maxTokens, signal } = request;
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages: prompt, temperature: 0, max_tokens: maxTokens }),
    signal,
  });
  const parsed = completionSchema.safeParse(await response.json().catch(() => null));
  const message = parsed.data?.choices[0]?.message;
  if (message === undefined) {
    throw new Failure({ boundary: "endpoint", code: `HTTP_${response.status}`, message: `${model} gave no answer.` });
  }
  return message;
}

function noFreeQuestions(skill: string): Refusal {
  return new Refusal({
    code: "NO_FREE_QUESTIONS",
    message: `The skill "${skill}" takes no free questions.`,
    expected: "a skill with describe, freePrompt and answer",
    got: skill,
  });
}

function severalBases(names: string[]): Refusal {
  return new Refusal({
    code: "SEVERAL_BASES",
    message: "The models do not share a base.",
    expected: "a base and adapters of it",
    got: names.join(", "),
    fix: "ask the models of each base in a command of their own",
  });
}

function printed({ question, schema, answers }: Asked): string {
  return [
    schema,
    `Question: ${question}`,
    ...answers.flatMap(({ model, answer, reply }) => [
      "",
      `== ${model}`,
      answer.trim() || "(empty)",
      "",
      replyText(reply),
    ]),
  ].join("\n");
}

function replyText(reply: Reply): string {
  if ("error" in reply) return `does not run: ${reply.error}`;
  const shown = reply.rows.slice(0, MOST_ROWS).map((row) => row.map((cell) => (cell === null ? "NULL" : String(cell))));
  const more = reply.rows.length > MOST_ROWS ? `\n... and ${counted(reply.rows.length - MOST_ROWS, "row")} more` : "";
  return `${textTable(reply.columns, shown)}${more}\n(${counted(reply.rows.length, "row")})`;
}

export default defineCommand({
  summary: "Ask several models one question of your own, and see what their answers give.",
  details: 'Example: tracemill ask "How many albums are there?" --skill sql --models smollm2,sql-v1',
  positional: ["question"],
  input: input as z.ZodType<AskOptions>,
  run: ask,
  print: printed,
});
