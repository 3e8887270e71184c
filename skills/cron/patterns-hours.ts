/**
 * Patterns of hours: every so many hours, or each hour of a part of the day.
 */
import { areEven, drawHours, drawRising, HOUR_STEPS, type Pattern, span } from "./pattern.ts";
import { everyWords, listWords, pastWords } from "./words.ts";

const everyHours: Pattern = {
  id: "every-n-hours",
  kind: "hours",
  draw({ random, say }) {
    const step = random.pick(HOUR_STEPS);
    const start = say("", "", ", on the hour", ", starting at midnight", " around the clock", " day and night");
    return { when: `${everyWords(step, "hour", random)}${start}`, reference: `0 */${step} * * *` };
  },
};

const minuteOfEveryHours: Pattern = {
  id: "minute-of-every-n-hours",
  kind: "hours",
  draw({ random, say, at }) {
    const [step, minute] = [random.pick(HOUR_STEPS), random.pick([5, 10, 15, 20, 30, 40, 45, random.integer(1, 59)])];
    const every = everyWords(step, "hour", random);
    const when = say(
      `${every}, the first time at ${at({ hour: 0, minute })}`,
      `${every}, at minute ${minute}, starting in the hour after midnight`,
      `${every} each day, starting at ${at({ hour: 0, minute })}`,
    );
    return { when, reference: `${minute} */${step} * * *` };
  },
};

const hourlyInRange: Pattern = {
  id: "hourly-in-range",
  kind: "hours",
  draw({ random, say, hour }) {
    const [from, to] = drawHours(random, [2, 13]);
    const when = say(
      `every hour on the hour from ${hour(from)} to ${hour(to)}, every day`,
      `hourly from ${hour(from)} through ${hour(to)}`,
      `every day, once an hour, first at ${hour(from)} and last at ${hour(to)}`,
      `each hour between ${hour(from)} and ${hour(to)}, both included`,
    );
    return { when, reference: `0 ${from}-${to} * * *` };
  },
};

const minuteInHours: Pattern = {
  id: "minute-of-hours-in-range",
  kind: "hours",
  draw({ random, say, at }) {
    const [from, to] = drawHours(random, [2, 13]);
    const minute = random.pick([5, 10, 15, 20, 30, 30, 40, 45, 50, random.integer(1, 59)]);
    const [first, last] = [at({ hour: from, minute }), at({ hour: to, minute })];
    const past = pastWords(minute, random);
    const when = say(
      `every hour from ${first} to ${last}, every day`,
      `hourly from ${first} through ${last}`,
      `${past} each hour, first at ${first} and last at ${last}`,
      `every day, once an hour between ${first} and ${last}, both included`,
    );
    return { when, reference: `${minute} ${from}-${to} * * *` };
  },
};

const minutesInHours: Pattern = {
  id: "minutes-of-hours-in-range",
  kind: "hours",
  draw({ random, say, at }) {
    const [from, to] = drawHours(random, [2, 12]);
    const isTaken = (values: readonly number[]) => areEven(values) || values.join() === "0,30";
    const minutes = drawRising(random, { from: span(0, 55, 5), count: random.integer(2, 3) }, isTaken);
    const first = at({ hour: from, minute: minutes[0] as number });
    const last = at({ hour: to, minute: minutes.at(-1) as number });
    const list = listWords(minutes.map(String), random);
    const when = say(
      `at ${list} minutes past every hour from ${first} to ${last}`,
      `every day from ${first} through ${last}, at minutes ${list} of each hour`,
      `each hour at minutes ${list}, first at ${first} and last at ${last}`,
    );
    return { when, reference: `${minutes.join(",")} ${from}-${to} * * *` };
  },
};

const hourSteps: Pattern = {
  id: "every-n-hours-in-range",
  kind: "hours",
  draw({ random, say, hour }) {
    const step = random.pick([2, 2, 3, 3, 4, 5] as const);
    const count = random.integer(3, Math.min(6, Math.floor(22 / step)));
    const from = random.integer(1, 23 - (count - 1) * step);
    const to = from + (count - 1) * step;
    const every = everyWords(step, "hour", random);
    const when = say(
      `${every} from ${hour(from)} to ${hour(to)}, every day`,
      `every day, ${every}, first at ${hour(from)} and last at ${hour(to)}`,
      `${every} between ${hour(from)} and ${hour(to)}, both included`,
      `daily at ${hour(from)} and then ${every} until ${hour(to)}`,
    );
    return { when, reference: `0 ${from}-${to}/${step} * * *` };
  },
};

const hourlyOvernight: Pattern = {
  id: "hourly-overnight",
  kind: "hours",
  draw({ random, say, hour }) {
    const [from, to] = [random.integer(19, 23), random.integer(1, 7)];
    const when = say(
      `every hour on the hour through the night, from ${hour(from)} to ${hour(to)}`,
      `hourly overnight, from ${hour(from)} through ${hour(to)}`,
      `every night, once an hour, first at ${hour(from)} and last at ${hour(to)}`,
      `each hour from ${hour(from)} in one day until ${hour(to)} in the next, both included`,
    );
    return { when, reference: `0 ${from === 23 ? from : `${from}-23`},0-${to} * * *` };
  },
};

export const HOUR_PATTERNS: readonly Pattern[] = [
  everyHours,
  minuteOfEveryHours,
  hourlyInRange,
  minuteInHours,
  minutesInHours,
  hourSteps,
  hourlyOvernight,
];
