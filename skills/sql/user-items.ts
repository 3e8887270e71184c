/**
 * Items from the user's own JSONL: `{id, family, schema, question, reference, ordered}` a line. Every line is tried
 * out when it is read: its schema is made, contents are drawn for it, and its reference is run on them.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { Refusal } from "../../src/foundation/errors.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { itemId } from "../../src/records/ids.ts";
import type { Draft } from "../../src/skills/contract.ts";
import { taskText } from "./generate.ts";
import { manifest } from "./manifest.ts";
import type { TaskDetail } from "./task-detail.ts";
import { UnsupportedType, userTables } from "./user-tables.ts";
import type { Verifier } from "./verifier.ts";
import type { Answer } from "./verifier-protocol.ts";

const lineSchema = z.strictObject({
  id: z.string().min(1),
  family: z.string().min(1),
  schema: z.string().min(1),
  question: z.string().min(1),
  reference: z.string().min(1),
  ordered: z.boolean(),
});

type UserLine = z.infer<typeof lineSchema>;

interface Place {
  file: string;
  line: number;
}

/**
 * Reads a user's items.
 * Throws: `NO_ITEMS_FILE`, `BAD_ITEM_LINE` with the line's number and the field.
 */
export async function userItems(file: string, seed: number, verifier: Verifier): Promise<Draft[]> {
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
  const drafts: Draft[] = [];
  const firstLines = new Map<string, number>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const place = { file, line: index + 1 };
    const parsed = parseLine(line, place);
    const earlier = firstLines.get(parsed.id);
    if (earlier !== undefined)
      throw badLine(place, {
        field: "id",
        expected: "an id that occurs once",
        got: `"${parsed.id}", as in line ${earlier}`,
      });
    firstLines.set(parsed.id, place.line);
    drafts.push(await draftOf(parsed, { place, seed, verifier }));
  }
  return drafts;
}

function parseLine(line: string, place: Place): UserLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw badLine(place, { field: "the whole line", expected: "one JSON object", got: shortened(line) }, cause);
  }
  const parsed = lineSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.code === "unrecognized_keys" ? issue.keys.join(", ") : issue?.path.join(".") || "the whole line";
  const found = (value as Record<string, unknown> | null)?.[field];
  throw badLine(place, {
    field,
    expected:
      issue?.code === "unrecognized_keys"
        ? "only id, family, schema, question, reference, ordered"
        : String(issue?.message),
    got: found === undefined ? "nothing" : shortened(JSON.stringify(found)),
  });
}

async function draftOf(
  line: UserLine,
  { place, seed, verifier }: { place: Place; seed: number; verifier: Verifier },
): Promise<Draft> {
  const columns = await inspected(line, place, verifier);
  const detail: TaskDetail = {
    schema: line.schema,
    question: line.question,
    reference: line.reference.trim().replace(/[;\s]+$/, ""),
    ordered: line.ordered,
    tables: shapes(line, columns, place),
    contentsSeed: Number.parseInt(hashText(`${seed} ${line.id}`).slice(0, 7), 16),
  };
  const reply = await verifier.ask({ verb: "verify", task: detail, query: detail.reference });
  const reason = "lost" in reply ? reply.reason : "error" in reply.answer ? reply.answer.error : reply.answer.reason;
  if (reason !== null) {
    throw badLine(place, {
      field: "reference",
      expected: "one SELECT with one answer, that runs on contents drawn for the schema",
      got: reason,
    });
  }
  return {
    item: itemId(manifest.id, line.id),
    family: line.family,
    kind: null,
    task: taskText(
      line.question,
      detail.tables.map(({ name }) => name),
    ),
    detail,
  };
}

type Columns = Exclude<Answer<"inspect">, { error: string }>["columns"];

async function inspected(line: UserLine, place: Place, verifier: Verifier): Promise<Columns> {
  const reply = await verifier.ask({ verb: "inspect", schema: line.schema });
  const expected = "CREATE TABLE statements for DuckDB";
  if ("lost" in reply) throw badLine(place, { field: "schema", expected, got: reply.reason });
  if ("error" in reply.answer) throw badLine(place, { field: "schema", expected, got: reply.answer.error });
  if (reply.answer.columns.length > 0) return reply.answer.columns;
  throw badLine(place, { field: "schema", expected, got: "statements that make no table" });
}

function shapes(line: UserLine, columns: Columns, place: Place): TaskDetail["tables"] {
  try {
    return userTables(columns, line.reference);
  } catch (cause) {
    if (!(cause instanceof UnsupportedType)) throw cause;
    throw badLine(
      place,
      {
        field: "schema",
        expected: "columns of whole or decimal numbers, VARCHAR, DATE, TIMESTAMP or BOOLEAN",
        got: cause.message,
      },
      cause,
    );
  }
}

function badLine(place: Place, found: { field: string; expected: string; got: string }, cause?: unknown): Refusal {
  return new Refusal({
    code: "BAD_ITEM_LINE",
    message: `Line ${place.line} of the items is not an item: ${found.field}.`,
    expected: found.expected,
    got: found.got,
    where: `${place.file}:${place.line}, field ${found.field}`,
    cause,
  });
}

function shortened(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
