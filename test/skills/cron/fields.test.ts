import { Cron } from "croner";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { everFires, firstDifference, scheduleKey } from "../../../skills/cron/calendar.ts";
import { type Fields, readSchedule } from "../../../skills/cron/fields.ts";
import { fireTimes } from "../../../skills/cron/fire-times.ts";
import { anySchedule } from "./any-schedule.ts";

function fieldsOf(text: string): Fields {
  const schedule = readSchedule(text);
  if (!("fields" in schedule)) throw new Error(`${text}: ${schedule.reason}`);
  return schedule.fields;
}

function taken(values: readonly boolean[]): number[] {
  return values.flatMap((value, i) => (value ? [i] : []));
}

describe("five fields", () => {
  it.each([
    ["0 9 * * 1-5", { minutes: [0], hours: [9], weekdays: [1, 2, 3, 4, 5] }],
    [
      "*/20 8-18/5 1,15 jan-MAR sun",
      { minutes: [0, 20, 40], hours: [8, 13, 18], days: [1, 15], months: [1, 2, 3], weekdays: [0] },
    ],
    ["00 09 * 1-12/4 FRI-SUN", { minutes: [0], hours: [9], months: [1, 5, 9], weekdays: [0, 5, 6] }],
    ["5,5,1-3 0 * * 7", { minutes: [1, 2, 3, 5], weekdays: [0] }],
    ["  0\t0 * * 1-7/2 ", { weekdays: [0, 1, 3, 5] }],
  ])("are read: %s", (text, expected) => {
    const fields = fieldsOf(text);
    for (const [name, values] of Object.entries(expected)) {
      expect(taken(fields[name as "minutes"]), name).toEqual(values);
    }
  });

  it.each([
    ["60 * * * *", /minute "60": values are from 0 to 59/],
    ["0 24 * * *", /hour/],
    ["0 0 0 * *", /day of month/],
    ["0 0 1 13 *", /month/],
    ["0 0 * * 8", /day of week/],
    ["0 22-2 * * *", /ends before it begins/],
    ["0 0 * * SAT-MON", /ends before/],
    ["5/15 * * * *", /step needs/],
    ["*/0 * * * *", /steps are from 1 to 60/],
    ["*/61 * * * *", /steps/],
    ["*/999999999999999999999 * * * *", /steps/],
    ["99999999999999999999 * * * *", /values/],
    ["-1 * * * *", /not a value/],
    ["1.5 * * * *", /not a value/],
    ["1,,2 * * * *", /not a value/],
    ["*-5 * * * *", /not a value/],
    ["** * * * *", /not a value/],
    ["0 0 * * monday", /day of week/],
    ["0 0 * january *", /month/],
    ["MON 0 * * *", /minute/],
    ["0 9 * *", /4 of the 5 fields/],
    ["", /0 of the 5 fields/],
    ["0 9 * * 1\n", /day of week/],
  ])("cannot be read from %j", (text, reason) => {
    expect(readSchedule(text)).toEqual({ failureMode: "parse", reason: expect.stringMatching(reason) });
  });

  it.each([
    ["@daily", /nicknames/],
    ["@reboot", /nicknames/],
    ["0 0 9 * * 1", /6 fields: .* without seconds/],
    ["0 0 9 * * 1 2030", /7 fields/],
    ["50 * * * * * * * * * *", /11 fields/],
    ["0 9 * * 1-5 /usr/bin/backup", /a command/],
    ["0 9 * * 1-5 root backup --all", /a command/],
    ["0 0 L * *", /L in the day of month field/],
    ["0 0 15W * *", /15W/],
    ["0 0 LW * *", /LW/],
    ["0 0 * * 5L", /5L/],
    ["0 0 * * MON#2", /MON#2/],
    ["0 0 ? * 1", /\? in/],
    ["0 0 1 * +1", /\+1/],
    ["H 0 * * *", /H in/],
    ["0~30 * * * *", /~/],
    [`${"1,".repeat(300)}1 * * * *`, /longer than 400/],
  ])("are not what %j is, and that is said", (text, reason) => {
    expect(readSchedule(text)).toEqual({ failureMode: "forbidden", reason: expect.stringMatching(reason) });
  });

  it("with every value written out are not too long", () => {
    const list = (low: number, high: number) => Array.from({ length: high - low + 1 }, (_, i) => low + i).join(",");
    const all = [list(0, 59), list(0, 23), list(1, 31), list(1, 12), list(0, 7)].join(" ");
    expect(scheduleKey(fieldsOf(all))).toBe(scheduleKey(fieldsOf("* * * * *")));
  });
});

describe("the days on which a schedule fires", () => {
  it("meet the day of the month or the day of the week where both are given", () => {
    expect(fireTimes("0 0 13 * 5", new Date("2024-09-01T00:00:00Z"), 4).map((time) => time.slice(5, 10))).toEqual([
      "09-06",
      "09-13",
      "09-20",
      "09-27",
    ]);
    expect(firstDifference(fieldsOf("0 0 13 * 5"), fieldsOf("0 0 * * 5"))?.toISOString()).toBe(
      "2024-01-13T00:00:00.000Z",
    );
  });

  it("are none for a date that no year has", () => {
    for (const text of ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"]) expect(everFires(fieldsOf(text))).toBe(false);
    for (const text of ["0 0 29 2 *", "0 0 31 2 1"]) expect(everFires(fieldsOf(text))).toBe(true);
  });

  it("are told apart however rarely they differ", () => {
    expect(firstDifference(fieldsOf("0 0 29 2 *"), fieldsOf("0 0 28,29 2 *"))?.toISOString()).toMatch(/^2024-02-28/);
    expect(firstDifference(fieldsOf("* 0-22 * * *"), fieldsOf("* * * * *"))?.toISOString()).toMatch(
      /^2024-01-01T23:00/,
    );
    expect(firstDifference(fieldsOf("0 0 * * 0,6"), fieldsOf("0 0 * * SAT-SUN"))).toBeNull();
  });

  it("are those that croner finds, for any schedule", () => {
    fc.assert(
      fc.property(
        anySchedule,
        fc.date({ min: new Date("2024-01-01"), max: new Date("2051-01-01"), noInvalidDate: true }),
        (text, start) => {
          const fields = fieldsOf(text);
          const times = everFires(fields) ? fireTimes(text, start, 3) : [];
          expect(times).toEqual(timesByWalking(fields, start, times.length));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("are in UTC, wherever the host stands", () => {
    const before = process.env.TZ;
    process.env.TZ = "America/New_York";
    const times = fireTimes("30 2 * * *", new Date("2024-03-09T12:00:00Z"), 2);
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
    expect(times).toEqual(["2024-03-10T02:30:00.000Z", "2024-03-11T02:30:00.000Z"]);
  });

  it("are found by croner for whatever the rules let pass, and it refuses no such text", () => {
    fc.assert(
      fc.property(fc.oneof(anySchedule, fc.stringMatching(/^([0-9*,/-]{1,6} ){4}[0-7A-Z*,/-]{1,6}$/)), (text) => {
        if ("fields" in readSchedule(text))
          expect(() => new Cron(text, { mode: "5-part", paused: true })).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });
});

/** The same times in another way: day by day, hour by hour, minute by minute. */
function timesByWalking(fields: Fields, start: Date, count: number): string[] {
  const found: string[] = [];
  for (
    let day = Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate());
    found.length < count;
    day += 86_400_000
  ) {
    const date = new Date(day);
    if (!fields.months[date.getUTCMonth() + 1]) continue;
    const isDay = fields.days[date.getUTCDate()] === true;
    const isWeekday = fields.weekdays[date.getUTCDay()] === true;
    const isEither = !fields.isAnyDay && !fields.isAnyWeekday;
    if (isEither ? !isDay && !isWeekday : !isDay || !isWeekday) continue;
    for (const hour of taken(fields.hours)) {
      for (const minute of taken(fields.minutes)) {
        const time = new Date(day + (hour * 60 + minute) * 60_000);
        if (time > start && found.length < count) found.push(time.toISOString());
      }
    }
  }
  return found;
}
