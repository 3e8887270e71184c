/**
 * Says a worker's prompt of gemma-forge again, from what its log tells of each section, what the database beside it says of
 * earlier runs, and the harness's own fixed words, which the user gives in a file: they are no part of the log. The log's count
 * of tokens is the checksum: a prompt that does not come to it exactly is not rebuilt.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { Refusal } from "../../foundation/errors.ts";
import type { ForeignPlace } from "../foreign.ts";
import { countIn, type JsonObject, numberIn, objectsIn, textIn } from "../reading/shapes.ts";
import type { AgentTurn } from "./agent-turn.ts";
import type { RunEventLine } from "./run-event.ts";
import type { PromptBook } from "./run-machine.ts";
import type { RunMemory } from "./run-memory.ts";

const listSchema = z.strictObject({ head: z.string(), line: z.string() });

/** Each with its `{placeholders}`; docs/importers.md lists them. */
const wordsSchema = z.strictObject({
  rule_identity: z.string(),
  architect_plan: z.string(),
  attempt_marker: z.string(),
  episodic_memory: listSchema,
  banned: listSchema,
  preferred: listSchema,
  lessons: listSchema,
  /** A lesson of an earlier run among `lessons`. */
  prior_lesson: z.string(),
  cross_run_item_history: listSchema.extend({ lesson: z.string(), failure: z.string() }),
  category_lessons: listSchema,
  similar_rule_tips: listSchema,
  directive: z.string(),
});

export type PromptWords = z.infer<typeof wordsSchema>;

/** Reads the file of fixed words. Throws: `BAD_WORDS`. */
export function readWords(path: string): PromptWords {
  try {
    return wordsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new Refusal({
      code: "BAD_WORDS",
      message: "The file of the harness's fixed words cannot be used.",
      expected: "the keys that docs/importers.md lists",
      got: cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause),
      where: path,
      cause,
    });
  }
}

/** Units: characters, and how many of a list the harness shows. Source: its prompt assembly. */
const SHOWN = {
  plan: 500,
  lesson: 200,
  episodic: 1200,
  tip: 150,
  source: 48,
  attempts: 5,
  banned: 10,
  preferred: 5,
  lessons: 8,
  categoryLessons: 5,
  categoryLesson: 150,
  earlierApproach: 120,
  earlierLesson: 150,
  earlierFailure: 100,
};

/** Units: seconds. */
const ROUNDING_S = 0.05;

interface Known {
  memory: RunMemory;
  titles: Map<string, string>;
  categories: Map<string, string>;
  plan: string;
  /** What the attempt's beginning said of the item's time, and when. */
  seconds: { at: Date | null; used: number; budget: number };
  /** Lessons of the item's failed attempts; null where they are not known. */
  tried: (string | null)[];
  /** Of the reflection that is under way. */
  distilled: string | null;
  banned: string[];
  preferred: string[];
  lessons: string[];
  tips: Map<unknown, JsonObject>;
  /** What the run began with; null where it is not known. */
  prior: { banned: readonly string[] | null; lessons: readonly string[] | null };
}

/** Opens the book of one run's worker prompts; without `words` none is rebuilt. */
export function openPromptBook(words: PromptWords | null, memory: RunMemory): PromptBook {
  const known: Known = {
    ...{ memory, titles: new Map(), categories: new Map(), plan: "", seconds: { at: null, used: 0, budget: 0 } },
    ...{
      tried: [],
      distilled: null,
      banned: [],
      preferred: [],
      lessons: [],
      tips: new Map(),
      prior: { banned: [], lessons: [] },
    },
  };
  return {
    note: (event) => (words === null ? undefined : note(known, event)),
    rebuild: (turn, place) =>
      words === null || turn.phase !== "apply_fix" ? null : rebuilt(words, known, { turn, place }),
  };
}

