/**
 * Says a worker's prompt of gemma-forge again, from what its log tells of each section and the harness's own fixed words, which
 * the user gives in a file: they are no part of the log. The log's count of tokens is the checksum: a prompt that does not come
 * to it exactly is not rebuilt. Knows nothing of sections that need the database (lessons of a category, an item's history).
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { Refusal } from "../../foundation/errors.ts";
import type { ForeignPlace } from "../foreign.ts";
import { type JsonObject, numberIn, objectsIn, textIn } from "../reading/shapes.ts";
import type { AgentTurn } from "./agent-turn.ts";
import type { RunEventLine } from "./run-event.ts";
import type { PromptBook } from "./run-machine.ts";

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
};

interface Known {
  titles: Map<string, string>;
  plan: string;
  usedSeconds: number;
  budgetSeconds: number;
  /** Lessons of the item's failed attempts. */
  tried: string[];
  banned: string[];
  preferred: string[];
  lessons: string[];
  tips: Map<unknown, JsonObject>;
}

export function openPromptBook(words: PromptWords | null): PromptBook {
  const known: Known = {
    ...{ titles: new Map(), plan: "", usedSeconds: 0, budgetSeconds: 0, tips: new Map() },
    ...{ tried: [], banned: [], preferred: [], lessons: [] },
  };
  return {
    note: (event) => (words === null ? undefined : note(known, event)),
    rebuild: (turn, place) =>
      words === null || turn.phase !== "apply_fix" ? null : rebuilt(words, known, { turn, place }),
  };
}

function note(known: Known, { type, agent, data }: RunEventLine): void {
  if (type === "graph_state") {
    for (const { id, title } of objectsIn(data.nodes)) known.titles.set(textIn(id) ?? "", textIn(title) ?? "");
  } else if (type === "rule_selected") known.tried = [];
  else if (type === "attempt_start") {
    known.usedSeconds = Math.trunc(numberIn(data.rule_elapsed_s) ?? 0);
    known.budgetSeconds = numberIn(data.time_budget_s) ?? 0;
  } else if (type === "agent_response" && agent === "architect") known.plan = textIn(data.text) ?? "";
  else if (type === "architect_reengaged") {
    const [, plan] = /^.*NEW_PLAN:\W*(.*)$/m.exec(textIn(data.full_response) ?? "") ?? [];
    if (data.verdict !== "PIVOT") return;
    known.plan = plan ?? textIn(data.full_response) ?? "";
  } else if (type === "agent_response" && agent === "reflector") noteReflection(known, textIn(data.text) ?? "");
  else if (type === "ban_added") known.banned.push(textIn(data.pattern) ?? "");
  else if (type === "tip_added") known.tips.set(data.tip_id, data);
}

function noteReflection(known: Known, text: string): void {
  const tagged = (tag: string) => new RegExp(`^\\s*${tag}:\\s*(.*)$`, "im").exec(text)?.[1]?.trim();
  const distilled = tagged("DISTILLED");
  if (distilled !== undefined) known.tried.push(distilled);
  const preferred = tagged("PREFERRED");
  if (preferred !== undefined) known.preferred.push(preferred);
  const lesson = tagged("LESSON");
  if (lesson !== undefined) known.lessons.push(lesson);
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
  attempt_marker: ({ attempt_marker }, { usedSeconds, budgetSeconds }, { place: { attempt } }) =>
    filled(attempt_marker, { attempt: String(attempt), used: String(usedSeconds), budget: String(budgetSeconds) }),
  episodic_memory: ({ episodic_memory }, { tried }, { place: { item } }) => {
    const shown = tried.map((lesson, i) => ({ attempt: String(i + 1), lesson: lesson.slice(0, SHOWN.lesson) }));
    const last = shown.slice(-SHOWN.attempts);
    const head = { rule: item, total: String(tried.length), shown: String(last.length) };
    const text = listed(episodic_memory, head, last);
    return text.length > SHOWN.episodic ? null : text;
  },
  semantic_memory: ({ banned, preferred, lessons }, known) => {
    const group = (words: PromptWords["banned"], texts: string[], most: number) =>
      texts.length === 0
        ? []
        : [
            listed(
              words,
              {},
              texts.slice(-most).map((text) => ({ text })),
            ),
          ];
    return [
      ...group(banned, known.banned, SHOWN.banned),
      ...group(preferred, known.preferred, SHOWN.preferred),
      ...group(lessons, known.lessons, SHOWN.lessons),
    ].join("\n");
  },
  similar_rule_tips: ({ similar_rule_tips }, { tips }, { turn }) => {
    const loaded = objectsIn(turn.prompt.v2_tips_loaded);
    const lines = loaded.map(({ tip_id, tip_type, similarity_score, source_rule_id }) => ({
      type: textIn(tip_type) ?? "",
      score: twoDecimals(numberIn(similarity_score) ?? 0),
      source: (textIn(source_rule_id) ?? "").replace(/^.*content_rule_/, "").slice(-SHOWN.source),
      text: (textIn(tips.get(tip_id)?.text) ?? "").slice(0, SHOWN.tip),
    }));
    return lines.every(({ text }) => text !== "")
      ? listed(similar_rule_tips, { count: String(lines.length) }, lines)
      : null;
  },
  directive: ({ directive }) => directive,
};

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
