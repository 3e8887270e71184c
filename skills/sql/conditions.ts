/**
 * Conditions on the rows of a domain's table, each as words that follow the rows' name ("books whose price is
 * above 20") and as SQL. The literals are chosen so that some rows meet them and some do not.
 */
import type { Random } from "../../src/foundation/random.ts";
import { addDays, sqlLiteral } from "./contents.ts";
import type { DateColumn, Domain, NumberColumn, TextColumn } from "./domain.ts";
import type { Literal } from "./task-detail.ts";

/** What a question is made with: chance, and the wording whose turn it is. */
export interface Draw {
  random: Random;
  say(...wordings: string[]): string;
}

export interface Condition {
  words: string;
  sql: string;
  columns: string[];
  /** Values that a content should hold often: those at the condition's edge. */
  focus: Record<string, Literal[]>;
}

function condition(column: string, [words, sql]: [string, string], focus: Literal[]): Condition {
  return { words, sql, columns: [column], focus: { [column]: focus } };
}

/** Rows with one value. */
export function equalTo(c: TextColumn, { random, say }: Draw): Condition {
  const value = random.pick(c.values);
  const words = say(
    `whose ${c.noun} is ${value}`,
    `with the ${c.noun} ${value}`,
    `that have ${value} as their ${c.noun}`,
  );
  return condition(c.column, [words, `${c.column} = ${sqlLiteral(value)}`], [value]);
}

/** Rows with another value than one; a missing one is not another. */
export function differentFrom(c: TextColumn, { random, say }: Draw): Condition {
  const value = random.pick(c.values);
  const words = say(
    `whose ${c.noun} is not ${value}`,
    `with any ${c.noun} except ${value}`,
    `whose ${c.noun} is something other than ${value}`,
  );
  return condition(c.column, [words, `${c.column} <> ${sqlLiteral(value)}`], [value]);
}

/** Rows with either of two values. */
export function oneOf(c: TextColumn, { random, say }: Draw): Condition {
  const [first = "", second = ""] = random.sample(c.values, 2);
  const words = say(
    `whose ${c.noun} is either ${first} or ${second}`,
    `with ${first} or ${second} as their ${c.noun}`,
    `whose ${c.noun} is one of ${first} and ${second}`,
  );
  return condition(c.column, [words, `${c.column} IN (${sqlLiteral(first)}, ${sqlLiteral(second)})`], [first, second]);
}

/** Rows with more than a number. */
export function above(m: NumberColumn, { random, say }: Draw): Condition {
  const value = middle(m, random);
  const words = say(
    `whose ${m.noun} is greater than ${value}`,
    `with ${article(m.noun)} above ${value}`,
    `whose ${m.noun} is more than ${value}`,
  );
  return condition(m.column, [words, `${m.column} > ${value}`], edge(m, value));
}

/** Rows with less than a number. */
export function below(m: NumberColumn, { random, say }: Draw): Condition {
  const value = middle(m, random);
  const words = say(
    `whose ${m.noun} is less than ${value}`,
    `with ${article(m.noun)} below ${value}`,
    `whose ${m.noun} is under ${value}`,
  );
  return condition(m.column, [words, `${m.column} < ${value}`], edge(m, value));
}

/** Rows with a number or more. */
export function atLeast(m: NumberColumn, { random, say }: Draw): Condition {
  const value = middle(m, random);
  const words = say(
    `whose ${m.noun} is at least ${value}`,
    `with ${article(m.noun)} of ${value} or more`,
    `whose ${m.noun} is greater than or equal to ${value}`,
  );
  return condition(m.column, [words, `${m.column} >= ${value}`], edge(m, value));
}

/** Rows from one number to another, both included. */
export function between(m: NumberColumn, { random, say }: Draw): Condition {
  const low = round(m, m.low + (m.high - m.low) * (0.2 + 0.2 * random.next()));
  const high = round(m, m.low + (m.high - m.low) * (0.6 + 0.2 * random.next()));
  const words = say(
    `whose ${m.noun} is between ${low} and ${high}`,
    `with ${article(m.noun)} from ${low} to ${high}`,
    `whose ${m.noun} lies between ${low} and ${high}, both included`,
  );
  return condition(m.column, [words, `${m.column} BETWEEN ${low} AND ${high}`], [...edge(m, low), ...edge(m, high)]);
}

/** Rows later than a day. */
export function after(d: DateColumn, { random, say }: Draw): Condition {
  const value = middleDay(d, random);
  const words = say(
    `whose ${d.noun} is after ${value}`,
    `with ${article(d.noun)} later than ${value}`,
    `whose ${d.noun} is later than ${value}`,
  );
  return condition(d.column, [words, `${d.column} > '${value}'`], [value, addDays(value, 1), addDays(value, -1)]);
}

/** Rows earlier than a day. */
export function before(d: DateColumn, { random, say }: Draw): Condition {
  const value = middleDay(d, random);
  const words = say(
    `whose ${d.noun} is before ${value}`,
    `with ${article(d.noun)} earlier than ${value}`,
    `whose ${d.noun} is earlier than ${value}`,
  );
  return condition(d.column, [words, `${d.column} < '${value}'`], [value, addDays(value, 1), addDays(value, -1)]);
}