function note(known: Known, { type, agent, data, at }: RunEventLine): void {
  if (type === "graph_state") {
    for (const { id, title, category } of objectsIn(data.nodes)) {
      known.titles.set(textIn(id) ?? "", textIn(title) ?? "");
      known.categories.set(textIn(id) ?? "", textIn(category) ?? "");
    }
  } else if (type === "cross_run_hydration") known.prior = priorIn(known.memory, data);
  else if (type === "rule_selected") known.tried = [];
  else if (type === "attempt_start") {
    known.seconds = { at, used: numberIn(data.rule_elapsed_s) ?? 0, budget: numberIn(data.time_budget_s) ?? 0 };
  } else if (type === "agent_response" && agent === "architect") known.plan = textIn(data.text) ?? "";
  else if (type === "architect_reengaged") {
    const [, plan] = /^.*NEW_PLAN:\W*(.*)$/m.exec(textIn(data.full_response) ?? "") ?? [];
    if (data.verdict !== "PIVOT") return;
    known.plan = plan ?? textIn(data.full_response) ?? "";
  } else if (type === "agent_response" && agent === "reflector") noteReflection(known, textIn(data.text) ?? "");
  else if (type === "reflection") noteFailure(known, textIn(data.rule_id) ?? "");
  else if (type === "ban_added") known.banned.push(textIn(data.pattern) ?? "");
  else if (type === "tip_added") known.tips.set(data.tip_id, data);
}

/** What of earlier runs a run began with: bans by their number, lessons by their ids, which the first logs do not say. */
function priorIn(memory: RunMemory, data: JsonObject): Known["prior"] {
  const count = countIn(data.loaded_bans) ?? 0;
  const isBare = (countIn(data.loaded_lessons) ?? 0) === 0;
  const texts = objectsIn(data.global_lessons_in_prompt).map(({ id, source_run_id }) =>
    memory.lesson(source_run_id, id),
  );
  const isTold = isBare || (Array.isArray(data.global_lessons_in_prompt) && texts.every((text) => text !== null));
  return { banned: memory.bans(count), lessons: isTold ? (texts as string[]) : null };
}

function noteReflection(known: Known, text: string): void {
  const tagged = (tag: string) => new RegExp(`^\\s*${tag}:\\s*(.*)$`, "im").exec(text)?.[1]?.trim();
  known.distilled = tagged("DISTILLED") ?? null;
  const preferred = tagged("PREFERRED");
  if (preferred !== undefined) known.preferred.push(preferred);
  const lesson = tagged("LESSON");
  if (lesson !== undefined) known.lessons.push(lesson);
}

/** A failed attempt that was reflected on: without a distilled lesson the harness made one up, which only its memory has. */
function noteFailure(known: Known, item: string): void {
  known.tried.push(known.distilled ?? known.memory.learnt(item, known.tried.length + 1));
  known.distilled = null;
}

function rebuilt(
  words: PromptWords,
  known: Known,
  { turn, place }: { turn: AgentTurn; place: ForeignPlace },
): string | null {
  const { sections_included: included, used_tokens: used } = turn.prompt;
  const isWhole = [turn.prompt.sections_truncated, turn.prompt.sections_dropped].every(
    (list) => Array.isArray(list) && list.length === 0,
  );
  if (!Array.isArray(included) || !isWhole) return null;
  const sections = included.map((name) => SECTIONS[String(name)]?.(words, known, { turn, place }) ?? null);
  if (!sections.every((section) => section !== null)) return null;
  const tokens = sections.reduce((sum, section) => sum + Math.trunc([...section].length / 4) + 1, 0);
  return tokens === used ? sections.join("\n\n") : null;
}

type Section = (words: PromptWords, known: Known, at: { turn: AgentTurn; place: ForeignPlace }) => string | null;

