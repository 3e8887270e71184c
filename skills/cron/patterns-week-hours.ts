/**
 * Patterns of a week that fire several times within a day: every so often on weekdays, on weekends or on one day.
 */
import { drawHours, drawRising, HOUR_STEPS, MINUTE_STEPS, type Pattern, span } from "./pattern.ts";
import { everyWords, listWords, pastWords, weekdayWords } from "./words.ts";

const MINUTES = [0, 0, 0, 15, 30, 45, 5, 10, 20, 40, 50];

const weekdaysEveryMinutes: Pattern = {
  id: "weekdays-every-n-minutes",
  kind: "week",
  draw({ random, say }) {
    const step = random.pick(MINUTE_STEPS);
    const every = everyWords(step, "minute", random);
    const when = say(
      `${every} on weekdays`,
      `${every}, Monday to Friday`,
      `on weekdays, ${every} all day`,
      `${every} from Monday through Friday, day and night`,
      `${every}, but only on working days (Monday to Friday)`,
    );
    return { when, reference: `*/${step} * * * 1-5` };
  },
};

const weekdaysEveryHours: Pattern = {
  id: "weekdays-every-n-hours",
  kind: "week",
  draw({ random, say }) {
    const step = random.pick(HOUR_STEPS);
    const every = everyWords(step, "hour", random);
    const start = say("", "", ", starting at midnight", ", on the hour");
    const when = say(
      `${every} on weekdays${start}`,
      `on weekdays, ${every}${start}`,
      `${every}, Monday to Friday${start}`,
      `from Monday through Friday, ${every}${start}`,
    );
    return { when, reference: `0 */${step} * * 1-5` };
  },
};

const weekdaysMinutesInHours: Pattern = {
  id: "weekdays-every-n-minutes-in-hours",
  kind: "week",
  draw({ random, say, at, hour }) {
    const step = random.pick(MINUTE_STEPS);
    const [from, to] = drawHours(random, [1, 12]);
    const [every, last] = [everyWords(step, "minute", random), at({ hour: to, minute: 60 - step })];
    const when = say(
      `on weekdays, ${every} from ${hour(from)} to ${last}`,
      `${every} from ${hour(from)} through ${last}, Monday to Friday`,
      `every weekday, ${every}, first at ${hour(from)} and last at ${last}`,
    );
    return { when, reference: `*/${step} ${from}-${to} * * 1-5` };
  },
};

const weekdaysHourly: Pattern = {
  id: "weekdays-hourly-in-range",
  kind: "week",
  draw({ random, say, hour }) {
    const [from, to] = drawHours(random, [2, 13]);
    const when = say(
      `on weekdays, every hour from ${hour(from)} to ${hour(to)}`,
      `hourly from ${hour(from)} through ${hour(to)}, Monday to Friday`,
      `every weekday once an hour, first at ${hour(from)} and last at ${hour(to)}`,
      `each hour between ${hour(from)} and ${hour(to)}, both included, from Monday to Friday`,
    );
    return { when, reference: `0 ${from}-${to} * * 1-5` };
  },
};

const weekdaysTwice: Pattern = {
  id: "weekdays-twice-a-day",
  kind: "week",
  draw({ random, say, at }) {
    const hours = drawRising(random, { from: span(0, 23), count: 2 });
    const minute = random.pick(MINUTES);
    const list = listWords(
      hours.map((hour) => at({ hour, minute })),
      random,
    );
    const when = say(
      `on weekdays at ${list}`,
      `twice every weekday, at ${list}`,
      `at ${list}, Monday to Friday`,
      `from Monday through Friday at ${list}`,
    );
    return { when, reference: `${minute} ${hours.join(",")} * * 1-5` };
  },
};

const weekendsHourSteps: Pattern = {
  id: "weekends-every-n-hours-in-range",
  kind: "week",
  draw({ random, say, hour }) {
    const step = random.pick([2, 2, 3, 3, 4] as const);
    const count = random.integer(3, Math.min(6, Math.floor(22 / step)));
    const from = random.integer(1, 23 - (count - 1) * step);
    const to = from + (count - 1) * step;
    const every = everyWords(step, "hour", random);
    const when = say(
      `on Saturdays and Sundays, ${every} from ${hour(from)} to ${hour(to)}`,
      `${every} from ${hour(from)} through ${hour(to)} on weekend days`,
      `on both days of the weekend, ${every}, first at ${hour(from)} and last at ${hour(to)}`,
    );
    return { when, reference: `0 ${from}-${to}/${step} * * 0,6` };
  },
};

const weekendsEveryMinutes: Pattern = {
  id: "weekends-every-n-minutes",
  kind: "week",
  draw({ random, say }) {
    const step = random.pick(MINUTE_STEPS);
    const every = everyWords(step, "minute", random);
    const when = say(
      `${every} on Saturdays and Sundays`,
      `on weekend days, ${every}`,
      `${every} all weekend, Saturday and Sunday`,
      `on Saturday and Sunday, ${every} around the clock`,
    );
    return { when, reference: `*/${step} * * * 0,6` };
  },
};

const weeklyHourly: Pattern = {
  id: "weekly-minute-of-every-hour",
  kind: "week",
  draw({ random, say }) {
    const [weekday, minute] = [random.integer(0, 6), random.pick([0, 0, ...span(5, 55, 5), random.integer(1, 59)])];
    const name = weekdayWords(weekday);
    const hourly = minute === 0 ? "every hour on the hour" : `${pastWords(minute, random)} every hour`;
    const when = say(
      `on ${name}s, ${hourly}`,
      `every ${name}, ${hourly}`,
      `${hourly} on ${name}s`,
      `all ${name}, ${hourly}`,
    );
    return { when, reference: `${minute} * * * ${weekday}` };
  },
};

const weeklyMinutesInHour: Pattern = {
  id: "weekly-every-n-minutes-in-hour",
  kind: "week",
  draw({ random, say, at, hour: o }) {
    const [weekday, hour, step] = [random.integer(0, 6), random.integer(0, 23), random.pick(MINUTE_STEPS)];
    const name = weekdayWords(weekday);
    const [every, last] = [everyWords(step, "minute", random), at({ hour, minute: 60 - step })];
    const when = say(
      `every ${name}, ${every} from ${o(hour)} to ${last}`,
      `on ${name}s ${every}, first at ${o(hour)} and last at ${last}`,
      `${every} from ${o(hour)} through ${last} on ${name}s`,
    );
    return { when, reference: `*/${step} ${hour} * * ${weekday}` };
  },
};

export const WEEK_HOUR_PATTERNS: readonly Pattern[] = [
  weekdaysEveryMinutes,
  weekdaysEveryHours,
  weekdaysMinutesInHours,
  weekdaysHourly,
  weekdaysTwice,
  weekendsHourSteps,
  weekendsEveryMinutes,
  weeklyHourly,
  weeklyMinutesInHour,
];
