/**
 * What a domain is: a small world of one table, often with a second one that it refers to. A domain is a family.
 * Columns have a part to play (label, category, measure, date, optional), so that one kind of question fits them all.
 */

export interface TextColumn {
  column: string;
  noun: string;
  plural: string;
  values: readonly string[];
}

export interface NumberColumn {
  column: string;
  noun: string;
  low: number;
  high: number;
  /** The grain of the values: 1 makes an INTEGER column, less than 1 a DOUBLE. */
  step: number;
  /** Whether a sum over rows means something. */
  isAdditive: boolean;
}

export interface DateColumn {
  column: string;
  noun: string;
  firstYear: number;
  lastYear: number;
}

/** The second table: `key` is the column of the first table that holds this table's `id`. */
export interface Parent {
  table: string;
  one: string;
  key: string;
  label: TextColumn;
  category: TextColumn;
}

export interface Domain {
  id: string;
  table: string;
  one: string;
  many: string;
  /** Names a row; its values are different in every row. */
  label: TextColumn;
  categories: readonly TextColumn[];
  measures: readonly NumberColumn[];
  date: DateColumn;
  /** A column that is often null. */
  optional: TextColumn;
  parent?: Parent;
}

/** Units: `values` is a comma-separated list. */
export function text(column: string, noun: string, plural: string, values: string): TextColumn {
  return { column, noun, plural, values: values.split(",").map((value) => value.trim()) };
}

/** A number of which a sum means nothing, like a rating. */
export function number(column: string, noun: string, [low, high, step = 1]: readonly number[]): NumberColumn {
  return { column, noun, low: low ?? 0, high: high ?? 0, step, isAdditive: false };
}

/** A number that adds up over rows, like a price. */
export function quantity(column: string, noun: string, range: readonly number[]): NumberColumn {
  return { ...number(column, noun, range), isAdditive: true };
}

/** A column of days. Shapes: both years are included. */
export function date(column: string, noun: string, firstYear = 2016, lastYear = 2024): DateColumn {
  return { column, noun, firstYear, lastYear };
}

const PEOPLE =
  "Ada Moreno, Ben Carter, Clara Novak, David Okafor, Elena Rossi, Felix Braun, Grace Lin, Hugo Silva, Ines Dubois, Jonas Weber, Karen Olsen, Liam Byrne, Maria Santos, Noah Fischer, Olga Petrova, Paul Mason, Rita Costa, Samir Haddad, Tara Singh, Victor Lang, Wendy Clark, Yusuf Demir, Zoe Martin, Oscar Lund, Sofia Marin, Carl Peters, Anna Keller, Bruno Costa, Mila Sato, Erik Holm";

/** Sixteen people's names, a different mix for each `offset`, as a comma-separated list. */
export function people(offset: number): string {
  const names = PEOPLE.split(", ");
  return Array.from({ length: 16 }, (_, i) => names[(offset + i) % names.length]).join(",");
}
