/**
 * Reads a user's own items from JSONL, one object a line, and refuses what is not an item by its line and field.
 * Does not know what a skill makes of a line.
 */
import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { Refusal } from "../foundation/errors.ts";

const LONGEST_SHOWN = 80;

export interface LinePlace {
  file: string;
  /** From 1. */
  line: number;
}

export interface ItemLine<T> {
  value: T;
  place: LinePlace;
}

/**
 * Returns every line of a file, checked; blank lines are passed over.
 * Throws: `NO_ITEMS_FILE`; `BAD_ITEM_LINE` with the line's number and the field, also where an id occurs twice.
 */
export async function readItemLines<T extends { id: string }>(
  file: string,
  schema: z.ZodObject & z.ZodType<T>,
): Promise<ItemLine<T>[]> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new Refusal({
      code: "NO_ITEMS_FILE",
      message: "The file of items cannot be read.",
      expected: "a JSONL file",
      got: cause.code ?? cause.message,
      where: file,
      cause,
    });
  });
  const lines: ItemLine<T>[] = [];
  const firstLines = new Map<string, number>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const place = { file, line: index + 1 };
    const value = parseLine(line, place, schema);
    const earlier = firstLines.get(value.id);
    if (earlier !== undefined) {
      const got = `"${value.id}", as in line ${earlier}`;
      throw badItemLine(place, { field: "id", expected: "an id that occurs once", got });
    }
    firstLines.set(value.id, place.line);
    lines.push({ value, place });
  }
  return lines;
}

/** The refusal of a line, for what only the skill can find wrong with it. */
export function badItemLine(
  place: LinePlace,
  found: { field: string; expected: string; got: string },
  cause?: unknown,
): Refusal {
  return new Refusal({
    code: "BAD_ITEM_LINE",
    message: `Line ${place.line} of the items is not an item: ${found.field}.`,
    expected: found.expected,
    got: found.got,
    where: `${place.file}:${place.line}, field ${found.field}`,
    cause,
  });
}

function parseLine<T>(line: string, place: LinePlace, schema: z.ZodObject & z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw badItemLine(place, { field: "the whole line", expected: "one JSON object", got: shortened(line) }, cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.code === "unrecognized_keys" ? issue.keys.join(", ") : issue?.path.join(".") || "the whole line";
  const found = (value as Record<string, unknown> | null)?.[field];
  throw badItemLine(place, {
    field,
    expected:
      issue?.code === "unrecognized_keys" ? `only ${Object.keys(schema.shape).join(", ")}` : String(issue?.message),
    got: found === undefined ? "nothing" : shortened(JSON.stringify(found)),
  });
}

function shortened(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN - 3)}...`;
}
