/**
 * What a kind of question is: it makes a question about a domain, with the query that answers it.
 * Its files are named `kinds-*.ts`; `kinds.ts` lists them all.
 */
import type { Condition, Draw } from "./conditions.ts";
import type { Domain } from "./domain.ts";
import type { Literal } from "./task-detail.ts";

export interface Question {
  question: string;
  reference: string;
  /** Whether the question asks for an order. */
  ordered: boolean;
  /** Columns of the domain's table that are needed. */
  columns: string[];
  /** Columns of the second table, where it is needed at all. */
  parentColumns: string[] | null;
  /** Columns that are sorted by: their values differ and are never null, so that the order is one. */
  sortedBy: string[];
  focus: Record<string, Literal[]>;
}

export interface Kind {
  id: string;
  /** Null where the domain does not have what the kind needs. */
  ask(domain: Domain, draw: Draw): Question | null;
}

/** Fills in what most questions do not have. */
export function question(
  words: string,
  reference: string,
  rest: { columns: string[] } & Partial<Omit<Question, "question" | "reference" | "columns">>,
): Question {
  return { question: words, reference, ordered: false, parentColumns: null, sortedBy: [], focus: {}, ...rest };
}

/** A question for the names of the rows that meet a condition. */
export function listing(domain: Domain, { say }: Draw, where: Condition): Question {
  const { label, many, table } = domain;
  const words = say(
    `List the ${label.plural} of all ${many} ${where.words}.`,
    `What are the ${label.plural} of the ${many} ${where.words}?`,
    `Show the ${label.plural} of ${many} ${where.words}.`,
    `Find all ${many} ${where.words}. Return only the ${label.plural}.`,
  );
  return question(words, `SELECT ${label.column} FROM ${table} WHERE ${where.sql}`, {
    columns: [label.column, ...where.columns],
    focus: where.focus,
  });
}