/** Rows of one year. */
export function inYear(d: DateColumn, { random, say }: Draw): Condition {
  const year = random.integer(d.firstYear, d.lastYear);
  const words = say(
    `whose ${d.noun} is in ${year}`,
    `with ${article(d.noun)} in the year ${year}`,
    `whose ${d.noun} falls in ${year}`,
  );
  const focus = [`${year}-01-01`, `${year}-12-31`, `${year}-06-15`, `${year - 1}-12-31`, `${year + 1}-01-01`];
  return condition(d.column, [words, `YEAR(${d.column}) = ${year}`], focus);
}

/** A first letter that some names have and some have not; one name has it later on. */
export function startsWith(c: TextColumn, { random, say }: Draw): Condition {
  const letters = new Set(c.values.map((value) => value.charAt(0)));
  const count = (letter: string) => c.values.filter((value) => value.startsWith(letter)).length;
  const best = [...letters].filter((letter) => count(letter) >= 2);
  const letter = random.pick(best.length > 0 ? best : [...letters]);
  const words = say(
    `whose ${c.noun} starts with ${letter}`,
    `whose ${c.noun} begins with the letter ${letter}`,
    `with ${article(c.noun)} that starts with '${letter}'`,
  );
  const [match = "", ...matches] = c.values.filter((value) => value.startsWith(letter));
  const other = c.values.find((value) => !value.includes(letter)) ?? "";
  return condition(
    c.column,
    [words, `${c.column} LIKE '${letter}%'`],
    [match, ...matches.slice(0, 2), `${other} ${match}`],
  );
}

/** A word, or a few letters, that several names share in one spelling: upper and lower case make no difference. */
export function contains(c: TextColumn, { random, say }: Draw): Condition {
  const parts = c.values
    .flatMap((value) => value.split(/[ -]/).map((word) => word.slice(0, 5)))
    .filter((part) => part.length >= 3);
  const letters = c.values.map((value) => value.slice(1, 3));
  const isPlain = (part: string) =>
    sharing(c, part).length >= 2 && sharing(c, part).every((value) => value.includes(part));
  const choices = [...new Set(parts)].filter(isPlain);
  const part = random.pick(choices.length > 0 ? choices : [...new Set(letters)].filter(isPlain));
  const words = say(
    `whose ${c.noun} contains '${part}'`,
    `with '${part}' in their ${c.noun}`,
    `whose ${c.noun} includes the text '${part}'`,
  );
  const matches = sharing(c, part);
  const other = c.values.find((value) => !matches.includes(value)) ?? "";
  return condition(c.column, [words, `${c.column} LIKE '%${part}%'`], [...matches.slice(0, 3), `${other} ${part}`]);
}

/** Rows without a value. */
export function missing(c: TextColumn, { say }: Draw): Condition {
  const words = say(`that have no ${c.noun}`, `whose ${c.noun} is missing`, `without any ${c.noun}`);
  return condition(c.column, [words, `${c.column} IS NULL`], []);
}

/** Rows with any value. */
export function present(c: TextColumn, { say }: Draw): Condition {
  const words = say(
    `that have ${article(c.noun)}`,
    `whose ${c.noun} is not missing`,
    `for which ${article(c.noun)} is recorded`,
  );
  return condition(c.column, [words, `${c.column} IS NOT NULL`], []);
}

/** Joins two conditions by `and` or `or`. */
export function both(first: Condition, link: "and" | "or", second: Condition): Condition {
  return {
    words: `${first.words} ${link} ${second.words}`,
    sql: `${first.sql} ${link.toUpperCase()} ${second.sql}`,
    columns: [...first.columns, ...second.columns],
    focus: { ...first.focus, ...second.focus },
  };
}

/** Any simple condition that does not touch the given columns. */
export function anyCondition(domain: Domain, draw: Draw, without: readonly string[] = []): Condition {
  const makers = [
    ...domain.categories.filter((c) => !without.includes(c.column)).map((c) => () => equalTo(c, draw)),
    ...domain.measures
      .filter((m) => !without.includes(m.column))
      .map((m) => () => draw.random.pick([above, below])(m, draw)),
  ];
  return draw.random.pick(makers)();
}

/** A noun with `a` or `an` before it. */
export function article(noun: string): string {
  return `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`;
}

function sharing(c: TextColumn, part: string): string[] {
  return c.values.filter((value) => value.toLowerCase().includes(part.toLowerCase()));
}

/** A round number in the middle third of a column's range. */
export function middle(m: NumberColumn, random: Random): number {
  return round(m, m.low + (m.high - m.low) * (0.35 + 0.3 * random.next()));
}

/** Rounds to two digits of the range's own size, but never finer than the column's step. */
function round(m: NumberColumn, value: number): number {
  const grain = Math.max(m.step, 10 ** (Math.floor(Math.log10(m.high - m.low)) - 1));
  return Number((Math.round(value / grain) * grain).toFixed(2));
}

function edge(m: NumberColumn, value: number): number[] {
  return [value, Number((value + m.step).toFixed(2)), Number((value - m.step).toFixed(2))];
}

function middleDay(d: DateColumn, random: Random): string {
  const years = d.lastYear - d.firstYear;
  const year = d.firstYear + Math.round(years * (0.3 + 0.4 * random.next()));
  return `${year}-${pad(random.integer(1, 12))}-${pad(random.integer(1, 28))}`;
}

function pad(n: number): string {
  return String(n).padStart(2, "0");
}
