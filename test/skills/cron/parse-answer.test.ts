import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerText, parseAnswer, scheduleCall, tools } from "../../../skills/cron/parse-answer.ts";
import type { Message } from "../../../src/records/message.ts";
import { anySchedule } from "./any-schedule.ts";

function scheduleIn(content: string | null, rest: Partial<Message> = {}): unknown {
  const parsed = parseAnswer({ role: "assistant", content, ...rest });
  return "call" in parsed ? parsed.call.arguments.expression : parsed.failureMode;
}

function called(name: string, given: string | Record<string, string>): Partial<Message> {
  return { tool_calls: [{ type: "function", function: { name, arguments: given } }] };
}

describe("an answer in text", () => {
  it.each([
    ["a bare line", "0 9 * * 1-5", "0 9 * * 1-5"],
    ["blanks around and between", "  0   9\t* * 1-5 \n", "0 9 * * 1-5"],
    ["a fenced block", "Here:\n```cron\n*/5 * * * *\n```\nIt runs often.", "*/5 * * * *"],
    ["a fence without a language", "```\n0 0 1 */3 *\n```", "0 0 1 */3 *"],
    ["inline code", "Use `30 7 * * MON-FRI` for that.", "30 7 * * MON-FRI"],
    ["a label", "Cron: 0 9 * * 1-5", "0 9 * * 1-5"],
    ["a bold line", "**0 9 * * 1-5**", "0 9 * * 1-5"],
    ["bold stars", "The answer is ***/5 * * * ***.", "*/5 * * * *"],
    ["escaped stars", "0 9 \\* \\* 1-5", "0 9 * * 1-5"],
    ["quotes", '"0 9 * * 1-5"', "0 9 * * 1-5"],
    ["a sentence", "The schedule is 0 9 * * 1-5, which is each weekday.", "0 9 * * 1-5"],
    ["a sentence that goes on", "You want 0 9 * * 1-5 to run it on weekdays.", "0 9 * * 1-5"],
    ["a full stop", "It is 0 9 * * 1-5.", "0 9 * * 1-5"],
    ["a remark", "0 9 * * 1-5 # each weekday", "0 9 * * 1-5"],
    ["a remark in brackets", "0 9 * * 1-5 (each weekday)", "0 9 * * 1-5"],
    ["the first of two lines", "0 9 * * 1\n0 9 * * 2", "0 9 * * 1"],
    ["five fields before six", "0 0 9 * * 1\nwithout seconds: 0 9 * * 1", "0 9 * * 1"],
    ["five fields before a nickname", "@daily is the same as `0 0 * * *`", "0 0 * * *"],
    ["numbers without a star", "15 14 1 1 5", "15 14 1 1 5"],
    ["small names", "0 0 1 jan,jul mon-fri", "0 0 1 jan,jul mon-fri"],
    ["a list item", "1. 0 9 * * 1", "0 9 * * 1"],
  ])("is read: %s", (_, content, expression) => {
    expect(scheduleIn(content)).toBe(expression);
  });

  it.each([
    ["a command behind the fields", "0 9 * * 1-5 /usr/bin/backup --all", "0 9 * * 1-5 /usr/bin/backup --all"],
    ["a command in code", "Add `0 9 * * 1-5 backup.sh` to it", "0 9 * * 1-5 backup.sh"],
    ["words behind the fields of a line", "Answer: 0 9 * * 1-5 means weekdays", "0 9 * * 1-5 means weekdays"],
    ["six fields", "0 0 9 * * 1", "0 0 9 * * 1"],
    ["seven fields", "0 0 9 ? * 1 2030", "0 0 9 ? * 1 2030"],
    ["four fields", "0 9 * *", "0 9 * *"],
    ["a nickname", "Use @daily for that.", "@daily"],
    ["extensions", "0 0 L * 5#2", "0 0 L * 5#2"],
    ["values out of range", "60 25 * * 9", "60 25 * * 9"],
    ["long names", "0 9 * January Monday", "0 9 * January Monday"],
    ["a list with a gap", "0 9 * * 1, 3", "0 9 * * 1, 3"],
  ])("is taken whole, for the rules to refuse: %s", (_, content, expression) => {
    expect(scheduleIn(content)).toBe(expression);
  });

  it.each([
    ["nothing", ""],
    ["blanks", " \n "],
    ["prose", "Every day at 9:30, of course."],
    ["the names of the fields", "minute hour day-of-month month day-of-week"],
    ["numbers in prose", "It ran 3 times in 2024."],
    ["three stars", "* * *"],
    ["a time", "09:30 * * *"],
    ["an address", "write to bob@daily.example"],
    ["an empty fence", "```cron\n```"],
  ])("holds no schedule: %s", (_, content) => {
    expect(scheduleIn(content)).toBe("no-answer");
  });

  it("may be missing", () => {
    expect(scheduleIn(null)).toBe("no-answer");
  });

  it("is not read up to the middle of a range", () => {
    expect(scheduleIn("0 9 * * 1–5")).not.toBe("0 9 * * 1");
    expect(scheduleIn("0 9 * * 1,x")).not.toBe("0 9 * * 1");
    expect(scheduleIn("0 9 * * 1.5")).not.toBe("0 9 * * 1");
    expect(scheduleIn("0 9 * * 1st")).not.toBe("0 9 * * 1");
  });
});

describe("a native tool call", () => {
  it("is read before the text", () => {
    const expression = { expression: " 0  9 * * 1 " };
    expect(scheduleIn("5 5 * * *", called("set_schedule", expression))).toBe("0 9 * * 1");
    expect(scheduleIn(null, called("set_schedule", '{"expression": "0 9 * * 1"}'))).toBe("0 9 * * 1");
  });

  it.each([
    ["of another name", called("run_sql", '{"expression": "0 9 * * 1"}')],
    ["that is no JSON", called("set_schedule", "0 9 * * 1")],
    ["without an expression", called("set_schedule", '{"cron": "0 9 * * 1"}')],
    ["whose expression is no text", called("set_schedule", '{"expression": 5}')],
    ["that is a list", called("set_schedule", "[]")],
  ])("gives way to the text: %s", (_, message) => {
    expect(scheduleIn("5 5 * * *", message)).toBe("5 5 * * *");
    expect(scheduleIn(null, message)).toBe("no-answer");
  });

  it("has the name and the argument that the tool declares", () => {
    const [tool] = tools;
    const call = scheduleCall("0 9 * * 1");
    expect(tool?.function.name).toBe(call.name);
    expect(tool?.function.parameters).toMatchObject({ required: Object.keys(call.arguments) });
  });
});

it("reads any schedule back from its shortest answer", () => {
  fc.assert(
    fc.property(anySchedule, (expression) => {
      const call = scheduleCall(expression);
      expect(parseAnswer({ role: "assistant", content: answerText(call) })).toEqual({ call });
    }),
    { numRuns: 1000 },
  );
});
