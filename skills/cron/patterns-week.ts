/**
 * Patterns of a week: at one time of certain days of the week.
 */
import { drawRising, drawTime, type Pattern, span } from "./pattern.ts";
import { listWords, weekdayWords } from "./words.ts";

const weekdays: Pattern = {
  id: "weekdays",
  kind: "week",
  draw({ random, say, at }) {
    const time = drawTime(random);
    const when = say(
      `every weekday at ${at(time)}`,
      `on weekdays at ${at(time)}`,
      `at ${at(time)} from Monday to Friday`,
      `Monday through Friday at ${at(time)}`,
      `at ${at(time)} on every working day, Monday to Friday`,
    );
    return { when, reference: `${time.minute} ${time.hour} * * 1-5` };
  },
};

const weekends: Pattern = {
  id: "weekends",
  kind: "week",
  draw({ random, say, at }) {
    const time = drawTime(random);
    const when = say(
      `every weekend at ${at(time)}, on both days`,
      `on Saturdays and Sundays at ${at(time)}`,
      `at ${at(time)} on Saturday and Sunday`,
      `on weekend days at ${at(time)}`,
      `each Saturday and each Sunday at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * * 0,6` };
  },
};

const weekly: Pattern = {
  id: "weekly",
  kind: "week",
  draw({ random, say, at }) {
    const [time, weekday] = [drawTime(random), random.integer(0, 6)];
    const name = weekdayWords(weekday);
    const when = say(
      `every ${name} at ${at(time)}`,
      `on ${name}s at ${at(time)}`,
      `weekly on ${name} at ${at(time)}`,
      `once a week, on ${name} at ${at(time)}`,
      `at ${at(time)} each ${name}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * * ${weekday}` };
  },
};

const weekdayList: Pattern = {
  id: "weekday-list",
  kind: "week",
  draw({ random, say, at }) {
    const isTaken = (values: readonly number[]) => values.join() === "6,7" || isRun(values);
    const days = drawRising(random, { from: span(1, 7), count: random.integer(2, 3) }, isTaken);
    const time = drawTime(random);
    const list = listWords(days.map(weekdayWords), random);
    const plural = listWords(
      days.map((day) => `${weekdayWords(day)}s`),
      random,
    );
    const when = say(
      `every ${list} at ${at(time)}`,
      `on ${plural} at ${at(time)}`,
      `at ${at(time)} on ${list}`,
      `each week on ${list} at ${at(time)}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * * ${weekdayField(days)}` };
  },
};

const weekdayRange: Pattern = {
  id: "weekday-range",
  kind: "week",
  draw({ random, say, at }) {
    const length = random.integer(3, 5);
    const from = random.integer(length === 5 ? 2 : 1, 8 - length);
    const to = from + length - 1;
    const [first, last, time] = [weekdayWords(from), weekdayWords(to), drawTime(random)];
    const when = say(
      `from ${first} to ${last} at ${at(time)}`,
      `${first} through ${last} at ${at(time)}`,
      `at ${at(time)} every day from ${first} through ${last}`,
      `each week, at ${at(time)} from ${first} to ${last}`,
    );
    return { when, reference: `${time.minute} ${time.hour} * * ${from}-${to}` };
  },
};

const allButOne: Pattern = {
  id: "all-days-but-one",
  kind: "week",
  draw({ random, say, at }) {
    const [time, weekday] = [drawTime(random), random.integer(0, 6)];
    const name = weekdayWords(weekday);
    const when = say(
      `every day except ${name} at ${at(time)}`,
      `at ${at(time)} on every day but ${name}`,
      `daily at ${at(time)}, but never on ${name}s`,
      `at ${at(time)} each day of the week other than ${name}`,
    );
    const days =
      weekday === 0
        ? "1-6"
        : weekday === 6
          ? "0-5"
          : span(0, 6)
              .filter((day) => day !== weekday)
              .join(",");
    return { when, reference: `${time.minute} ${time.hour} * * ${days}` };
  },
};

export const WEEK_PATTERNS: readonly Pattern[] = [weekdays, weekends, weekly, weekdayList, weekdayRange, allButOne];

function isRun(values: readonly number[]): boolean {
  return values.length > 2 && values.every((value, i) => value === (values[0] as number) + i);
}

/** Sunday as 0, in rising order. */
function weekdayField(days: readonly number[]): string {
  return days
    .map((day) => day % 7)
    .sort((a, b) => a - b)
    .join(",");
}
