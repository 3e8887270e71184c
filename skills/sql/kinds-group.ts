/**
 * Kinds that group rows by a category.
 */
import { middle } from "./conditions.ts";
import type { NumberColumn } from "./domain.ts";
import { type Kind, question } from "./kind.ts";

const groupCount: Kind = {
  id: "group-count",
  ask({ many, table, categories }, { random, say }) {
    const c = random.pick(categories);
    const words = say(
      `How many ${many} are there for each ${c.noun}? Return the ${c.noun} and the count.`,
      `For each ${c.noun}, show the ${c.noun} and the number of ${many}.`,
      `Show every ${c.noun} together with its number of ${many}.`,
    );
    return question(words, `SELECT ${c.column}, COUNT(*) FROM ${table} GROUP BY ${c.column}`, { columns: [c.column] });
  },
};

function groupAggregate(id: string, adjective: string, sql: string): Kind {
  return {
    id,
    ask({ many, table, categories, measures }, { random, say }) {
      const c = random.pick(categories);
      const m = random.pick(measures.filter((one) => one.isAdditive || sql !== "SUM"));
      const words = say(
        `What is the ${adjective} ${m.noun} of the ${many} for each ${c.noun}? Return the ${c.noun} and the ${adjective} ${m.noun}.`,
        `For each ${c.noun}, show the ${c.noun} and the ${adjective} ${m.noun} of its ${many}.`,
        `Show every ${c.noun} together with the ${adjective} ${m.noun} of its ${many}.`,
      );
      const reference = `SELECT ${c.column}, ${sql}(${m.column}) FROM ${table} GROUP BY ${c.column}`;
      return question(words, reference, { columns: [c.column, m.column] });
    },
  };
}

const havingCount: Kind = {
  id: "having-count",
  ask({ many, table, categories }, { random, say }) {
    const c = random.pick(categories);
    const n = random.integer(2, 3);
    const words = say(
      `Which ${c.plural} have more than ${n} ${many}?`,
      `List the ${c.plural} that occur on more than ${n} ${many}.`,
      `Show each ${c.noun} with more than ${n} ${many}. Return only the ${c.noun}.`,
    );
    const reference = `SELECT ${c.column} FROM ${table} GROUP BY ${c.column} HAVING COUNT(*) > ${n}`;
    return question(words, reference, { columns: [c.column] });
  },
};

const havingAverage: Kind = {
  id: "having-average",
  ask({ many, table, categories, measures }, { random, say }) {
    const c = random.pick(categories);
    const m = random.pick(measures);
    const value = middle(m, random);
    const words = say(
      `Which ${c.plural} have an average ${m.noun} above ${value}?`,
      `List the ${c.plural} whose ${many} have an average ${m.noun} greater than ${value}.`,
      `Show each ${c.noun} with an average ${m.noun} over ${value}. Return only the ${c.noun}.`,
    );
    const reference = `SELECT ${c.column} FROM ${table} GROUP BY ${c.column} HAVING AVG(${m.column}) > ${value}`;
    return question(words, reference, { columns: [c.column, m.column] });
  },
};

const groupOrder: Kind = {
  id: "group-order",
  ask({ many, table, categories, measures }, { random, say }) {
    const c = random.pick(categories);
    const m = random.pick(measures) as NumberColumn;
    const words = say(
      `Show each ${c.noun} and the average ${m.noun} of its ${many}, from the highest average to the lowest.`,
      `For each ${c.noun}, list the ${c.noun} and its average ${m.noun}, sorted by that average in descending order.`,
      `List every ${c.noun} with the average ${m.noun} of its ${many}, the highest average first.`,
    );
    const reference = `SELECT ${c.column}, AVG(${m.column}) FROM ${table} GROUP BY ${c.column} ORDER BY AVG(${m.column}) DESC`;
    return question(words, reference, { columns: [c.column, m.column], ordered: true, sortedBy: [m.column] });
  },
};

const largestGroup: Kind = {
  id: "largest-group",
  ask({ many, table, categories }, { random, say }) {
    const c = random.pick(categories);
    const words = say(
      `Which ${c.noun} has the most ${many}?`,
      `Find the ${c.noun} with the largest number of ${many}.`,
      `What is the most common ${c.noun} of the ${many}?`,
    );
    const reference = `SELECT ${c.column} FROM ${table} GROUP BY ${c.column} ORDER BY COUNT(*) DESC LIMIT 1`;
    return question(words, reference, { columns: [c.column] });
  },
};

export const GROUP_KINDS: readonly Kind[] = [
  groupCount,
  groupAggregate("group-sum", "total", "SUM"),
  groupAggregate("group-average", "average", "AVG"),
  groupAggregate("group-maximum", "highest", "MAX"),
  havingCount,
  havingAverage,
  groupOrder,
  largestGroup,
];
