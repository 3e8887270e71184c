/**
 * Kinds that need a domain's second table.
 */
import * as conditions from "./conditions.ts";
import type { Domain, Parent } from "./domain.ts";
import { type Kind, type Question, question } from "./kind.ts";

function joinKind(id: string, ask: (d: Domain & { parent: Parent }, draw: conditions.Draw) => Question): Kind {
  return {
    id,
    ask: (domain, draw) => (domain.parent === undefined ? null : ask({ ...domain, parent: domain.parent }, draw)),
  };
}

function joined({ table, parent }: Domain & { parent: Parent }): string {
  return `${table} JOIN ${parent.table} ON ${table}.${parent.key} = ${parent.table}.id`;
}

const joinList = joinKind("join-list", (d, { say }) => {
  const { label, one, many, parent } = d;
  const words = say(
    `List the ${label.noun} of every ${one} and the ${parent.label.noun} of its ${parent.one}.`,
    `Show each ${one}'s ${label.noun} together with the ${parent.label.noun} of its ${parent.one}.`,
    `For all ${many}, give the ${label.noun} and the ${parent.label.noun} of the ${parent.one}.`,
  );
  return question(words, `SELECT ${label.column}, ${parent.label.column} FROM ${joined(d)}`, {
    columns: [label.column],
    parentColumns: [parent.label.column],
  });
});

const joinCategory = joinKind("join-category", (d, { say }) => {
  const { label, one, many, parent } = d;
  const words = say(
    `List the ${label.noun} of every ${one} and the ${parent.category.noun} of its ${parent.one}.`,
    `Show each ${one}'s ${label.noun} together with the ${parent.category.noun} of its ${parent.one}.`,
    `For all ${many}, give the ${label.noun} and the ${parent.category.noun} of the ${parent.one}.`,
  );
  return question(words, `SELECT ${label.column}, ${parent.category.column} FROM ${joined(d)}`, {
    columns: [label.column],
    parentColumns: [parent.category.column],
  });
});

const joinFilter = joinKind("join-filter", (d, draw) => {
  const { label, many, parent } = d;
  const c = draw.random.pick([parent.label, parent.category]);
  const value = draw.random.pick(c.values);
  const words = draw.say(
    `List the ${label.plural} of the ${many} whose ${parent.one} has the ${c.noun} ${value}.`,
    `Which ${many} belong to ${conditions.article(parent.one)} with the ${c.noun} ${value}? Return the ${label.plural}.`,
    `Show the ${label.plural} of all ${many} whose ${parent.one}'s ${c.noun} is ${value}.`,
  );
  const reference = `SELECT ${label.column} FROM ${joined(d)} WHERE ${c.column} = '${value}'`;
  return question(words, reference, {
    columns: [label.column],
    parentColumns: [c.column],
    focus: { [c.column]: [value] },
  });
});

const joinCount = joinKind("join-count", (d, { say }) => {
  const { many, parent } = d;
  const words = say(
    `For each ${parent.one} with at least one ${d.one}, show the ${parent.label.noun} and the number of ${many}.`,
    `Show the ${parent.label.noun} of every ${parent.one} that has ${many}, and how many ${many} it has.`,
    `How many ${many} are there for each ${parent.one}? Return the ${parent.label.noun} and the count, only where there are any.`,
  );
  const reference = `SELECT ${parent.label.column}, COUNT(*) FROM ${joined(d)} GROUP BY ${parent.label.column}`;
  return question(words, reference, { columns: [], parentColumns: [parent.label.column] });
});

const joinAverage = joinKind("join-average", (d, { random, say }) => {
  const { many, parent } = d;
  const m = random.pick(d.measures);
  const words = say(
    `For each ${parent.category.noun} of the ${parent.table}, show the ${parent.category.noun} and the average ${m.noun} of the ${many}.`,
    `What is the average ${m.noun} of the ${many} for each ${parent.category.noun} of their ${parent.one}? Return the ${parent.category.noun} and the average.`,
    `Show every ${parent.category.noun} of the ${parent.table} that have ${many}, with the average ${m.noun} of those ${many}.`,
  );
  const reference = `SELECT ${parent.category.column}, AVG(${m.column}) FROM ${joined(d)} GROUP BY ${parent.category.column}`;
  return question(words, reference, { columns: [m.column], parentColumns: [parent.category.column] });
});

const joinSum = joinKind("join-sum", (d, { random, say }) => {
  const { many, parent } = d;
  const m = random.pick(d.measures.filter((one) => one.isAdditive));
  const value = random.pick(parent.category.values);
  const words = say(
    `What is the total ${m.noun} of the ${many} whose ${parent.one} has the ${parent.category.noun} ${value}?`,
    `Add up the ${m.noun} of all ${many} whose ${parent.one}'s ${parent.category.noun} is ${value}.`,
    `Calculate the total ${m.noun} over the ${many} that belong to ${conditions.article(parent.one)} with the ${parent.category.noun} ${value}.`,
  );
  const reference = `SELECT SUM(${m.column}) FROM ${joined(d)} WHERE ${parent.category.column} = '${value}'`;
  return question(words, reference, {
    columns: [m.column],
    parentColumns: [parent.category.column],
    focus: { [parent.category.column]: [value] },
  });
});

export const JOIN_KINDS: readonly Kind[] = [joinList, joinCategory, joinFilter, joinCount, joinAverage, joinSum];
