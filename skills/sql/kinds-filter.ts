/**
 * Kinds that list rows: all of them, or those that meet a condition.
 */

import type { Condition, Draw } from "./conditions.ts";
import * as conditions from "./conditions.ts";
import type { Domain } from "./domain.ts";
import { type Kind, listing, question } from "./kind.ts";

function filterKind(id: string, where: (domain: Domain, draw: Draw) => Condition): Kind {
  return { id, ask: (domain, draw) => listing(domain, draw, where(domain, draw)) };
}

const listColumn: Kind = {
  id: "list-column",
  ask({ label, many, table, measures, optional, categories }, { random, say }) {
    const column = random.pick([label, ...measures, ...categories, optional]);
    const noun = "plural" in column ? column.plural : column.noun;
    const words = say(
      `List the ${noun} of all ${many}.`,
      `Show the ${noun} of every row in ${table}.`,
      `Give me the ${noun} of all the ${many}.`,
    );
    return question(words, `SELECT ${column.column} FROM ${table}`, { columns: [column.column] });
  },
};

const listTwoColumns: Kind = {
  id: "list-two-columns",
  ask({ label, many, one, table, measures, categories, date }, { random, say }) {
    const second = random.pick([...measures, ...categories, date]);
    const words = say(
      `List the ${label.noun} and the ${second.noun} of all ${many}.`,
      `Show the ${label.noun} and ${second.noun} of every ${one}.`,
      `For all ${many}, give the ${label.noun} and the ${second.noun}.`,
    );
    return question(words, `SELECT ${label.column}, ${second.column} FROM ${table}`, {
      columns: [label.column, second.column],
    });
  },
};

const filterTwoColumns: Kind = {
  id: "filter-two-columns",
  ask(domain, draw) {
    const { label, many, table, measures } = domain;
    const second = draw.random.pick(measures);
    const where = conditions.anyCondition(domain, draw, [second.column]);
    const words = draw.say(
      `List the ${label.noun} and the ${second.noun} of all ${many} ${where.words}.`,
      `For ${many} ${where.words}, show the ${label.noun} and the ${second.noun}.`,
      `Show the ${label.noun} and ${second.noun} of the ${many} ${where.words}.`,
    );
    return question(words, `SELECT ${label.column}, ${second.column} FROM ${table} WHERE ${where.sql}`, {
      columns: [label.column, second.column, ...where.columns],
      focus: where.focus,
    });
  },
};

const aboveAverage: Kind = {
  id: "above-average",
  ask({ label, many, table, measures }, { random, say }) {
    const m = random.pick(measures);
    const words = say(
      `List the ${label.plural} of all ${many} whose ${m.noun} is above the average ${m.noun}.`,
      `Which ${many} have ${conditions.article(m.noun)} greater than the average? Return the ${label.plural}.`,
      `Show the ${label.plural} of ${many} with more than the average ${m.noun}.`,
    );
    const reference = `SELECT ${label.column} FROM ${table} WHERE ${m.column} > (SELECT AVG(${m.column}) FROM ${table})`;
    return question(words, reference, { columns: [label.column, m.column] });
  },
};

export const FILTER_KINDS: readonly Kind[] = [
  listColumn,
  listTwoColumns,
  filterKind("filter-equals", (d, draw) => conditions.equalTo(draw.random.pick(d.categories), draw)),
  filterKind("filter-not", (d, draw) => conditions.differentFrom(draw.random.pick(d.categories), draw)),
  filterKind("filter-greater", (d, draw) => conditions.above(draw.random.pick(d.measures), draw)),
  filterKind("filter-less", (d, draw) => conditions.below(draw.random.pick(d.measures), draw)),
  filterKind("filter-at-least", (d, draw) => conditions.atLeast(draw.random.pick(d.measures), draw)),
  filterKind("filter-between", (d, draw) => conditions.between(draw.random.pick(d.measures), draw)),
  filterKind("filter-in", (d, draw) => conditions.oneOf(draw.random.pick(d.categories), draw)),
  filterKind("filter-prefix", (d, draw) => conditions.startsWith(d.label, draw)),
  filterKind("filter-contains", (d, draw) => conditions.contains(d.label, draw)),
  filterKind("filter-null", (d, draw) => conditions.missing(d.optional, draw)),
  filterKind("filter-not-null", (d, draw) => conditions.present(d.optional, draw)),
  filterKind("date-after", (d, draw) => conditions.after(d.date, draw)),
  filterKind("date-before", (d, draw) => conditions.before(d.date, draw)),
  filterKind("date-year", (d, draw) => conditions.inYear(d.date, draw)),
  filterKind("filter-and", (d, draw) => {
    const first = conditions.equalTo(draw.random.pick(d.categories), draw);
    return conditions.both(first, "and", conditions.anyCondition(d, draw, first.columns));
  }),
  filterKind("filter-or", (d, draw) => {
    const first = conditions.equalTo(draw.random.pick(d.categories), draw);
    return conditions.both(first, "or", conditions.anyCondition(d, draw, first.columns));
  }),
  filterTwoColumns,
  aboveAverage,
];
