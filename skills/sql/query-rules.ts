/**
 * Which queries may run: one SELECT over the item's own tables. Judged on DuckDB's own syntax tree, by what is
 * allowed: a table function can open a log file, follow a pointer or reach a file that no setting closes.
 */
import { z } from "zod";
import type { FailureMode } from "./manifest.ts";

export interface Objection {
  failureMode: FailureMode;
  reason: string;
}

/** Units: UTF-16 code units. */
export const MAX_QUERY_LENGTH = 10_000;

const TABLE_FUNCTIONS = new Set(["range", "generate_series", "unnest"]);

/** Functions whose value the tables do not fix, or that do something. */
const SCALAR_FUNCTIONS = new Set(
  "random,setseed,uuid,uuidv4,uuidv7,gen_random_uuid,nextval,currval,sleep_ms,write_log,getenv,getvariable,current_setting,current_query,current_query_id,current_connection_id,current_transaction_id,txid_current,stats,error,query,query_table".split(
    ",",
  ),
);

/** Names of the engine's own tables and views, which an item's tables never have. */
const SYSTEM_TABLE = /^(duckdb_|pg_|pragma_|sqlite_|information_schema)/i;
/** A file or an address where a table is meant. */
const FILE_TABLE = /[/\\.:*]/;

const treeSchema = z.union([
  z.object({ error: z.literal(false), statements: z.array(z.json()) }),
  z.object({ error: z.literal(true), error_type: z.string(), error_message: z.string() }),
]);

/**
 * Says why a query may not run; null where it may.
 * Shapes: `tree` is the text that `json_serialize_sql` gives for the query; `tables` the item's table names.
 */
export function objectionTo(tree: string, tables: readonly string[]): Objection | null {
  const parsed = treeSchema.parse(JSON.parse(tree));
  if (parsed.error) {
    return parsed.error_type === "not implemented"
      ? forbidden("only SELECT statements are allowed")
      : { failureMode: "parse", reason: parsed.error_message };
  }
  if (parsed.statements.length === 0) return { failureMode: "parse", reason: "there is no statement" };
  if (parsed.statements.length > 1) return forbidden(`one statement is allowed, found ${parsed.statements.length}`);
  const nodes = [...treeNodes(parsed.statements[0])];
  const known = new Set(tables.map((table) => table.toLowerCase()));
  for (const node of nodes) {
    const reason = nodeObjection(node, known);
    if (reason !== null) return forbidden(reason);
  }
  return null;
}

function nodeObjection(node: Record<string, unknown>, tables: ReadonlySet<string>): string | null {
  switch (node.type) {
    case "SHOW_REF":
      return "DESCRIBE, SHOW and SUMMARIZE are not allowed";
    case "TABLE_FUNCTION": {
      const name = String((node.function as Record<string, unknown> | undefined)?.function_name).toLowerCase();
      return TABLE_FUNCTIONS.has(name) ? null : `the table function ${name} is not allowed`;
    }
    case "FUNCTION": {
      const name = String(node.function_name).toLowerCase();
      return SCALAR_FUNCTIONS.has(name) ? `the function ${name} is not allowed` : null;
    }
    case "BASE_TABLE": {
      const name = String(node.table_name);
      if (node.schema_name || node.catalog_name) return "only the item's own tables may be read";
      if (tables.has(name.toLowerCase())) return null;
      return SYSTEM_TABLE.test(name) || FILE_TABLE.test(name) ? "only the item's own tables may be read" : null;
    }
    default:
      return null;
  }
}

/** Every object of the tree; a stack instead of recursion, since a query's depth is its author's choice. */
function* treeNodes(root: unknown): Generator<Record<string, unknown>> {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== "object" || node === null) continue;
    if (!Array.isArray(node)) yield node as Record<string, unknown>;
    open.push(...Object.values(node));
  }
}

function forbidden(reason: string): Objection {
  return { failureMode: "forbidden", reason };
}
