/**
 * Reads the one schedule from a model's answer: a native tool call, or else the first place in its text that looks like
 * five fields. What belongs to that place is taken whole: a command behind the fields of a line is seen and refused by the
 * rules, not dropped.
 */
import type { ActionCall } from "../../src/records/events.ts";
import type { Message, Tool } from "../../src/records/message.ts";
import type { ParsedAnswer } from "../../src/skills/contract.ts";

const TOOL_NAME = "set_schedule";

export const tools: readonly Tool[] = [
  {
    type: "function",
    function: {
      name: TOOL_NAME,
      description: "Sets the schedule of the task.",
      parameters: {
        type: "object",
        properties: {
          expression: { type: "string", description: "Five cron fields, such as 30 7 * * 1-5" },
        },
        required: ["expression"],
        additionalProperties: false,
      },
    },
  },
];

/** Units: UTF-16 code units; an answer of this skill has a few dozen. */
const LONGEST_READ = 20_000;

const NAME =
  "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?)";
const ATOM = `(?:[*?]|\\d+[LW]?|L(?:W|-\\d+)?|${NAME}L?)`;
const FIELD = `${ATOM}(?:[-,/#~]${ATOM})*`;
/** What may come right behind the last field; a comma with a number behind it is a list that went wrong. */
const END = "(?=$|[\\s`\"')\\]}<>|;!?]|[.:](?![\\w*])|,(?!\\w|[ \\t]*[\\d*]))";
/** Four fields or more, not from the middle of a word, a time or a list, and not up to the middle of one. */
const FIELDS = new RegExp(`(?<![\\w*?/,.:#~-])${FIELD}(?:[ \\t]+${FIELD}){3,}${END}`, "gi");
const NICKNAME = /(?<![\w.@])@(?:yearly|annually|monthly|weekly|daily|midnight|hourly|reboot|every\w*)\b/i;
const LONGEST_LABEL = 60;
/** What may stand before the fields of a line that reads as one of a crontab: a list mark, a label, an opening quote. */
const LINE_START = /^[\s>*_"'`-]*(?:\d+[.)]\s+)?(?:[^:]{0,40}:)?[\s*_"'`]*$/;
/** A command: text behind the fields, up to the end of the line or of the quoted code. */
const COMMAND = /^[ \t]+[\w/~.$&@"'][^`\n]*/;

interface Found {
  expression: string;
  fields: number;
}

/** Prefers a native tool call; where its argument is no text, the text of the answer is read. */
export function parseAnswer(answer: Message): ParsedAnswer {
  for (const { function: called } of answer.tool_calls ?? []) {
    const expression = called.name === TOOL_NAME ? argumentOf(called.arguments) : null;
    if (expression !== null) return { call: scheduleCall(expression) };
  }
  const text = (answer.content ?? "").slice(0, LONGEST_READ);
  const found = text.split("\n").flatMap(fieldsIn);
  const best = found.find(({ fields }) => fields === 5)?.expression ?? found[0]?.expression ?? NICKNAME.exec(text)?.[0];
  if (best === undefined) return { failureMode: "no-answer", reason: "the answer holds nothing like five cron fields" };
  return { call: scheduleCall(best) };
}

/** The shortest answer that asks for a schedule: the fields alone. */
export function answerText({ arguments: { expression } }: ActionCall): string {
  return String(expression);
}

/** The one action of this skill. */
export function scheduleCall(expression: string): ActionCall {
  return { name: TOOL_NAME, arguments: { expression } };
}

function fieldsIn(line: string): Found[] {
  const plain = line.replace(/\*\*(?=[\d*])(.*?[\d*a-z])\*\*(?![*/])/gi, "$1").replaceAll("\\*", "*");
  return [...plain.matchAll(FIELDS)].flatMap(({ 0: text, index }) => {
    const words = text.split(/[ \t]+/);
    if (words.length === 4 && !text.includes("*")) return [];
    const before = plain.slice(0, index);
    const isCrontab = isLineStart(before.trim()) || before.split("`").length % 2 === 0;
    const command = isCrontab ? (COMMAND.exec(plain.slice(index + text.length))?.[0] ?? "").trim() : "";
    return [{ expression: [...words, ...(command === "" ? [] : [command])].join(" "), fields: words.length }];
  });
}

function isLineStart(before: string): boolean {
  return before.length <= LONGEST_LABEL && LINE_START.test(before);
}

function argumentOf(given: string | Record<string, unknown>): string | null {
  const read = typeof given === "string" ? parsedJson(given) : given;
  const expression = typeof read === "object" && read !== null ? (read as Record<string, unknown>).expression : null;
  return typeof expression === "string" ? expression.trim().replace(/[ \t]+/g, " ") : null;
}

/** Null where the text is no JSON, as a small model's arguments may be. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