const SECTIONS: Readonly<Record<string, Section>> = {
  rule_identity: ({ rule_identity }, { titles }, { place: { item } }) =>
    filled(rule_identity, { rule: item, title: titles.get(item) ?? "" }),
  architect_plan: ({ architect_plan }, { plan }) => filled(architect_plan, { plan: plan.trim().slice(0, SHOWN.plan) }),
  attempt_marker: ({ attempt_marker }, { seconds }, { turn, place: { attempt } }) => {
    const used = wholeSeconds(seconds, turn.at);
    if (used === null) return null;
    return filled(attempt_marker, { attempt: String(attempt), used: String(used), budget: String(seconds.budget) });
  },
  episodic_memory: ({ episodic_memory }, { tried }, { place: { item } }) => {
    const shown = tried.map((lesson, i) => ({ attempt: String(i + 1), lesson }));
    const last = shown.slice(-SHOWN.attempts).map((one) => ({ ...one, lesson: cut(one.lesson, SHOWN.lesson) }));
    if (shown.slice(-SHOWN.attempts).some(({ lesson }) => lesson === null)) return null;
    const head = { rule: item, total: String(tried.length), shown: String(last.length) };
    const text = listed(episodic_memory, head, last);
    return text.length > SHOWN.episodic ? null : text;
  },
  semantic_memory: ({ banned, preferred, lessons, prior_lesson }, known) => {
    const { prior } = known;
    const priorLessons = prior.lessons?.map((text) => filled(prior_lesson, { text })) ?? null;
    const groups = [
      { words: banned, texts: lastOf(prior.banned, known.banned, SHOWN.banned) },
      { words: preferred, texts: known.preferred.slice(-SHOWN.preferred) },
      { words: lessons, texts: lastOf(priorLessons, known.lessons, SHOWN.lessons) },
    ];
    if (groups.some(({ texts }) => texts === null)) return null;
    const shown = groups.map(({ words, texts }) => ({ words, lines: (texts ?? []).map((text) => ({ text })) }));
    return shown.flatMap(({ words, lines }) => (lines.length === 0 ? [] : [listed(words, {}, lines)])).join("\n");
  },
  cross_run_item_history: ({ cross_run_item_history: words }, { memory }, { place: { item } }) => {
    const rows = memory.attemptsAt(item);
    if (rows === null || rows.length === 0) return null;
    const field = (template: string, text: string) => (text === "" ? [] : [filled(template, { text })]);
    const lines = rows.flatMap(({ approach, lesson, failure_mode }) => [
      filled(words.line, { text: cut(approach, SHOWN.earlierApproach) }),
      ...field(words.lesson, cut(lesson, SHOWN.earlierLesson)),
      ...field(words.failure, cut(failure_mode, SHOWN.earlierFailure)),
    ]);
    return [filled(words.head, { count: String(rows.length) }), ...lines].join("\n");
  },
  category_lessons: ({ category_lessons }, { memory, categories }, { turn, place: { item } }) => {
    const loaded = objectsIn(turn.prompt.category_lessons_loaded).slice(0, SHOWN.categoryLessons);
    const texts = loaded.map(({ id, source_run_id }) => memory.lesson(source_run_id, id));
    if (texts.length === 0 || texts.some((text) => text === null)) return null;
    const lines = texts.map((text) => ({ text: cut(text, SHOWN.categoryLesson) }));
    return listed(category_lessons, { category: categories.get(item) ?? "" }, lines);
  },
  similar_rule_tips: ({ similar_rule_tips }, { tips, memory }, { turn }) => {
    const loaded = objectsIn(turn.prompt.v2_tips_loaded);
    const lines = loaded.map(({ tip_id, tip_type, similarity_score, source_rule_id, source_run_id }) => ({
      type: textIn(tip_type) ?? "",
      score: twoDecimals(numberIn(similarity_score) ?? 0),
      source: (textIn(source_rule_id) ?? "").replace(/^.*content_rule_/, "").slice(-SHOWN.source),
      text: cut(tips.get(tip_id)?.text ?? memory.tip(source_run_id, tip_id), SHOWN.tip),
    }));
    return lines.every(({ text }) => text !== "")
      ? listed(similar_rule_tips, { count: String(lines.length) }, lines)
      : null;
  },
  directive: ({ directive }) => directive,
};

/**
 * The whole seconds that a prompt said were used: the log rounds them to a tenth, and the prompt was made a moment after. Null
 * where both leave more than one number.
 */
function wholeSeconds({ at, used }: Known["seconds"], promptAt: Date | null): number | null {
  const laterS = at === null || promptAt === null ? 0 : Math.max(0, promptAt.getTime() - at.getTime() + 1) / 1000;
  const least = Math.trunc(Math.max(0, used - ROUNDING_S));
  return least === Math.trunc(used + ROUNDING_S + laterS) ? least : null;
}

/** The last texts of two lists in a row; null where they reach into a first one that is not known. */
function lastOf(first: readonly string[] | null, second: readonly string[], most: number): string[] | null {
  if (second.length >= most) return second.slice(-most);
  return first === null ? null : [...first, ...second].slice(-most);
}

/** As Python cuts a text: by code points. */
function cut(value: unknown, length: number): string {
  return [...(textIn(value) ?? "").slice(0, 2 * length)].slice(0, length).join("");
}

/** As Python writes it: of two neighbours that are equally near, which only odd eighths have, the even one. */
function twoDecimals(value: number): string {
  const isTie = Math.abs((value * 8) % 2) === 1;
  return (isTie ? Math.round(value * 50) / 50 : value).toFixed(2);
}

function listed(
  { head, line }: PromptWords["banned"],
  values: Record<string, string>,
  lines: readonly Record<string, string>[],
): string {
  return [filled(head, values), ...lines.map((one) => filled(line, one))].join("\n");
}

function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (found, name: string) => values[name] ?? found);
}
