/**
 * The columns of generated tables: their SQL types and how their values are drawn.
 */
import type { DateColumn, NumberColumn, TextColumn } from "./domain.ts";
import type { ColumnDraw, ColumnShape, Literal } from "./task-detail.ts";

export interface TypedColumn {
  type: "INTEGER" | "DOUBLE" | "VARCHAR" | "DATE";
  shape: ColumnShape;
}

type Rules = Pick<ColumnShape, "isUnique" | "nullFraction">;
type Focus = Record<string, Literal[]>;

/** A column of texts, drawn from its values. */
export function textShape(c: TextColumn, rules: Rules, focus: Focus): TypedColumn {
  const values: ColumnDraw = { draw: "text", from: [...c.values], focus: (focus[c.column] ?? []).map(String) };
  return { type: "VARCHAR", shape: { name: c.column, values, ...rules } };
}

/** A column of numbers; of whole steps it is an INTEGER. */
export function numberShape(m: NumberColumn, rules: Rules, focus: Focus): TypedColumn {
  const { low, high, step } = m;
  const values: ColumnDraw = { draw: "number", low, high, step, focus: (focus[m.column] ?? []).map(Number) };
  return { type: Number.isInteger(step) ? "INTEGER" : "DOUBLE", shape: { name: m.column, values, ...rules } };
}

/** A column of days, from the first day of its first year to the last of its last. */
export function dateShape(d: DateColumn, rules: Rules, focus: Focus): TypedColumn {
  const values: ColumnDraw = {
    draw: "date",
    low: `${d.firstYear}-01-01`,
    high: `${d.lastYear}-12-31`,
    focus: (focus[d.column] ?? []).map(String),
  };
  return { type: "DATE", shape: { name: d.column, values, ...rules } };
}

/** A column that numbers the rows. */
export function keyShape(name: string): TypedColumn {
  return { type: "INTEGER", shape: { name, values: { draw: "key" }, isUnique: true, nullFraction: 0 } };
}

/** A column that refers to the `id` of another table. */
export function referenceShape(name: string, table: string): TypedColumn {
  const values: ColumnDraw = { draw: "reference", table, column: "id" };
  return { type: "INTEGER", shape: { name, values, isUnique: false, nullFraction: 0 } };
}

/** The CREATE TABLE statements, one a line: the model sees exactly this text. */
export function schemaText(tables: readonly { name: string; columns: readonly TypedColumn[] }[]): string {
  return tables
    .map(({ name, columns }) => {
      const list = columns.map((column) => `${column.shape.name} ${column.type}`).join(", ");
      return `CREATE TABLE ${name} (${list});`;
    })
    .join("\n");
}
