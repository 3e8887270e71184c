/**
 * Asks the database what tables some CREATE TABLE statements make.
 */
import type { Database } from "./database.ts";
import { dropSchema } from "./prepared-task.ts";
import type { Row } from "./result-sets.ts";
import type { InspectedColumn } from "./verifier-protocol.ts";

const limits = { limitMs: 2000, rowLimit: 1000 };

/** Throws: the database's own error where the statements do not run. */
export async function inspectTables(database: Database, ddl: string, schema: string): Promise<InspectedColumn[]> {
  try {
    await database.run(`CREATE SCHEMA ${schema}; USE ${schema}; ${ddl}`);
    const columns = await database.query(
      `SELECT c.table_name, c.column_name, c.data_type, c.is_nullable
       FROM duckdb_columns() c JOIN duckdb_tables() t USING (table_oid)
       WHERE c.schema_name = '${schema}' ORDER BY c.table_oid, c.column_index`,
      limits,
    );
    const constraints = await database.query(
      `SELECT table_name, constraint_type, unnest(constraint_column_names), referenced_table,
         unnest(referenced_column_names), len(constraint_column_names)
       FROM duckdb_constraints() WHERE schema_name = '${schema}'`,
      limits,
    );
    return columns.rows.map((row) => inspected(row, constraints.rows));
  } finally {
    await dropSchema(database, schema);
  }
}

function inspected([table, column, type, isNullable]: Row, constraints: readonly Row[]): InspectedColumn {
  const own = constraints.filter((constraint) => constraint[0] === table && constraint[2] === column);
  const reference = own.find((constraint) => constraint[1] === "FOREIGN KEY");
  return {
    table: String(table),
    column: String(column),
    type: String(type),
    isNullable: isNullable === true,
    isUnique: own.some(([, kind, , , , width]) => (kind === "PRIMARY KEY" || kind === "UNIQUE") && width === 1),
    references: reference ? { table: String(reference[3]), column: String(reference[4]) } : null,
  };
}
