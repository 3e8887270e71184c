/**
 * Conversations in OpenAI's shape, as JSON lines or as a dataset's Parquet: `messages`, and where they are known `tools`
 * and an outcome (`reward`, or `label`). A row is an attempt at an item: at the one that it names, or at its first question.
 */
import { basename } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import { hashText, shortHash } from "../../foundation/hashing.ts";
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import type { Verdict } from "../../records/verdict.ts";
import { type Foreign, foreignVerdict, type Rejected } from "../foreign.ts";
import { taskOf } from "../foreign-item.ts";
import type { Importer, ImportInput, JsonLine } from "../importer.ts";
import { attemptNumbers } from "../reading/attempt-numbers.ts";
import { conversationRecords } from "../reading/conversation.ts";
import { parseJson, rejected } from "../reading/json.ts";
import { isObject, type JsonObject, numberIn, objectsIn, textIn, timeIn } from "../reading/shapes.ts";

const MOST_ROWS_A_RUN = 50_000;
const PARQUET = "PAR1";
const PATCH_KEYS = ["patch", "submission", "model_patch"];
const COMMIT_KEYS = ["base_commit", "commit"];
const TRAJECTORY = /"(?:trajectory_format|mini_version)"\s*:/;
/** A text, closed or cut, or a bracket. */
const TOKEN = /"(?:[^"\\]|\\.?)*(?:"|$)|[[\]{}]/gs;
const LIST_OF_OBJECTS = /^"messages"\s*:\s*\[\s*\{/;
const SAMPLING_KEYS = ["temperature", "top_p"];
const ITEM_KEYS = ["item", "item_id", "task_id", "problem_id", "instance_id", "id"];

const importer: Importer = {
  summary: "JSON lines or Parquet with `messages`, `tools`, `reward` or `label` (also of Hugging Face datasets)",
  lossy: ["sampling", "token ids", "which verifier gave the reward"],
  detects: ({ name, head, value }) =>
    head.toString("latin1", 0, 4) === PARQUET
      ? name.endsWith(".parquet")
      : isRow(value) || (value === undefined && isLongRow(head)),
  read: (input) => (input.files.some(isParquet) ? readAll(input) : readLines(input)),
};

export default importer;

function isParquet(file: string): boolean {
  return file.endsWith(".parquet");
}

function* readLines({ files, lines }: ImportInput): Generator<Foreign> {
  for (const file of files) {
    const read = rowReader(file);
    for (const line of lines(file)) yield* read(line);
  }
}

/** Of Parquet the rows have to be waited for. */
async function* readAll({ files, lines, parquet }: ImportInput): AsyncGenerator<Foreign> {
  for (const file of files) {
    const read = rowReader(file);
    for await (const line of isParquet(file) ? parquet(file) : lines(file)) yield* read(line);
  }
}

/** Says what a file's rows hold, one after another. */
function rowReader(file: string): (line: JsonLine | Rejected) => Generator<Foreign> {
  let attempts = attemptNumbers();
  let rows = 0;
  return function* (line) {
    if ("kind" in line) return yield line;
    const messages = messagesOf(line.value);
    if (messages === null) return yield rejected(line.where, "it has no `messages` with roles");
    const row = line.value as JsonObject;
    if (rows % MOST_ROWS_A_RUN === 0) {
      attempts = attemptNumbers();
      yield runOf(file, rows / MOST_ROWS_A_RUN, row);
    }
    rows++;
    yield* attemptRecords(row, messages, { attempts, where: line.where });
  };
}

/** A long file is several runs, so that memory does not grow with it. */
function runOf(file: string, part: number, row: JsonObject): Foreign {
  const nativeId = part === 0 ? basename(file) : `${basename(file)}#${part + 1}`;
  const startedAt = timeIn(row.created_at ?? row.timestamp);
  return { kind: "run", nativeId, files: [file], startedAt, skill: "chat", model: textIn(row.model), facts: {} };
}

function* attemptRecords(
  row: JsonObject,
  messages: RecordedMessage[],
  { attempts, where }: { attempts: (item: string) => number; where: string },
): Generator<Foreign> {
  const task = taskOf(messages);
  const item = itemOf(row) ?? `question-${shortHash(hashText(task))}`;
  const attempt = attempts(item);
  const at = timeIn(row.created_at ?? row.timestamp);
  yield { kind: "item", item, family: textIn(row.family), task, detail: detailOf(row) };
  const tools = toolsOf(row.tools);
  const request = samplingOf(row);
  yield* conversationRecords({
    ...{ item, attempt, at, messages, tools, model: textIn(row.model), request },
    missing: Object.keys(request).length === 0 ? ["sampling"] : [],
  });
  const patch = firstText(row, PATCH_KEYS);
  if (patch !== null) yield { kind: "patch", item, attempt, at, patch, commit: firstText(row, COMMIT_KEYS) };
  const { outcome, isOffScale } = outcomeOf(row);
  if (isOffScale) yield rejected(where, "its reward is none from 0 to 1");
  if (outcome === null) return;
  const verifier = { id: textIn(row.verifier) ?? "reward", version: "unknown" };
  yield { kind: "verdict", item, attempt, at, verdict: foreignVerdict({ ...outcome, verifier }) };
}

/** What a row says of itself: how good it is, and by a label beside it whether that passed. A label that is a text names a class. */
function outcomeOf({ reward: given = null, label = null }: JsonObject): {
  outcome: Pick<Verdict, "value" | "passed" | "flags"> | null;
  isOffScale: boolean;
} {
  const reward = rewardOf(given);
  const told = rewardOf(label);
  const isOffScale = given === null ? label !== null && told === null && typeof label !== "string" : reward === null;
  const value = reward ?? told;
  if (value === null) return { outcome: null, isOffScale };
  const passed = isWhole(told) ? told === 1 : value === 1;
  const isInConflict = isWhole(value) && passed !== (value === 1);
  return { outcome: { value, passed, flags: isInConflict ? ["conflict"] : [] }, isOffScale };
}

/** Whether a value says either that it passed or that it did not. */
function isWhole(value: number | null): boolean {
  return value === 0 || value === 1;
}

/** A document that says of which format it is holds more than a conversation. */
function isRow(value: unknown): boolean {
  return messagesOf(value) !== null && (value as JsonObject).trajectory_format === undefined;
}

/** Whether a line that goes on beyond the file's first bytes has `messages` among its own keys, as far as it is there. */
function isLongRow(head: Buffer): boolean {
  if (head.includes("\n")) return false;
  const text = head.toString("latin1");
  if (!/^\s*\{/.test(text) || !/"role"\s*:/.test(text) || TRAJECTORY.test(text)) return false;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && token === '"messages"' && LIST_OF_OBJECTS.test(text.slice(index, index + 100))) return true;
  }
  return false;
}

function itemOf(row: JsonObject): string | null {
  for (const key of ITEM_KEYS) {
    const value = row[key];
    if ((typeof value === "string" && value !== "") || Number.isSafeInteger(value)) return String(value);
  }
  return null;
}

function firstText(row: JsonObject, keys: readonly string[]): string | null {
  return keys.map((key) => textIn(row[key])).find((text) => text !== null) ?? null;
}

/** Only what is said: a column of records has all their fields in each row. */
function samplingOf(row: JsonObject): Record<string, Json> {
  const given = Object.entries(isObject(row.sampling) ? row.sampling : {}).filter(([, value]) => value !== null);
  const own = SAMPLING_KEYS.flatMap((key) => (numberIn(row[key]) === null ? [] : [[key, row[key]] as const]));
  return Object.fromEntries([...given, ...own]) as JsonObject;
}

/** Short fields that are no part of the conversation. */
function detailOf(row: JsonObject): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(row).filter(
      ([key, value]) =>
        !["messages", "tools"].includes(key) &&
        (typeof value !== "string" || value.length < 1000) &&
        !isObject(value) &&
        !Array.isArray(value),
    ),
  );
}

