/**
 * Free questions: a schedule of the user's own in words, answered with its next fire times from now on.
 */
import { Refusal } from "../../src/foundation/errors.ts";
import type { ActionCall } from "../../src/records/events.ts";
import type { Reply, Source } from "../../src/skills/contract.ts";
import { everFires } from "./calendar.ts";
import { readSchedule } from "./fields.ts";
import { fireTimes } from "./fire-times.ts";
import { FIELDS_TEXT } from "./prompt.ts";
import { expressionOf } from "./workspace.ts";

const SHOWN_TIMES = 5;

/** What there is to answer with. Throws: `NO_FILE_NEEDED`. */
export function describeSource({ file }: Source): string {
  if (file === undefined) return FIELDS_TEXT;
  throw new Refusal({
    code: "NO_FILE_NEEDED",
    message: "A schedule is not about a file.",
    expected: "a question without a file",
    got: file,
    fix: "leave --file out",
  });
}

/** The next fire times of a schedule, or why it has none. */
export function answerFrom(call: ActionCall, now: Date): Reply {
  const schedule = readSchedule(expressionOf(call));
  if (!("fields" in schedule)) return { error: schedule.reason };
  if (!everFires(schedule.fields)) return { error: "it never fires" };
  const times = fireTimes(schedule.text, now, SHOWN_TIMES);
  return { columns: ["next fire times (UTC)"], rows: times.map((time) => [dayAndMinute(time)]) };
}

function dayAndMinute(time: string): string {
  const day = new Date(time).toLocaleDateString("en", { weekday: "short", timeZone: "UTC" });
  return `${day} ${time.slice(0, 10)} ${time.slice(11, 16)}`;
}
