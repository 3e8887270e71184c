/**
 * Patterns of a day: at certain times of every day.
 */
import { areEven, drawRising, drawTime, type Pattern, span } from "./pattern.ts";
import { listWords, numberWords } from "./words.ts";

const MINUTES = [0, 0, 0, 15, 30, 45, 5, 10, 20, 40, 50];

const daily: Pattern = {
  id: "daily",
  kind: "day",
  draw({ random, say, daily: at }) {
    const time = drawTime(random);
    const when = say(
      `every day at ${at(time)}`,
      `daily at ${at(time)}`,
      `each day at ${at(time)}`,
      `once a day at ${at(time)}`,
      `at ${at(time)} every day`,
      `at ${at(time)} each day of the week`,
    );
    return { when, reference: `${time.minute} ${time.hour} * * *` };
  },
};

const twiceDaily: Pattern = {
  id: "twice-a-day",
  kind: "day",
  draw({ random, say, daily: at }) {
    const hours = drawRising(random, { from: span(0, 23), count: 2 });
    const minute = random.pick(MINUTES);
    const list = listWords(
      hours.map((hour) => at({ hour, minute })),
      random,
    );
    const when = say(
      `twice a day, at ${list}`,
      `every day at ${list}`,
      `two times each day: at ${list}`,
      `at ${list} every day`,
      `daily at ${list}`,
    );
    return { when, reference: `${minute} ${hours.join(",")} * * *` };
  },
};

const severalDaily: Pattern = {
  id: "several-times-a-day",
  kind: "day",
  draw({ random, say, daily: at }) {
    const hours = drawRising(random, { from: span(0, 23), count: random.pick([3, 3, 3, 4]) }, areEven);
    const minute = random.pick(MINUTES);
    const list = listWords(
      hours.map((hour) => at({ hour, minute })),
      random,
    );
    const when = say(
      `${numberWords(hours.length, random)} times a day, at ${list}`,
      `every day at ${list}`,
      `at ${list} each day`,
      `daily at ${list}`,
    );
    return { when, reference: `${minute} ${hours.join(",")} * * *` };
  },
};

const twiceInAnHour: Pattern = {
  id: "two-minutes-of-one-hour",
  kind: "day",
  draw({ random, say, at }) {
    const hour = random.integer(0, 23);
    const minutes = drawRising(random, { from: span(0, 55, 5), count: 2 }, (values) => values.join() === "0,30");
    const list = listWords(
      minutes.map((minute) => at({ hour, minute })),
      random,
    );
    const when = say(
      `every day at ${list}`,
      `twice a day, at ${list}`,
      `daily, once at ${minutes.map((minute) => at({ hour, minute })).join(" and once at ")}`,
      `at ${list} each day`,
    );
    return { when, reference: `${minutes.join(",")} ${hour} * * *` };
  },
};

export const DAY_PATTERNS: readonly Pattern[] = [daily, twiceDaily, severalDaily, twiceInAnHour];