function messagesOf(value: unknown): RecordedMessage[] | null {
  if (!isObject(value) || !Array.isArray(value.messages)) return null;
  const messages = objectsIn(value.messages);
  const isWhole = messages.length > 0 && messages.length === value.messages.length;
  return isWhole && messages.every(({ role }) => typeof role === "string") ? messages.map(withoutNulls) : null;
}

/** Rows of a Parquet file all have the same keys, with nothing in those that a message has not. */
function withoutNulls(message: JsonObject): RecordedMessage {
  const entries = Object.entries(message).filter(([key, value]) => value !== null || key === "content");
  return Object.fromEntries(entries) as RecordedMessage;
}

/** Some datasets keep the tools as text, as their schemas have no one shape. */
function toolsOf(value: unknown): RecordedTool[] | null {
  const read = typeof value === "string" ? parseJson(value) : { value };
  const tools = objectsIn("value" in read ? read.value : null);
  const named = tools.map((tool) =>
    tool.type === undefined && tool.function === undefined ? { type: "function", function: tool } : tool,
  );
  return named.length > 0 && named.every(({ type }) => typeof type === "string") ? (named as RecordedTool[]) : null;
}

/** From 0 to 1; a reward on another scale is none that a verdict could hold, and a label may be the name of a class. */
function rewardOf(value: Json | undefined): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  const number = numberIn(value);
  return number !== null && number >= 0 && number <= 1 ? number : null;
}
