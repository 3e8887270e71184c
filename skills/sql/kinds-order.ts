/**
 * Kinds that sort rows, or take the first few of them.
 */
import * as conditions from "./conditions.ts";
import { type Kind, question } from "./kind.ts";

const orderAscending: Kind = {
  id: "order-ascending",
  ask({ label, many, table, measures }, { random, say }) {
    const m = random.pick(measures);
    const words = say(
      `List the ${label.plural} of all ${many}, sorted by ${m.noun} from lowest to highest.`,
      `Show the ${label.plural} of the ${many} in ascending order of ${m.noun}.`,
      `Give the ${label.plural} of all ${many}, ordered by ${m.noun}, the lowest first.`,
    );
    return question(words, `SELECT ${label.column} FROM ${table} ORDER BY ${m.column}`, {
      columns: [label.column, m.column],
      ordered: true,
      sortedBy: [m.column],
    });
  },
};

const orderDescending: Kind = {
  id: "order-descending",
  ask({ label, many, table, measures }, { random, say }) {
    const m = random.pick(measures);
    const words = say(
      `List the ${label.noun} and the ${m.noun} of all ${many}, sorted by ${m.noun} from highest to lowest.`,
      `Show the ${label.noun} and ${m.noun} of the ${many} in descending order of ${m.noun}.`,
      `Give the ${label.noun} and ${m.noun} of all ${many}, the highest ${m.noun} first.`,
    );
    return question(words, `SELECT ${label.column}, ${m.column} FROM ${table} ORDER BY ${m.column} DESC`, {
      columns: [label.column, m.column],
      ordered: true,
      sortedBy: [m.column],
    });
  },
};

const orderLabel: Kind = {
  id: "order-label",
  ask({ label, many, table }, { say }) {
    const words = say(
      `List the ${label.plural} of all ${many} in alphabetical order.`,
      `Show the ${label.plural} of the ${many} sorted from A to Z.`,
      `Give all ${label.plural} of the ${many}, ordered alphabetically.`,
    );
    const reference = `SELECT ${label.column} FROM ${table} ORDER BY ${label.column}`;
    return question(words, reference, { columns: [label.column], ordered: true });
  },
};

const orderDate: Kind = {
  id: "order-date",
  ask({ label, many, table, date }, { say }) {
    const words = say(
      `List the ${label.plural} of all ${many}, sorted by ${date.noun} from earliest to latest.`,
      `Show the ${label.plural} of the ${many} in order of ${date.noun}, the earliest first.`,
      `Give the ${label.plural} of all ${many}, ordered by ${date.noun} in ascending order.`,
    );
    return question(words, `SELECT ${label.column} FROM ${table} ORDER BY ${date.column}`, {
      columns: [label.column, date.column],
      ordered: true,
      sortedBy: [date.column],
    });
  },
};

const orderFilter: Kind = {
  id: "order-filter",
  ask(domain, draw) {
    const { label, many, table, measures } = domain;
    const m = draw.random.pick(measures);
    const where = conditions.anyCondition(domain, draw, [m.column]);
    const words = draw.say(
      `List the ${label.plural} of ${many} ${where.words}, sorted by ${m.noun} from highest to lowest.`,
      `For the ${many} ${where.words}, show the ${label.plural} in descending order of ${m.noun}.`,
      `Show the ${label.plural} of all ${many} ${where.words}, the highest ${m.noun} first.`,
    );
    return question(words, `SELECT ${label.column} FROM ${table} WHERE ${where.sql} ORDER BY ${m.column} DESC`, {
      columns: [label.column, m.column, ...where.columns],
      ordered: true,
      sortedBy: [m.column],
      focus: where.focus,
    });
  },
};

const topRows: Kind = {
  id: "top-rows",
  ask({ label, many, table, measures }, { random, say }) {
    const m = random.pick(measures);
    const n = random.integer(2, 5);
    const words = say(
      `List the ${label.plural} of the ${n} ${many} with the highest ${m.noun}, the highest first.`,
      `Show the ${label.plural} of the top ${n} ${many} by ${m.noun}, in descending order.`,
      `Which ${n} ${many} have the highest ${m.noun}? Return their ${label.plural} from highest to lowest.`,
    );
    return question(words, `SELECT ${label.column} FROM ${table} ORDER BY ${m.column} DESC LIMIT ${n}`, {
      columns: [label.column, m.column],
      ordered: true,
      sortedBy: [m.column],
    });
  },
};

function extremeRow(id: string, word: string, direction: string): Kind {
  return {
    id,
    ask({ label, one, table, measures }, { random, say }) {
      const m = random.pick(measures);
      const words = say(
        `What is the ${label.noun} of the ${one} with the ${word} ${m.noun}?`,
        `Which ${one} has the ${word} ${m.noun}? Return its ${label.noun}.`,
        `Find the ${one} with the ${word} ${m.noun} and show its ${label.noun}.`,
      );
      return question(words, `SELECT ${label.column} FROM ${table} ORDER BY ${m.column}${direction} LIMIT 1`, {
        columns: [label.column, m.column],
        sortedBy: [m.column],
      });
    },
  };
}

const latestRow: Kind = {
  id: "latest-row",
  ask({ label, one, table, date }, { say }) {
    const words = say(
      `What is the ${label.noun} of the ${one} with the latest ${date.noun}?`,
      `Which ${one} has the most recent ${date.noun}? Return its ${label.noun}.`,
      `Find the ${one} with the latest ${date.noun} and show its ${label.noun}.`,
    );
    return question(words, `SELECT ${label.column} FROM ${table} ORDER BY ${date.column} DESC LIMIT 1`, {
      columns: [label.column, date.column],
      sortedBy: [date.column],
    });
  },
};

export const ORDER_KINDS: readonly Kind[] = [
  orderAscending,
  orderDescending,
  orderLabel,
  orderDate,
  orderFilter,
  topRows,
  extremeRow("highest-row", "highest", " DESC"),
  extremeRow("lowest-row", "lowest", ""),
  latestRow,
];
