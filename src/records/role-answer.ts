/**
 * Reads what a role's model answers in JSON. Models put prose or a fence around it, so the first object that parses and
 * fits is taken; an answer without one is no answer, and is kept as it came on its turn.
 */
import { z } from "zod";
import type { Json } from "../foundation/canonical-json.ts";
import { jsonValue } from "../foundation/json-value.ts";
import { ARCHITECT_CHOICES } from "./events.ts";
import type { Message } from "./message.ts";
import { TIP_TYPES } from "./tip.ts";

/** Longer answers are looked through no further. */
const MOST_CHARACTERS = 64_000;
const MOST_OBJECTS = 64;

/** What a role is asked for: the schema that reads its answer, and the same as an endpoint is sent it. */
export interface RoleAnswer<T> {
  name: string;
  schema: z.ZodType<T>;
  wire: JsonSchema;
}

export type JsonSchema = Record<string, Json>;

/** Keys that `meta` adds bind an endpoint that keeps to schemas, so that it comes to an end, and are forgiven to others. */
const text = (most: number) => z.preprocess(trimmed, z.string().min(1).meta({ maxLength: most }));
const maybe = (most: number) => z.preprocess(textOrNull, z.string().meta({ maxLength: most }).nullable());
const word = <T extends z.ZodType>(words: T) => z.preprocess(lowered, words);

export const SELECTION = roleAnswer("selection", z.object({ item: text(200), plan: maybe(600) }));

export const REPLAN = roleAnswer(
  "replan",
  z.object({
    choice: word(z.enum(ARCHITECT_CHOICES).exclude(["select"])),
    plan: maybe(600),
    reason: maybe(300),
  }),
);

export const REVIEW = roleAnswer(
  "review",
  z.object({ rightReason: z.boolean(), confidence: z.number().min(0).max(1), why: maybe(300) }),
);

const tip = z.object({ type: word(z.enum(TIP_TYPES)), text: text(240), mechanism: maybe(160), conditions: maybe(160) });

export const LESSONS = roleAnswer("lessons", z.object({ tips: z.array(tip).max(8).meta({ maxItems: 2 }) }));

export const ROLE_ANSWERS = [SELECTION, REPLAN, REVIEW, LESSONS] as const;

function roleAnswer<T>(name: string, schema: z.ZodType<T>): RoleAnswer<T> {
  // `output`: all keys are there and no others, as the strict form of OpenAI's structured outputs wants it.
  const { $schema: _, ...wire } = z.toJSONSchema(schema, { io: "output" });
  return { name, schema, wire: wire as JsonSchema };
}

function trimmed(value: unknown): unknown {
  return typeof value === "string" ? value.trim() : value;
}

function textOrNull(value: unknown): unknown {
  const given = trimmed(value ?? null);
  return given === "" ? null : given;
}

function lowered(value: unknown): unknown {
  return typeof value === "string" ? value.trim().toLowerCase() : value;
}

/** Returns the first JSON object in the answer's text that fits, or null. */
export function structuredAnswer<T>(schema: z.ZodType<T>, answer: Message): T | null {
  const content = (answer.content ?? "").slice(0, MOST_CHARACTERS);
  let from = content.indexOf("{");
  for (let tries = 0; from !== -1 && tries < MOST_OBJECTS; tries++) {
    const end = endOfObject(content, from);
    const read = end === -1 ? undefined : schema.safeParse(jsonValue(content.slice(from, end)));
    if (read?.success) return read.data;
    from = content.indexOf("{", from + 1);
  }
  return null;
}

/** The index behind the brace that closes the one at `start`, or -1; braces in strings do not count. */
function endOfObject(content: string, start: number): number {
  let depth = 0;
  let isString = false;
  for (let i = start; i < content.length; i++) {
    const character = content[i];
    if (isString) {
      if (character === "\\") i++;
      else if (character === '"') isString = false;
    } else if (character === '"') isString = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return i + 1;
  }
  return -1;
}
