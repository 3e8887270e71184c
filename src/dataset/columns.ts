/**
 * Columns of a format, declared once: from them come a row's line, the types on the dataset's card, a Parquet file's
 * schema and the fields of its Croissant description.
 *
 * Whatever has keys of its own (messages, tools) is a column of JSON and never a struct, as a loader would add the keys of
 * one row to all others. Source: Hugging Face datasets, `Json` feature (4.7).
 */

/** `jsons` is a list of JSON values; `numbers` a list of whole numbers. */
export type ColumnType = "text" | "fraction" | "truth" | "json" | "jsons" | "numbers";

export interface ColumnShape {
  name: string;
  type: ColumnType;
  /** Whether a row may hold null. */
  isNullable?: true;
}

export interface Column<Row> extends ColumnShape {
  /** The value as JSON text. */
  json(row: Row): string;
}

export const jsonText = (value: unknown): string => JSON.stringify(value);
/** With a point, so that a reader which sees 1 first does not take the column for whole numbers. */
export const fractionText = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** Writes a row as one JSON object with the columns' keys in their order. */
export function lineOf<Row>(columns: readonly Column<Row>[], row: Row): string {
  let line = "";
  for (const { name, json } of columns) line += `${line === "" ? "{" : ","}"${name}":${json(row)}`;
  return `${line}}`;
}

const value = (dtype: string) => ({ dtype, _type: "Value" });
const list = (feature: object) => ({ feature, _type: "List" });
const json = { _type: "Json" };

/** For each type: as Hugging Face writes it into Parquet and into a card's YAML, as DuckDB names it, as Croissant does. */
const TYPES: Record<ColumnType, { feature: object; yaml: string; duckdb: string; croissant: string; isList: boolean }> =
  {
    text: { feature: value("string"), yaml: "dtype: string", duckdb: "VARCHAR", croissant: "sc:Text", isList: false },
    fraction: {
      feature: value("float64"),
      yaml: "dtype: float64",
      duckdb: "DOUBLE",
      croissant: "sc:Float",
      isList: false,
    },
    truth: { feature: value("bool"), yaml: "dtype: bool", duckdb: "BOOLEAN", croissant: "sc:Boolean", isList: false },
    json: { feature: json, yaml: "dtype: json", duckdb: "JSON", croissant: "sc:Text", isList: false },
    jsons: { feature: list(json), yaml: "list: json", duckdb: "JSON[]", croissant: "sc:Text", isList: true },
    numbers: {
      feature: list(value("int32")),
      yaml: "list: int32",
      duckdb: "INTEGER[]",
      croissant: "sc:Integer",
      isList: true,
    },
  };

/** The columns as a card's YAML lists features, those that are named as JSON whatever their type. */
export function cardFeatures(columns: readonly ColumnShape[], asJson: readonly string[] = []): string {
  const typeOf = ({ name, type }: ColumnShape) => TYPES[asJson.includes(name) ? "json" : type].yaml;
  return columns.map((column) => `  - name: ${column.name}\n    ${typeOf(column)}`).join("\n");
}

/** The columns as Hugging Face keeps features in a Parquet file's metadata, under the key `huggingface`. */
export function parquetFeatures(columns: readonly ColumnShape[]): string {
  const features = Object.fromEntries(columns.map(({ name, type }) => [name, TYPES[type].feature]));
  return JSON.stringify({ info: { features } });
}

/** The type of a column in Parquet, as DuckDB names it. */
export function duckdbType(type: ColumnType): string {
  return TYPES[type].duckdb;
}

/** The same in Croissant: the type of a value, and whether there are several. */
export function croissantType(type: ColumnType): { dataType: string; isList: boolean } {
  const { croissant, isList } = TYPES[type];
  return { dataType: croissant, isList };
}
