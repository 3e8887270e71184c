/**
 * Kinds whose answer is one number, one date, or the different values of a column.
 */

import type { Condition, Draw } from "./conditions.ts";
import * as conditions from "./conditions.ts";
import type { Domain, NumberColumn } from "./domain.ts";
import { type Kind, question } from "./kind.ts";

function countKind(id: string, where: (domain: Domain, draw: Draw) => Condition): Kind {
  return {
    id,
    ask(domain, draw) {
      const { many, table } = domain;
      const c = where(domain, draw);
      const words = draw.say(
        `How many ${many} are there ${c.words}?`,
        `Count the ${many} ${c.words}.`,
        `What is the number of ${many} ${c.words}?`,
      );
      return question(words, `SELECT COUNT(*) FROM ${table} WHERE ${c.sql}`, { columns: c.columns, focus: c.focus });
    },
  };
}

const countAll: Kind = {
  id: "count-all",
  ask({ many, table, categories }, { say }) {
    const words = say(`How many ${many} are there?`, `Count all ${many}.`, `What is the total number of ${many}?`);
    return question(words, `SELECT COUNT(*) FROM ${table}`, { columns: categories.slice(0, 1).map((c) => c.column) });
  },
};

const countDistinct: Kind = {
  id: "count-distinct",
  ask({ many, table, categories }, { random, say }) {
    const c = random.pick(categories);
    const words = say(
      `How many different ${c.plural} are there among the ${many}?`,
      `Count the distinct ${c.plural} of the ${many}.`,
      `How many distinct ${c.plural} do the ${many} have?`,
    );
    return question(words, `SELECT COUNT(DISTINCT ${c.column}) FROM ${table}`, { columns: [c.column] });
  },
};

const distinct: Kind = {
  id: "distinct",
  ask({ many, table, categories }, { random, say }) {
    const c = random.pick(categories);
    const words = say(
      `List the different ${c.plural} of the ${many}, each once.`,
      `Which distinct ${c.plural} do the ${many} have?`,
      `Show every ${c.noun} that occurs among the ${many}, without duplicates.`,
    );
    return question(words, `SELECT DISTINCT ${c.column} FROM ${table}`, { columns: [c.column] });
  },
};

const distinctFilter: Kind = {
  id: "distinct-filter",
  ask(domain, draw) {
    const { many, table, categories } = domain;
    const c = draw.random.pick(categories);
    const where = conditions.anyCondition(domain, draw, [c.column]);
    const words = draw.say(
      `List the different ${c.plural} of ${many} ${where.words}, each once.`,
      `Which distinct ${c.plural} are there among the ${many} ${where.words}?`,
      `Show the ${c.plural} of ${many} ${where.words}, without duplicates.`,
    );
    return question(words, `SELECT DISTINCT ${c.column} FROM ${table} WHERE ${where.sql}`, {
      columns: [c.column, ...where.columns],
      focus: where.focus,
    });
  },
};

interface Aggregate {
  id: string;
  sql: string;
  wordings(noun: string): string[];
  /** Whether it makes sense only for numbers that add up. */
  isSum: boolean;
}

const AGGREGATES: readonly Aggregate[] = [
  {
    id: "sum",
    sql: "SUM",
    isSum: true,
    wordings: (noun) => [
      `What is the total ${noun} of`,
      `Calculate the sum of the ${noun} over`,
      `Add up the ${noun} of`,
    ],
  },
  {
    id: "average",
    sql: "AVG",
    isSum: false,
    wordings: (noun) => [
      `What is the average ${noun} of`,
      `Calculate the mean ${noun} of`,
      `Give the average ${noun} of`,
    ],
  },
  {
    id: "minimum",
    sql: "MIN",
    isSum: false,
    wordings: (noun) => [
      `What is the lowest ${noun} of`,
      `Find the minimum ${noun} of`,
      `Give the smallest ${noun} among`,
    ],
  },
  {
    id: "maximum",
    sql: "MAX",
    isSum: false,
    wordings: (noun) => [
      `What is the highest ${noun} of`,
      `Find the maximum ${noun} of`,
      `Give the largest ${noun} among`,
    ],
  },
];

/** "total number of pages" where the noun is "number of pages": both are said of the rows that follow. */
function ask(aggregate: Aggregate, m: NumberColumn, { say }: Draw): string {
  return say(...aggregate.wordings(m.noun));
}

function punctuate(words: string): string {
  return words.startsWith("What") ? `${words}?` : `${words}.`;
}

function aggregateKinds(aggregate: Aggregate): Kind[] {
  const measure = (domain: Domain, draw: Draw) =>
    draw.random.pick(domain.measures.filter((m) => m.isAdditive || !aggregate.isSum));
  return [
    {
      id: aggregate.id,
      ask(domain, draw) {
        const m = measure(domain, draw);
        const words = punctuate(`${ask(aggregate, m, draw)} all ${domain.many}`);
        return question(words, `SELECT ${aggregate.sql}(${m.column}) FROM ${domain.table}`, { columns: [m.column] });
      },
    },
    {
      id: `${aggregate.id}-filter`,
      ask(domain, draw) {
        const m = measure(domain, draw);
        const where = conditions.anyCondition(domain, draw, [m.column]);
        const words = punctuate(`${ask(aggregate, m, draw)} the ${domain.many} ${where.words}`);
        return question(words, `SELECT ${aggregate.sql}(${m.column}) FROM ${domain.table} WHERE ${where.sql}`, {
          columns: [m.column, ...where.columns],
          focus: where.focus,
        });
      },
    },
  ];
}

const earliestDate: Kind = {
  id: "earliest-date",
  ask({ many, table, date }, { random, say }) {
    const [word, sql] = random.pick([
      ["earliest", "MIN"],
      ["latest", "MAX"],
    ]) as [string, string];
    const words = say(
      `What is the ${word} ${date.noun} of all ${many}?`,
      `Find the ${word} ${date.noun} among the ${many}.`,
      `Give the ${word} ${date.noun} in the table of ${many}.`,
    );
    return question(words, `SELECT ${sql}(${date.column}) FROM ${table}`, { columns: [date.column] });
  },
};

export const AGGREGATE_KINDS: readonly Kind[] = [
  countAll,
  countKind("count-equals", (d, draw) => conditions.equalTo(draw.random.pick(d.categories), draw)),
  countKind("count-greater", (d, draw) => conditions.above(draw.random.pick(d.measures), draw)),
  countKind("count-null", (d, draw) => conditions.missing(d.optional, draw)),
  countDistinct,
  ...AGGREGATES.flatMap(aggregateKinds),
  earliestDate,
  distinct,
  distinctFilter,
];
