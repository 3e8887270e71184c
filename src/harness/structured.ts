/**
 * Reads what a role's model answers in JSON. Models put prose or a fence around it, so the first object that parses and
 * fits is taken; an answer without one is no answer, and is kept as it came on its turn.
 */
import { z } from "zod";
import { ARCHITECT_CHOICES } from "../records/events.ts";
import type { Message } from "../records/message.ts";
import { TIP_TYPES } from "../records/tip.ts";

/** Longer answers are looked through no further. */
const MOST_CHARACTERS = 64_000;
const MOST_OBJECTS = 64;

const text = z.string().trim().min(1);
const maybe = z
  .string()
  .nullish()
  .transform((value) => value?.trim() || null);

export const selectionSchema = z.object({ item: text, plan: maybe });

export const replanSchema = z.object({
  choice: z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.enum(ARCHITECT_CHOICES).exclude(["select"])),
  plan: maybe,
  reason: maybe,
});

export const reviewSchema = z.object({ rightReason: z.boolean(), confidence: z.number().min(0).max(1), why: maybe });

export const lessonsSchema = z.object({
  tips: z
    .array(
      z.object({
        type: z.string().trim().toLowerCase().pipe(z.enum(TIP_TYPES)),
        text,
        mechanism: maybe,
        conditions: maybe,
      }),
    )
    .max(8),
});

/** Returns the first JSON object in the answer's text that fits, or null. */
export function structuredAnswer<T>(schema: z.ZodType<T>, answer: Message): T | null {
  const content = (answer.content ?? "").slice(0, MOST_CHARACTERS);
  let from = content.indexOf("{");
  for (let tries = 0; from !== -1 && tries < MOST_OBJECTS; tries++) {
    const end = endOfObject(content, from);
    const read = end === -1 ? undefined : schema.safeParse(parsed(content.slice(from, end)));
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

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // prose in braces, or JSON that is cut
  }
}
