/**
 * The skill `date-sums`: a question about days and months is answered by one date, and the date is right or wrong.
 * All of it is in this file, which imports nothing of tracemill but types.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ActionCall, Draft, Item, Message, Skill, Verdict } from "../../../src/skills/contract.ts";

const ID = "date-sums";
const ITEMS_PER_FAMILY = 8;
const DAY_MS = 86_400_000;
const MONTHS = "January February March April May June July August September October November December".split(" ");
const WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** A whole number from `low` to `high`, the same for the same key on every machine. */
type Draw = (low: number, high: number) => number;

function drawFor(key: string): Draw {
  let count = 0;
  return (low, high) => {
    const digest = createHash("sha256").update(`${key} ${count++}`).digest();
    return low + (digest.readUInt32LE(0) % (high - low + 1));
  };
}

const at = (year: number, month: number, day: number) => new Date(Date.UTC(year, month, day));
const plusDays = (date: Date, days: number) => new Date(date.getTime() + days * DAY_MS);
const written = (date: Date) => `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
const iso = (date: Date) => date.toISOString().slice(0, 10);
/** Never after the 28th, so that every month has the day. */
const someDay = (draw: Draw) => at(draw(1990, 2040), draw(0, 11), draw(1, 28));
const plusMonths = (date: Date, months: number) =>
  at(date.getUTCFullYear(), date.getUTCMonth() + months, date.getUTCDate());

/** How far it is from a day to the next given weekday, 1 to 7 days. */
const daysUntil = (date: Date, weekday: number) => ((weekday - date.getUTCDay() + 6) % 7) + 1;

interface Question {
  text: string;
  answer: Date;
}

/** A family is one kind of question: what is learned of it in one item helps in its others. */
const FAMILIES: Record<string, (draw: Draw) => Question> = {
  "days-after": (draw) => counted(draw, "days after", 1),
  "days-before": (draw) => counted(draw, "days before", -1),
  "weeks-after": (draw) => counted(draw, "weeks after", 7),
  "weeks-before": (draw) => counted(draw, "weeks before", -7),
  "months-after": (draw) => moved(draw, "months after", 1),
  "months-before": (draw) => moved(draw, "months before", -1),
  "years-after": (draw) => moved(draw, "years after", 12),
  "next-weekday": (draw) => {
    const [from, weekday] = [someDay(draw), draw(0, 6)];
    const answer = plusDays(from, daysUntil(from, weekday));
    return { text: `Which date is the first ${WEEKDAYS[weekday]} after ${written(from)}?`, answer };
  },
  "previous-weekday": (draw) => {
    const [from, weekday] = [someDay(draw), draw(0, 6)];
    const answer = plusDays(from, daysUntil(from, weekday) - (from.getUTCDay() === weekday ? 14 : 7));
    return { text: `Which date is the last ${WEEKDAYS[weekday]} before ${written(from)}?`, answer };
  },
  "end-of-month": (draw) => {
    const [year, month] = [draw(1990, 2040), draw(0, 11)];
    return { text: `Which date is the last day of ${MONTHS[month]} ${year}?`, answer: at(year, month + 1, 0) };
  },
  "day-of-year": (draw) => {
    const [year, n] = [draw(1990, 2040), draw(2, 365)];
    return { text: `Which date is day number ${n} of the year ${year}?`, answer: at(year, 0, n) };
  },
  "first-of-month": (draw) => {
    const [year, month, weekday] = [draw(1990, 2040), draw(0, 11), draw(0, 6)];
    const eve = at(year, month, 0);
    const text = `Which date is the first ${WEEKDAYS[weekday]} of ${MONTHS[month]} ${year}?`;
    return { text, answer: plusDays(eve, daysUntil(eve, weekday)) };
  },
};

function counted(draw: Draw, words: string, step: number): Question {
  const [from, n] = [someDay(draw), draw(2, 40)];
  return { text: `Which date is ${n} ${words} ${written(from)}?`, answer: plusDays(from, n * step) };
}

function moved(draw: Draw, words: string, step: number): Question {
  const [from, n] = [someDay(draw), draw(2, 30)];
  return { text: `Which date is ${n} ${words} ${written(from)}?`, answer: plusMonths(from, n * step) };
}

function draftOf(id: string, family: string, question: string, reference: string): Draft {
  // The harness keeps `detail` and hands it back: what the prompt does not show, the model does not see.
  return { item: `${ID}:${id}` as Draft["item"], family, kind: null, task: question, detail: { question, reference } };
}

function generated(seed: number): Draft[] {
  return Object.entries(FAMILIES).flatMap(([family, ask]) =>
    Array.from({ length: ITEMS_PER_FAMILY }, (_, n) => {
      const { text, answer } = ask(drawFor(`${seed} ${family} ${n}`));
      return draftOf(`${family}-${seed}.${n + 1}`, family, text, iso(answer));
    }),
  );
}

/** The user's own items: `{id, family, question, reference}` a line. */
async function fromFile(path: string): Promise<Draft[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const { id, family, question, reference } = JSON.parse(line) as Record<string, string>;
    return draftOf(String(id), String(family), String(question), String(reference));
  });
}

function promptFor(item: Item): Message[] {
  return [
    { role: "system", content: "You answer with one date, written as YYYY-MM-DD, and nothing else." },
    { role: "user", content: String(item.detail.question) },
  ];
}

const callFor = (date: string): ActionCall => ({ name: "answer", arguments: { date } });

const skill: Skill = {
  manifest: {
    id: ID,
    version: "1",
    description: "Answer a question about days and months with one date.",
    salt: "date-sums-1",
    splitFractions: { train: 0.5, validation: 0.2, test: 0.3 },
    failureModes: ["no-date", "wrong-date"],
    maxTokens: 24,
  },
  items: async ({ seed, itemsFile }) => (itemsFile === undefined ? generated(seed) : fromFile(itemsFile)),
  prompt: promptFor,
  workedExample: (item, call) => [
    { role: "user", content: String(item.detail.question) },
    { role: "assistant", content: String(call.arguments.date) },
  ],
  starters: (items) => {
    const families = new Map(items.map((item) => [item.family, item]));
    return [...families.values()].map((item) => ({ item, call: callFor(String(item.detail.reference)) }));
  },
  parse(answer) {
    const date = /\d{4}-\d{2}-\d{2}/.exec(answer.content ?? "")?.[0];
    return date === undefined
      ? { failureMode: "no-date", reason: "the answer holds no date" }
      : { call: callFor(date) };
  },
  answerText: (call) => String(call.arguments.date),
  // A date is only looked at: nothing changes, so there is nothing to keep and nothing to bring back.
  open: async (item) => ({
    act: async (call) => ({ exitCode: 0, stdout: `${call.arguments.date}\n`, stderr: "" }),
    async verify(call, parsed) {
      if (call === null) return verdict("failureMode" in parsed ? parsed.failureMode : null, parsed);
      const passed = call.arguments.date === item.detail.reference;
      return verdict(passed ? null : "wrong-date", { answered: call.arguments.date ?? null });
    },
    checkpoint: async () => "baseline",
    restore: async () => {},
    close: async () => {},
  }),
  close: async () => {},
};

function verdict(failureMode: string | null, evidence: Verdict["evidence"]): Verdict {
  return {
    value: failureMode === null ? 1 : 0,
    confidence: 1,
    passed: failureMode === null,
    failureMode,
    signalType: "binary",
    verifier: { id: "date-sums-equal", version: "1" },
    before: { value: 0, passed: false },
    evidence,
    flags: [],
  };
}

export default skill;
