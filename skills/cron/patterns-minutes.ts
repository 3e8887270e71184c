/**
 * Patterns of minutes: at some minutes of every hour, or again and again within some hours.
 */
import { areEven, drawHours, drawRising, MINUTE_STEPS, type Pattern, span } from "./pattern.ts";
import { everyWords, listWords, numberWords, pastWords } from "./words.ts";

const everyMinutes: Pattern = {
  id: "every-n-minutes",
  kind: "minutes",
  draw({ random, say }) {
    const step = random.pick([1, ...MINUTE_STEPS, 5, 10, 15, 30]);
    const always = say("", "", "", " around the clock", " all day, every day", " day and night");
    if (step === 1)
      return { when: `${say("every minute", "each minute", "once a minute")}${always}`, reference: "* * * * *" };
    const quarter = step === 15 ? "every quarter of an hour" : step === 30 ? "every half hour" : null;
    const words = quarter !== null && random.next() < 0.4 ? quarter : everyWords(step, "minute", random);
    return { when: `${words}${always}`, reference: `*/${step} * * * *` };
  },
};

const everyMinutesInHour: Pattern = {
  id: "every-n-minutes-in-hour",
  kind: "minutes",
  draw({ random, say, at, hour: o }) {
    const [step, hour] = [random.pick(MINUTE_STEPS), random.integer(0, 23)];
    const [every, last] = [everyWords(step, "minute", random), at({ hour, minute: 60 - step })];
    const when = say(
      `every day, ${every} from ${o(hour)} to ${last}`,
      `${every} within the hour that starts at ${o(hour)}, every day`,
      `each day ${every}, first at ${o(hour)} and last at ${last}`,
    );
    return { when, reference: `*/${step} ${hour} * * *` };
  },
};

const everyMinuteOfHour: Pattern = {
  id: "every-minute-of-hour",
  kind: "minutes",
  draw({ random, say, at, hour: o }) {
    const hour = random.integer(0, 23);
    const last = at({ hour, minute: 59 });
    const when = say(
      `every day, every minute from ${o(hour)} to ${last}`,
      `every minute from ${o(hour)} through ${last} each day`,
      `once a minute during the hour that starts at ${o(hour)}, every day`,
      `each minute of the hour from ${o(hour)} to ${last}, daily`,
    );
    return { when, reference: `* ${hour} * * *` };
  },
};

const everyMinutesInHours: Pattern = {
  id: "every-n-minutes-in-hours",
  kind: "minutes",
  draw({ random, say, at, hour }) {
    const step = random.pick(MINUTE_STEPS);
    const [from, to] = drawHours(random, [1, 12]);
    const [every, last] = [everyWords(step, "minute", random), at({ hour: to, minute: 60 - step })];
    const when = say(
      `${every} from ${hour(from)} to ${last}, every day`,
      `every day, ${every}, first at ${hour(from)} and last at ${last}`,
      `${every} each day, starting at ${hour(from)} and with the last run at ${last}`,
    );
    return { when, reference: `*/${step} ${from}-${to} * * *` };
  },
};

const minuteRange: Pattern = {
  id: "minute-range-of-every-hour",
  kind: "minutes",
  draw({ random, say }) {
    const length = random.integer(3, 20);
    const from = random.pick([0, 60 - length, random.integer(1, 59 - length)]);
    const to = from + length - 1;
    const plain = say(
      `every minute from minute ${from} through minute ${to} of every hour`,
      `each minute between :${twoDigits(from)} and :${twoDigits(to)} of every hour, both included`,
      `in every hour, once a minute from minute ${from} to minute ${to}`,
    );
    const count = numberWords(length, random);
    const start = say(
      `every minute of the first ${count} minutes of each hour`,
      `in the first ${count} minutes of every hour, each minute`,
    );
    const end = say(
      `every minute of the last ${count} minutes of each hour`,
      `in the last ${count} minutes of every hour, each minute`,
    );
    const edge = from === 0 ? start : to === 59 ? end : null;
    return { when: edge !== null && random.next() < 0.7 ? edge : plain, reference: `${from}-${to} * * * *` };
  },
};

const minuteSteps: Pattern = {
  id: "minute-steps-of-every-hour",
  kind: "minutes",
  draw({ random, say }) {
    const step = random.pick([2, 3, 5, 10] as const);
    const count = random.integer(3, Math.min(8, Math.floor(58 / step)));
    const from = random.integer(1, 59 - (count - 1) * step);
    const to = from + (count - 1) * step;
    const every = everyWords(step, "minute", random);
    const when = say(
      `${every} from minute ${from} to minute ${to} of every hour`,
      `in each hour, ${every} between :${twoDigits(from)} and :${twoDigits(to)}, both included`,
      `every hour, first at minute ${from}, then ${every} until minute ${to}`,
    );
    return { when, reference: `${from}-${to}/${step} * * * *` };
  },
};

const minuteOfEveryHour: Pattern = {
  id: "minute-of-every-hour",
  kind: "minutes",
  draw({ random, say }) {
    const minute = random.pick([0, 5, 10, 15, 20, 25, 30, 30, 40, 45, 50, random.integer(1, 59)]);
    const past = pastWords(minute, random);
    const onTheHour = say("every hour on the hour", "hourly, on the hour", "once an hour, at the top of the hour");
    const plain = say(
      `${past} every hour`,
      `${past} each hour`,
      `every hour at :${twoDigits(minute)}`,
      `hourly, ${past} the hour`,
    );
    return { when: minute === 0 ? onTheHour : plain, reference: `${minute} * * * *` };
  },
};

const minutesOfEveryHour: Pattern = {
  id: "minutes-of-every-hour",
  kind: "minutes",
  draw({ random, say }) {
    const isTaken = (values: readonly number[]) => areEven(values) || values.join() === "0,30";
    const from = random.next() < 0.7 ? span(0, 55, 5) : span(0, 59);
    const minutes = drawRising(random, { from, count: random.integer(2, 3) }, isTaken);
    const [plain, colons] = [minutes.map(String), minutes.map((minute) => `:${twoDigits(minute)}`)];
    const when = say(
      `at ${listWords(plain, random)} minutes past every hour`,
      `every hour at minutes ${listWords(plain, random)}`,
      `each hour at ${listWords(colons, random)}`,
      `${numberWords(minutes.length, random)} times an hour, at minute ${listWords(plain, random)}`,
    );
    return { when, reference: `${minutes.join(",")} * * * *` };
  },
};

export const MINUTE_PATTERNS: readonly Pattern[] = [
  everyMinutes,
  everyMinutesInHour,
  everyMinuteOfHour,
  everyMinutesInHours,
  minuteRange,
  minuteSteps,
  minuteOfEveryHour,
  minutesOfEveryHour,
];

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
