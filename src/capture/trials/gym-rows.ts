/**
 * Rows of NeMo Gym, as its Harbor agent writes trials: what the model was asked (`responses_create_params`), what was
 * said from then on (`response.output`, in items of the responses API), and what came of it. A trial that broke has a
 * reward of 0 there that no verifier gave: it is none.
 */
import { basename } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import type { TurnPart } from "../../records/events.ts";
import type { Foreign, ForeignRun, Rejected } from "../foreign.ts";
import { taskOf } from "../foreign-item.ts";
import type { ImportInput } from "../importer.ts";
import { attemptNumbers } from "../reading/attempt-numbers.ts";
import { type AnswerFacts, conversationRecords } from "../reading/conversation.ts";
import { misfits, rejected } from "../reading/json.ts";
import {
  countsIn,
  isObject,
  type JsonObject,
  known,
  numberIn,
  objectIn,
  objectsIn,
  textIn,
  timeIn,
} from "../reading/shapes.ts";
import { responseFinish, responses } from "../wire/responses.ts";
import { resultRecords, rewardVerdict, taskDetail } from "./harbor-result.ts";
import { type ItemMessage, isItem, itemMessages } from "./response-items.ts";
import { repositoryOf } from "./swe-bench.ts";

/** A long file is several runs, so that memory does not grow with it. */
const MOST_ROWS_A_RUN = 50_000;

/** Says what a file of rows holds: one run, or several of a long one, each row an attempt. */
export function* gymRecords(file: string, input: ImportInput): Generator<Foreign> {
  let attempts = attemptNumbers();
  let rows = 0;
  for (const line of input.lines(file)) {
    if ("kind" in line) {
      yield line;
      continue;
    }
    const row = objectIn(line.value);
    if (!isObject(row.responses_create_params) || !isObject(row.response)) {
      yield rejected(line.where, "it has no `responses_create_params` and `response`");
      continue;
    }
    if (rows % MOST_ROWS_A_RUN === 0) {
      attempts = attemptNumbers();
      yield runOf(file, rows / MOST_ROWS_A_RUN, row);
    }
    rows++;
    yield* rowRecords(row, { attempts, where: line.where });
  }
}

function runOf(file: string, part: number, row: JsonObject): ForeignRun {
  const { agent_info, config } = objectIn(row.metadata);
  return {
    ...{ kind: "run", nativeId: part === 0 ? basename(file) : `${basename(file)}#${part + 1}`, files: [file] },
    ...{ startedAt: timeOf(row), skill: "coding", model: textIn(objectIn(row.response).model) },
    facts: known({ agent: objectIn(agent_info).name, job: objectIn(config).job_id }),
  };
}

function* rowRecords(
  row: JsonObject,
  { attempts, where }: { attempts: (item: string) => number; where: string },
): Generator<Foreign> {
  const result = objectIn(row.metadata);
  const { instructions, input, ...parameters } = objectIn(row.responses_create_params);
  const { output } = objectIn(row.response);
  const asked = typeof input === "string" ? [{ role: "user", content: input }] : input;
  const system = textIn(instructions) === null ? [] : [{ role: "system", content: instructions as string }];
  yield* strangers(asked, `${where}#/responses_create_params/input`);
  yield* strangers(output, `${where}#/response/output`);
  const heard = itemMessages([...system, ...objectsIn(asked).filter(isItem)]);
  const told = [...heard, ...itemMessages(objectsIn(output).filter(isItem))];
  const messages = told.map(({ message }) => message);
  const item = textIn(result.task_name) || textIn(row.instance_id) || where;
  const attempt = attempts(item);
  const task = taskOf(messages);
  const detail = { ...taskDetail(result), ...known({ instance_id: textIn(row.instance_id) }) };
  yield { kind: "item", item, family: repositoryOf(item), task, detail };

  const tools = responses.readCall({ ...parameters, input: "" })?.tools ?? null;
  const request = requestOf(parameters);
  const missing: TurnPart[] = [];
  if (tools === null && messages.some(({ tool_calls }) => tool_calls !== undefined)) missing.push("tools");
  if (request.temperature === undefined) missing.push("sampling");
  const place = { item, attempt, at: timeOf(row) };
  const answers = new Map(told.map((one, i) => [i, i < heard.length ? null : answerFacts(one)]));
  const last = told.findLastIndex(({ message }) => message.role === "assistant");
  const finishReason = responseFinish(objectIn(row.response));
  const facts = answers.get(last) ?? null;
  if (finishReason !== null && facts !== null) answers.set(last, { ...facts, finishReason });
  const model = textIn(objectIn(row.response).model);
  yield* conversationRecords({ ...place, messages, tools, model, request, missing, answers });

  const at = timeIn(result.finished_at);
  if (Object.hasOwn(result, "verifier_result")) yield* resultRecords(result, { item, attempt, at, where });
  else if (row.reward !== undefined && row.reward !== null) {
    yield* rewardVerdict(result, { reward: row.reward, evidence: null, where, place: { item, attempt, at } });
  }
}

function* strangers(items: Json | undefined, where: string): Generator<Rejected> {
  yield* misfits(items, where);
  for (const [i, item] of (Array.isArray(items) ? items : []).entries()) {
    if (isObject(item) && !isItem(item)) yield rejected(`${where}/${i}`, "it says neither its type nor who speaks");
  }
}

function requestOf(parameters: JsonObject): JsonObject {
  const { model, temperature, top_p, max_output_tokens, tool_choice, parallel_tool_calls, reasoning } = parameters;
  return known({ model, temperature, top_p, max_output_tokens, tool_choice, parallel_tool_calls, reasoning });
}

/** Where the model is being trained, its items carry the tokens. */
function answerFacts({ items }: ItemMessage): AnswerFacts {
  const ids = items.map(({ prompt_token_ids, generation_token_ids }) => ({
    prompt: countsIn(prompt_token_ids),
    completion: countsIn(generation_token_ids),
  }));
  const tokenIds = ids.find(({ completion }) => completion !== null);
  return tokenIds === undefined ? {} : { tokenIds };
}

function timeOf({ metadata, response }: JsonObject): Date | null {
  return timeIn(objectIn(metadata).started_at) ?? timeIn(numberIn(objectIn(response).created_at));
}
