/**
 * Reads five cron fields into the values that they stand for, and says what is wrong with a text that is not five
 * fields. What is allowed is what every cron has: numbers, names, lists, ranges, and steps of `*` or of a range.
 * Does not know when a schedule fires.
 */
import type { FailureMode } from "./manifest.ts";

/** Whether a field takes a value, by the value. */
export type Values = readonly boolean[];

export interface Fields {
  minutes: Values;
  hours: Values;
  days: Values;
  months: Values;
  /** Sunday is 0, whether it was written 0 or 7. */
  weekdays: Values;
  /** Whether the field is a plain `*`: only where neither is, a day needs to match just one of the two. */
  isAnyDay: boolean;
  isAnyWeekday: boolean;
}

export interface Objection {
  failureMode: FailureMode;
  reason: string;
}

/** The five fields with single spaces between them, and their values. */
export interface Schedule {
  text: string;
  fields: Fields;
}

interface FieldRule {
  name: string;
  low: number;
  high: number;
  /** How many different values there are: the largest step. */
  count: number;
  names: readonly string[];
  firstName: number;
}

/** Units: UTF-16 code units; five fields with every value written out have 352. */
export const MAX_LENGTH = 400;

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split(" ");

const RULES: readonly FieldRule[] = [
  { name: "minute", low: 0, high: 59, count: 60, names: [], firstName: 0 },
  { name: "hour", low: 0, high: 23, count: 24, names: [], firstName: 0 },
  { name: "day of month", low: 1, high: 31, count: 31, names: [], firstName: 0 },
  { name: "month", low: 1, high: 12, count: 12, names: MONTHS, firstName: 1 },
  { name: "day of week", low: 0, high: 7, count: 7, names: WEEKDAYS, firstName: 0 },
];

/** `?`, Quartz's `L`, `W` and `#`, an `AND` by `+`, Jenkins' `H`, a random value by `~`: no plain cron has them. */
const EXTENSION = /^(\?|L(W|-\d+)?|\d+W|(\d|[A-Z]{3})L|\w+#\w+|\+.*|H(\(.*\))?(\/\d+)?|.*~.*)$/i;
const FIELD_LIKE = /^[\d*?][\w*?/,#-]*$/;

/** Reads a schedule, in time that its length bounds. */
export function readSchedule(expression: string): Schedule | Objection {
  if (expression.length > MAX_LENGTH) return forbidden(`it is longer than ${MAX_LENGTH} characters`);
  const words = expression.split(/[ \t]+/).filter((word) => word !== "");
  const [first = ""] = words;
  if (first.startsWith("@")) return forbidden(`nicknames such as ${first} are not allowed`);
  if (words.length < 5) return { failureMode: "parse", reason: `${words.length} of the 5 fields` };
  if (words.length > 5) {
    return words.every((word) => FIELD_LIKE.test(word))
      ? forbidden(`${words.length} fields: there are five, without seconds and years`)
      : forbidden("there is more behind the five fields, as a crontab line has a command there");
  }
  const read: Values[] = [];
  for (const [i, word] of words.entries()) {
    const values = readField(word, RULES[i] as FieldRule);
    if ("failureMode" in values) return values;
    read.push(values);
  }
  const [minutes, hours, days, months, week] = read as [Values, Values, Values, Values, Values];
  const weekdays = [week[0] === true || week[7] === true, ...week.slice(1, 7)];
  const isAny = { isAnyDay: words[2] === "*", isAnyWeekday: words[4] === "*" };
  return { text: words.join(" "), fields: { minutes, hours, days, months, weekdays, ...isAny } };
}

function readField(text: string, rule: FieldRule): Values | Objection {
  const taken = new Array<boolean>(rule.high + 1).fill(false);
  for (const item of text.split(",")) {
    const values = readItem(item, rule);
    if (typeof values === "string") {
      if (EXTENSION.test(item)) return forbidden(`${item} in the ${rule.name} field is not of plain cron`);
      return { failureMode: "parse", reason: `${rule.name} "${text}": ${values}` };
    }
    for (let value = values.low; value <= values.high; value += values.step) taken[value] = true;
  }
  return taken;
}

/** One member of a list, or why it is none. */
function readItem(item: string, rule: FieldRule): { low: number; high: number; step: number } | string {
  const [, from, to, stepText] = /^(\*|\w+)(?:-(\w+))?(?:\/(\w+))?$/.exec(item) ?? [];
  if (from === undefined || (from === "*" && to !== undefined)) return "not a value, a range or a step";
  const isSpan = from === "*" || to !== undefined;
  if (stepText !== undefined && !isSpan) return "a step needs * or a range before it";
  const low = from === "*" ? rule.low : numberOf(from, rule);
  const high = from === "*" ? rule.high : to === undefined ? low : endOf(to, rule);
  const step = stepText === undefined ? 1 : /^\d{1,2}$/.test(stepText) ? Number(stepText) : Number.NaN;
  if (Number.isNaN(low) || Number.isNaN(high)) return `values are from ${rule.low} to ${rule.high}`;
  if (low > high) return "the range ends before it begins";
  if (!(step >= 1 && step <= rule.count)) return `steps are from 1 to ${rule.count}`;
  return { low, high, step };
}

/** NaN where the text is no value of the field. */
function numberOf(text: string, rule: FieldRule): number {
  const name = rule.names.indexOf(text.toUpperCase());
  if (name !== -1) return name + rule.firstName;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= rule.low && value <= rule.high ? value : Number.NaN;
}

/** The end of a range: Sunday by name is the last day of the week there. */
function endOf(text: string, rule: FieldRule): number {
  return rule.names === WEEKDAYS && text.toUpperCase() === "SUN" ? 7 : numberOf(text, rule);
}

function forbidden(reason: string): Objection {
  return { failureMode: "forbidden", reason };
}
