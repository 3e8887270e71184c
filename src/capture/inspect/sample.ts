/**
 * One sample of an Inspect log: an attempt at an item, numbered by its epoch, with the turns, scores and errors of it.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Foreign, ForeignFailure, ForeignItem, ForeignPlace } from "../foreign.ts";
import { taskOf } from "../foreign-item.ts";
import { rejected } from "../reading/json.ts";
import {
  countIn,
  isObject,
  type JsonObject,
  numberIn,
  objectIn,
  objectsIn,
  textIn,
  timeIn,
} from "../reading/shapes.ts";
import { MOST_ATTACHED_CHARACTERS, openSampleMessages, type SampleMessages } from "./messages.ts";
import { plainName, scoresOf } from "./scores.ts";
import { callersOf, conversationOf, eventRecords, inputOf, MOST_PROMPT_MESSAGES, type TurnSetting } from "./turns.ts";

export interface SampleSetting {
  /** The place of the sample, as it is reported. */
  where: string;
  /** The log's task: samples of two tasks may have one id. */
  task: string;
  /** Sampling that the log says of all samples. */
  config: JsonObject;
  /** Of Inspect. */
  version: string;
  /** The scorer, in logs of 2024 that name it once for all samples. */
  scorer: string;
  /** The samples before, by id and epoch. */
  seen: Set<string>;
}

const MOST_ID_CHARACTERS = 1000;
/** Of one field of an item's details. */
const MOST_DETAIL_CHARACTERS = 1000;

/** Yields what one sample holds; what of it cannot be used comes as `rejected`. */
export function* sampleRecords(value: Json, setting: SampleSetting): Generator<Foreign> {
  const { where, seen } = setting;
  const sample = migrated(objectIn(value), setting.scorer);
  const id = idOf(sample.id);
  if (id === null) return yield rejected(where, "the sample has no id");
  const place = { item: `${setting.task}/${id}`, attempt: Math.max(1, countIn(sample.epoch) ?? 1) };
  const key = JSON.stringify(place);
  if (seen.has(key)) return yield rejected(where, "a sample of this id and epoch came before it");
  seen.add(key);

  const messages = openSampleMessages(sample.attachments);
  yield itemOf(sample, place, messages);
  const { hasTurns, scorers } = callersOf(sample.events);
  const isInvalid = isObject(sample.invalidation);
  const flagged = isInvalid ? ["invalidated"] : [];
  const turns: TurnSetting = { place, messages, hasTurns, config: setting.config, flags: flagged };
  let answers = 0;
  for (const record of hasTurns ? [] : conversationOf(sample, turns)) {
    if (record.kind === "turn") answers++;
    yield record;
  }
  if (!hasTurns && answers === 0) yield rejected(where, "no answer of a model is in the sample");
  const isOver = yield* eventRecords(sample, turns);
  if (isOver) yield rejected(where, `its prompts come to more than ${MOST_PROMPT_MESSAGES} messages`);
  if (messages.isSpent)
    yield rejected(where, `its attachments come to more than ${MOST_ATTACHED_CHARACTERS} characters`);
  yield* failuresOf(sample, place);

  const judges = new Set([...scorers].map(plainName));
  const flags = isInvalid ? ["environment-suspect" as const] : [];
  for (const score of scoresOf(sample.scores, { version: setting.version, judges, flags })) {
    if ("reason" in score) yield rejected(where, score.reason);
    else yield { kind: "verdict", ...place, at: timeIn(sample.completed_at), verdict: score.verdict };
  }
}

/** A sample of an older log under the names of newer ones. */
function migrated(sample: JsonObject, scorer: string): JsonObject {
  const { transcript, score } = sample;
  return {
    ...sample,
    ...(isObject(transcript) && { events: transcript.events ?? [], attachments: transcript.content ?? {} }),
    ...(isObject(score) && !isObject(sample.scores) && { scores: { [scorer]: score } }),
  };
}

function idOf(id: Json | undefined): string | null {
  if (typeof id === "string" && id !== "" && id.length <= MOST_ID_CHARACTERS) return id;
  return Number.isSafeInteger(id) ? String(id) : null;
}

function itemOf(sample: JsonObject, { item }: ForeignPlace, messages: SampleMessages): ForeignItem {
  const { target, choices, sandbox, files, metadata } = sample;
  const input = inputOf(sample).map((message) => messages.read(message)?.message);
  const about = { target, choices, sandbox, files };
  return {
    ...{ kind: "item", item, family: textIn(objectIn(metadata).repo) },
    task: taskOf(input.filter((message) => message !== undefined)),
    detail: { ...shortFields(objectIn(metadata)), ...shortFields(about) },
  };
}

function shortFields(fields: Record<string, Json | undefined>): JsonObject {
  const isShort = (value: Json) => JSON.stringify(value).length <= MOST_DETAIL_CHARACTERS;
  const given = Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(given.filter(([, value]) => value !== null && isShort(value)));
}

/** What went wrong around the attempt: errors, those of tries before it, a limit, and that somebody invalidated it. */
function* failuresOf(sample: JsonObject, place: ForeignPlace): Generator<ForeignFailure> {
  const failure = (code: string, message: Json | undefined): ForeignFailure => {
    const text = typeof message === "string" ? message : JSON.stringify(message ?? null);
    return { kind: "failure", boundary: "sample", code, message: text, place };
  };
  for (const { message } of objectsIn(sample.error_retries)) yield failure("TRY_FAILED", message);
  if (isObject(sample.error)) yield failure("SAMPLE_FAILED", sample.error.message);
  if (isObject(sample.limit)) {
    const { type, limit } = sample.limit;
    yield failure("LIMIT_REACHED", `${textIn(type) ?? "unknown"}: ${numberIn(limit) ?? "unknown"}`);
  }
  if (isObject(sample.invalidation)) {
    const { author, reason } = sample.invalidation;
    yield failure("INVALIDATED", [author, reason].filter((part) => typeof part === "string").join(": "));
  }
}
