/**
 * Patterns of a year: one day or several days of certain months.
 */
import { areEven, drawRising, drawTime, type Pattern, span } from "./pattern.ts";
import { everyWords, listWords, monthWords, ordinalWords } from "./words.ts";

const MONTHS = span(1, 12);

const yearly: Pattern = {
  id: "yearly",
  kind: "year",
  draw({ random, say, at }) {
    const [time, day, month] = [drawTime(random), random.integer(1, 28), random.integer(1, 12)];
    const [name, nth] = [monthWords(month), ordinalWords(day, random)];
    const when = say(
      `every year on ${day} ${name} at ${at(time)}`,
      `once a year, on ${name} ${day}, at ${at(time)}`,
      `at ${at(time)} on the ${nth} of ${name}`,
      `yearly on ${name} ${day} at ${at(time)}`,
      `each ${day} ${name} at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} ${day} ${month} *` };
  },
};

const quarterly: Pattern = {
  id: "quarterly",
  kind: "year",
  draw({ random, say, at }) {
    const [time, day] = [drawTime(random), random.pick([1, 1, 1, random.integer(2, 28)])];
    const nth = ordinalWords(day, random);
    const months = "January, April, July and October";
    const first = say(
      `on the first day of every quarter at ${at(time)}`,
      `quarterly, on the first day of the quarter at ${at(time)}`,
      `at ${at(time)} on the day on which a quarter of the year begins`,
    );
    const plain = say(
      `on the ${nth} of ${months} at ${at(time)}`,
      `quarterly, on the ${nth} of the quarter's first month, at ${at(time)}`,
      `every three months on the ${nth} at ${at(time)}, beginning in January`,
      `at ${at(time)} on the ${nth} of the first month of each quarter`,
    );
    return {
      when: day === 1 && random.next() < 0.6 ? first : plain,
      reference: `${time.minute} ${time.hour} ${day} */3 *`,
    };
  },
};

const everyMonths: Pattern = {
  id: "every-n-months",
  kind: "year",
  draw({ random, say, at }) {
    const [time, day, step] = [drawTime(random), random.integer(1, 28), random.pick([2, 2, 4, 6])];
    const [nth, every] = [ordinalWords(day, random), everyWords(step, "month", random)];
    const when = say(
      `${every}, beginning in January, on the ${nth} at ${at(time)}`,
      `on the ${nth} at ${at(time)}, ${every} from January on`,
      `at ${at(time)} on the ${nth} of ${listWords(span(1, 12, step).map(monthWords), random)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} ${day} */${step} *` };
  },
};

const monthList: Pattern = {
  id: "month-list",
  kind: "year",
  draw({ random, say, at }) {
    const isTaken = (values: readonly number[]) => areEven(values) || values.join() === "1,7";
    const months = drawRising(random, { from: MONTHS, count: random.integer(2, 3) }, isTaken);
    const [time, day] = [drawTime(random), random.integer(1, 28)];
    const [nth, list] = [ordinalWords(day, random), listWords(months.map(monthWords), random)];
    const when = say(
      `on the ${nth} of ${list} at ${at(time)}`,
      `at ${at(time)} on day ${day} of ${list}`,
      `every year in ${list}, on the ${nth} at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} ${day} ${months.join(",")} *` };
  },
};

const monthlyInRange: Pattern = {
  id: "day-of-months-in-range",
  kind: "year",
  draw({ random, say, at }) {
    const [from, to] = drawMonths(random.integer(3, 9), random.integer(0, 99));
    const [time, day] = [drawTime(random), random.integer(1, 28)];
    const [nth, first, last] = [ordinalWords(day, random), monthWords(from), monthWords(to)];
    const when = say(
      `on the ${nth} of each month from ${first} to ${last} at ${at(time)}`,
      `monthly on the ${nth} at ${at(time)}, but only from ${first} through ${last}`,
      `at ${at(time)} on day ${day} of every month between ${first} and ${last}, both included`,
    );
    return { when, reference: `${time.minute} ${time.hour} ${day} ${from}-${to} *` };
  },
};

const dailyInMonth: Pattern = {
  id: "daily-in-one-month",
  kind: "year",
  draw({ random, say, at }) {
    const [time, month] = [drawTime(random), random.integer(1, 12)];
    const name = monthWords(month);
    const when = say(
      `every day in ${name} at ${at(time)}`,
      `daily at ${at(time)}, only in ${name}`,
      `at ${at(time)} on each day of ${name}`,
      `all through ${name}, once a day at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * ${month} *` };
  },
};

const dailyInMonths: Pattern = {
  id: "daily-in-month-range",
  kind: "year",
  draw({ random, say, at }) {
    const [from, to] = drawMonths(random.integer(2, 9), random.integer(0, 99));
    const [time, first, last] = [drawTime(random), monthWords(from), monthWords(to)];
    const when = say(
      `every day from ${first} to ${last} at ${at(time)}`,
      `daily at ${at(time)}, ${first} through ${last}`,
      `at ${at(time)} each day of the months ${first} to ${last}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * ${from}-${to} *` };
  },
};

export const YEAR_PATTERNS: readonly Pattern[] = [
  yearly,
  quarterly,
  everyMonths,
  monthList,
  monthlyInRange,
  dailyInMonth,
  dailyInMonths,
];

/** A range of `length` months; `place` says which one. */
export function drawMonths(length: number, place: number): [number, number] {
  const from = 1 + (place % (13 - length));
  return [from, from + length - 1];
}
