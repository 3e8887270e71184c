/**
 * Patterns of a month: on certain days of every month. Days after the 28th are left out, as not every month has them;
 * a day of the month never meets a day of the week, as cron takes the two together to mean "or".
 */
import { areEven, drawHours, drawRising, drawTime, HOUR_STEPS, type Pattern, span } from "./pattern.ts";
import { everyWords, listWords, numberWords, ordinalWords } from "./words.ts";

const monthlyFirst: Pattern = {
  id: "first-of-the-month",
  kind: "month",
  draw({ random, say, at }) {
    const time = drawTime(random);
    const when = say(
      `on the first day of every month at ${at(time)}`,
      `on the 1st of each month at ${at(time)}`,
      `at ${at(time)} on the first of the month, every month`,
      `monthly, on the first day at ${at(time)}`,
      `every month on day 1 at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} 1 * *` };
  },
};

const monthly: Pattern = {
  id: "day-of-the-month",
  kind: "month",
  draw({ random, say, at }) {
    const [time, day] = [drawTime(random), random.integer(2, 28)];
    const nth = ordinalWords(day, random);
    const when = say(
      `on the ${nth} of every month at ${at(time)}`,
      `at ${at(time)} on the ${nth} day of each month`,
      `monthly on the ${nth} at ${at(time)}`,
      `every month on day ${day} at ${at(time)}`,
      `once a month, on the ${nth}, at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} ${day} * *` };
  },
};

const twiceMonthly: Pattern = {
  id: "days-of-the-month",
  kind: "month",
  draw({ random, say, at }) {
    const days = drawRising(random, { from: span(1, 28), count: random.pick([2, 2, 3]) }, areEven);
    const time = drawTime(random);
    const list = listWords(
      days.map((day) => ordinalWords(day, random)),
      random,
    );
    const times = days.length === 2 ? "twice" : "three times";
    const when = say(
      `on the ${list} of every month at ${at(time)}`,
      `${times} a month, on the ${list}, at ${at(time)}`,
      `at ${at(time)} on days ${listWords(days.map(String), random)} of each month`,
      `every month on the ${list} at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} ${days.join(",")} * *` };
  },
};

const dayRange: Pattern = {
  id: "day-range-of-the-month",
  kind: "month",
  draw({ random, say, at }) {
    const length = random.integer(3, 12);
    const from = random.pick([1, random.integer(2, 29 - length)]);
    const to = from + length - 1;
    const [first, last] = [ordinalWords(from, random), ordinalWords(to, random)];
    const time = drawTime(random);
    const plain = say(
      `from the ${first} to the ${last} of every month at ${at(time)}`,
      `at ${at(time)} on each of the days ${from} through ${to} of the month`,
      `every month, daily at ${at(time)} from the ${first} through the ${last}`,
    );
    const edge = `on the first ${numberWords(length, random)} days of every month at ${at(time)}`;
    return {
      when: from === 1 && random.next() < 0.6 ? edge : plain,
      reference: `${time.minute} ${time.hour} ${from}-${to} * *`,
    };
  },
};

const oddOrEvenDays: Pattern = {
  id: "odd-or-even-days",
  kind: "month",
  draw({ random, say, at }) {
    const [time, isOdd] = [drawTime(random), random.next() < 0.5];
    const parity = isOdd ? "odd" : "even";
    const list = isOdd ? "1st, 3rd, 5th" : "2nd, 4th, 6th";
    const when = say(
      `on ${parity} days of the month at ${at(time)}`,
      `at ${at(time)} on every day of the month with ${isOdd ? "an odd" : "an even"} number`,
      `on all ${parity}-numbered dates at ${at(time)}`,
      `at ${at(time)} on the ${list} and so on of every month`,
    );
    return { when, reference: `${time.minute} ${time.hour} ${isOdd ? "1-31/2" : "2-30/2"} * *` };
  },
};

const everyDays: Pattern = {
  id: "every-n-days-of-the-month",
  kind: "month",
  draw({ random, say, at }) {
    const [time, step] = [drawTime(random), random.pick([3, 4, 5, 6, 7, 10])];
    const listed = [1, 1 + step, 1 + 2 * step].map((day) => ordinalWords(day, random));
    const when = say(
      `${everyWords(step, "day", random)} at ${at(time)}, counted from the 1st of each month`,
      `at ${at(time)} on the ${listed.join(", ")} and so on of every month`,
      `every month, ${everyWords(step, "day", random)} at ${at(time)}, beginning on the 1st`,
    );
    return { when, reference: `${time.minute} ${time.hour} 1-31/${step} * *` };
  },
};

const monthlyEveryHours: Pattern = {
  id: "day-of-the-month-every-n-hours",
  kind: "month",
  draw({ random, say }) {
    const [day, step] = [random.integer(1, 28), random.pick(HOUR_STEPS)];
    const [nth, every] = [ordinalWords(day, random), everyWords(step, "hour", random)];
    const when = say(
      `on the ${nth} of every month, ${every}`,
      `${every} on the ${nth} day of each month`,
      `every month on day ${day}, ${every} from midnight on`,
      `${every}, only on the ${nth} of the month`,
    );
    return { when, reference: `0 */${step} ${day} * *` };
  },
};

const monthlyHourly: Pattern = {
  id: "day-of-the-month-hourly-in-range",
  kind: "month",
  draw({ random, say, hour }) {
    const day = random.integer(1, 28);
    const [from, to] = drawHours(random, [2, 13]);
    const nth = ordinalWords(day, random);
    const when = say(
      `on the ${nth} of every month, hourly from ${hour(from)} to ${hour(to)}`,
      `every hour from ${hour(from)} through ${hour(to)} on the ${nth} of each month`,
      `every month on day ${day}, once an hour, first at ${hour(from)} and last at ${hour(to)}`,
    );
    return { when, reference: `0 ${from}-${to} ${day} * *` };
  },
};

export const MONTH_PATTERNS: readonly Pattern[] = [
  monthlyFirst,
  monthly,
  twiceMonthly,
  dayRange,
  oddOrEvenDays,
  everyDays,
  monthlyEveryHours,
  monthlyHourly,
];
