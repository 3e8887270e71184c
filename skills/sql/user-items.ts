/**
 * Items from the user's own JSONL: `{id, family, schema, question, reference, ordered}` a line. Every line is tried
 * out when it is read: its schema is made, contents are drawn for it, and its reference is run on them.
 */
import { z } from "zod";
import { hashText } from "../../src/foundation/hashing.ts";
import { itemId } from "../../src/records/ids.ts";
import type { Draft } from "../../src/skills/contract.ts";
import { badItemLine, type LinePlace, readItemLines } from "../../src/skills/item-lines.ts";
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

/**
 * Reads a user's items.
 * Throws: `NO_ITEMS_FILE`, `BAD_ITEM_LINE` with the line's number and the field.
 */
export async function userItems(file: string, seed: number, verifier: Verifier): Promise<Draft[]> {
  const drafts: Draft[] = [];
  for (const { value, place } of await readItemLines(file, lineSchema)) {
    drafts.push(await draftOf(value, { place, seed, verifier }));
  }
  return drafts;
}

async function draftOf(
  line: UserLine,
  { place, seed, verifier }: { place: LinePlace; seed: number; verifier: Verifier },
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
    throw badItemLine(place, {
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

async function inspected(line: UserLine, place: LinePlace, verifier: Verifier): Promise<Columns> {
  const reply = await verifier.ask({ verb: "inspect", schema: line.schema });
  const expected = "CREATE TABLE statements for DuckDB";
  if ("lost" in reply) throw badItemLine(place, { field: "schema", expected, got: reply.reason });
  if ("error" in reply.answer) throw badItemLine(place, { field: "schema", expected, got: reply.answer.error });
  if (reply.answer.columns.length > 0) return reply.answer.columns;
  throw badItemLine(place, { field: "schema", expected, got: "statements that make no table" });
}

function shapes(line: UserLine, columns: Columns, place: LinePlace): TaskDetail["tables"] {
  try {
    return userTables(columns, line.reference);
  } catch (cause) {
    if (!(cause instanceof UnsupportedType)) throw cause;
    throw badItemLine(
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
