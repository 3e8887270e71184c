/**
 * Patterns of a week within a part of the year, and of minutes and hours within one month.
 */
import { drawTime, HOUR_STEPS, MINUTE_STEPS, type Pattern } from "./pattern.ts";
import { drawMonths } from "./patterns-year.ts";
import { everyWords, monthWords, weekdayWords } from "./words.ts";

const weekdaysInMonth: Pattern = {
  id: "weekdays-in-one-month",
  kind: "year",
  draw({ random, say, at }) {
    const [time, month] = [drawTime(random), random.integer(1, 12)];
    const name = monthWords(month);
    const when = say(
      `on weekdays in ${name} at ${at(time)}`,
      `at ${at(time)} from Monday to Friday, only in ${name}`,
      `every weekday of ${name} at ${at(time)}`,
      `in ${name}, Monday through Friday at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * ${month} 1-5` };
  },
};

const weekendsInMonth: Pattern = {
  id: "weekends-in-one-month",
  kind: "year",
  draw({ random, say, at }) {
    const [time, month] = [drawTime(random), random.integer(1, 12)];
    const name = monthWords(month);
    const when = say(
      `on Saturdays and Sundays in ${name} at ${at(time)}`,
      `at ${at(time)} on every weekend day of ${name}`,
      `in ${name}, each Saturday and each Sunday at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * ${month} 0,6` };
  },
};

const weeklyInMonths: Pattern = {
  id: "weekly-in-month-range",
  kind: "year",
  draw({ random, say, at }) {
    const [from, to] = drawMonths(random.integer(2, 9), random.integer(0, 99));
    const [time, weekday] = [drawTime(random), random.integer(0, 6)];
    const [name, first, last] = [weekdayWords(weekday), monthWords(from), monthWords(to)];
    const when = say(
      `every ${name} from ${first} to ${last} at ${at(time)}`,
      `on ${name}s at ${at(time)}, ${first} through ${last}`,
      `at ${at(time)} each ${name} of the months ${first} to ${last}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * ${from}-${to} ${weekday}` };
  },
};

const weeklyInMonth: Pattern = {
  id: "weekly-in-one-month",
  kind: "year",
  draw({ random, say, at }) {
    const [time, weekday, month] = [drawTime(random), random.integer(0, 6), random.integer(1, 12)];
    const [name, within] = [weekdayWords(weekday), monthWords(month)];
    const when = say(
      `every ${name} in ${within} at ${at(time)}`,
      `on ${name}s at ${at(time)}, only in ${within}`,
      `at ${at(time)} on each ${name} of ${within}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * ${month} ${weekday}` };
  },
};

const everyHoursInMonth: Pattern = {
  id: "every-n-hours-in-one-month",
  kind: "year",
  draw({ random, say }) {
    const [step, month] = [random.pick(HOUR_STEPS), random.integer(1, 12)];
    const [every, name] = [everyWords(step, "hour", random), monthWords(month)];
    const when = say(
      `${every} in ${name}`,
      `all through ${name}, ${every}`,
      `${every}, but only in ${name}`,
      `in ${name}, ${every} of each day from midnight on`,
    );
    return { when, reference: `0 */${step} * ${month} *` };
  },
};

const everyMinutesInMonth: Pattern = {
  id: "every-n-minutes-in-one-month",
  kind: "year",
  draw({ random, say }) {
    const [step, month] = [random.pick(MINUTE_STEPS), random.integer(1, 12)];
    const [every, name] = [everyWords(step, "minute", random), monthWords(month)];
    const when = say(
      `${every} in ${name}`,
      `all through ${name}, ${every}`,
      `${every}, but only in ${name}`,
      `in ${name}, ${every} around the clock`,
    );
    return { when, reference: `*/${step} * * ${month} *` };
  },
};

export const SEASON_PATTERNS: readonly Pattern[] = [
  weekdaysInMonth,
  weekendsInMonth,
  weeklyInMonths,
  weeklyInMonth,
  everyHoursInMonth,
  everyMinutesInMonth,
];
