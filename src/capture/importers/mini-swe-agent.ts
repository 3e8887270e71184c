/**
 * mini-swe-agent's trajectories: one `.traj.json` file an instance, with its `messages` and in `info` how it was run; at
 * first a bare list of messages. Each answer is a turn with all before it as its prompt; what an agent keeps of a call
 * lies in a message's `extra`. An answer that could not be read is not in the list, but with the complaint about it.
 * Passed over: messages of the role `exit`, which no model sees.
 */
import { basename } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import { hashText, shortHash } from "../../foundation/hashing.ts";
import type { TurnPart } from "../../records/events.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { textOf } from "../conversations.ts";
import type { Foreign, ForeignAction, ForeignPlace, ForeignTurn, Rejected } from "../foreign.ts";
import { taskOf } from "../foreign-item.ts";
import type { Importer, ImportInput } from "../importer.ts";
import { misfits, rejected } from "../reading/json.ts";
import { countsIn, isObject, type JsonObject, known, objectIn, objectsIn, textIn, timeIn } from "../reading/shapes.ts";
import { chatMessage, openParameters } from "../trials/chat-message.ts";
import { itemMessages } from "../trials/response-items.ts";
import {
  isSweBenchReport,
  type JoinedReports,
  joinReports,
  outcomeRecord,
  patchDetail,
  repositoryOf,
  runSource,
} from "../trials/swe-bench.ts";
import { usageIn } from "../wire/body.ts";
import { responseFinish } from "../wire/responses.ts";

const SUFFIX = ".traj.json";
const MARK = /"mini_version"\s*:|"trajectory_format"\s*:\s*"mini-swe-agent/;
/** What the agent says of a call that came after the one that ended the run. */
const NOT_DONE = "action was not executed";

const importer: Importer = {
  summary: "mini-swe-agent's `.traj.json` files, with SWE-bench reports below the same folder",
  lossy: ["tools", "calls of an answer that could not be read", "usage and times in files of version 1"],
  detects(file) {
    const text = file.head.toString("latin1");
    if (isSweBenchReport(file) || (/^\s*\{/.test(text) && MARK.test(text))) return true;
    return file.name.endsWith(SUFFIX) && /^\s*[[{]/.test(text) && /"(messages|role|info)"\s*:/.test(text);
  },
  *read(input) {
    const reports = joinReports(input, SUFFIX);
    yield* reports.rejected;
    for (const file of reports.trajectories) yield* readFile(file, input, reports);
  },
};

export default importer;

function* readFile(file: string, input: ImportInput, reports: JoinedReports): Generator<Foreign> {
  const read = input.document(file);
  if ("reason" in read) {
    yield rejected(file, read.reason);
    return;
  }
  const document = Array.isArray(read.value) ? { messages: read.value } : objectIn(read.value);
  const entries = objectsIn(document.messages);
  const told = entries.flatMap(toldMessages);
  if (told.length === 0) {
    yield rejected(file, "it has no `messages`");
    return;
  }
  const info = objectIn(document.info);
  const name = basename(file, SUFFIX);
  const task = taskOf(told.map(({ message }) => message));
  // A run of a single task is called by where it was kept.
  const item = textIn(document.instance_id) || (name.includes("__") ? name : `question-${shortHash(hashText(task))}`);
  const outcome = reports.outcomeOf(file);
  const { model, environment, agent_type, model_type, environment_type } = objectIn(info.config);
  const { mini_version, model_stats, exit_status, submission } = info;
  yield {
    ...{ kind: "run", nativeId: textIn(document.instance_id) || name, skill: "coding", ...runSource(file, outcome) },
    startedAt: entries.map(timeOf).find((at) => at !== null) ?? null,
    model: textIn(objectIn(model).model_name),
    facts: known({ mini_version, model_stats, agent_type, model_type, environment_type }),
  };
  const { image, cwd } = objectIn(environment);
  const repository = repositoryOf(item);
  const detail = known({ repository, image, cwd, exit_status, ...patchDetail(submission) });
  yield { kind: "item", item, family: repository, task, detail };
  yield* strangers(document.messages, `${file}#/messages`);
  yield* conversation(told, { item, attempt: 1 }, objectIn(model));
  yield* stopOf(info, { item, attempt: 1 });
  if (outcome !== null) yield outcomeRecord(outcome, { item, attempt: 1 });
}

/** A message, and what the agent kept of it. */
interface Told {
  message: RecordedMessage;
  entry: JsonObject;
}

function isTold({ role, object, type }: JsonObject): boolean {
  return textIn(role) !== null || object === "response" || type === "function_call_output";
}

function* strangers(messages: Json | undefined, where: string): Generator<Rejected> {
  yield* misfits(messages, where);
  for (const [i, entry] of (Array.isArray(messages) ? messages : []).entries()) {
    if (isObject(entry) && !isTold(entry)) yield rejected(`${where}/${i}`, "nobody says it");
  }
}

function toldMessages(entry: JsonObject): Told[] {
  if (!isTold(entry) || entry.role === "exit") return [];
  const message = entry.object === "response" ? null : chatMessage(entry);
  if (message !== null) return [{ message, entry }];
  const items = entry.object === "response" ? objectsIn(entry.output) : [entry];
  return itemMessages(items).map((told) => ({ message: told.message, entry }));
}

function* conversation(told: Told[], place: ForeignPlace, model: JsonObject): Generator<ForeignTurn | ForeignAction> {
  const parameters = openParameters(model.model_kwargs);
  const request = known({ model: model.model_name, ...parameters });
  const isCalling = told.some(({ message }) => message.tool_calls !== undefined);
  const isKept = told.some(({ entry }) => isObject(bodyOf(entry)));
  const messages = told.map(({ message }) => message);
  for (const [i, { message, entry }] of told.entries()) {
    const isAnswer = message.role === "assistant";
    const isUnread = objectIn(entry.extra).interrupt_type === "FormatError";
    // Where the agent kept what the model sent, a command without it is a person's.
    if (!(isAnswer || isUnread) || (isAnswer && isKept && entry.extra === undefined && !isObject(bodyOf(entry))))
      continue;
    const response = isAnswer ? message : unreadAnswer(entry);
    const missing: TurnPart[] = [];
    if (isCalling) missing.push("tools");
    if (response === null) missing.push("answer");
    if (parameters.temperature === undefined) missing.push("sampling");
    const at = timeOf(entry);
    const turn = { role: "worker", messages: messages.slice(0, i), tools: null, response, request, missing };
    yield { kind: "turn", ...place, at, ...turn, ...answerFacts(entry), ...(isUnread && { flags: ["no-action"] }) };
    if (isAnswer) yield* actionsOf(told, i, { ...place, at });
  }
}

function timeOf({ extra }: JsonObject): Date | null {
  return timeIn(objectIn(extra).timestamp);
}

/** The body that the model's server sent. */
function bodyOf(entry: JsonObject): unknown {
  return entry.object === "response" ? entry : objectIn(entry.extra).response;
}

function unreadAnswer(entry: JsonObject): RecordedMessage | null {
  const text = textIn(objectIn(entry.extra).model_response);
  if (text !== null) return { role: "assistant", content: text };
  const { choices, output } = objectIn(bodyOf(entry));
  const [choice] = objectsIn(choices);
  if (choice !== undefined) return chatMessage(objectIn(choice.message), "assistant");
  return itemMessages(objectsIn(output))[0]?.message ?? null;
}

function answerFacts(entry: JsonObject): Partial<ForeignTurn> {
  const body = objectIn(bodyOf(entry));
  const [choice] = objectsIn(body.choices);
  const completion = countsIn(choice?.token_ids ?? objectIn(choice?.provider_specific_fields).token_ids);
  const prompt = countsIn(body.prompt_token_ids);
  return {
    ...{ usage: usageIn(body.usage), model: textIn(body.model) },
    finishReason: textIn(choice?.finish_reason) ?? responseFinish(body),
    ...((prompt ?? completion) !== null && { tokenIds: { prompt, completion } }),
  };
}

/** The commands of an answer that something came of, each with its result. */
function* actionsOf(told: Told[], answer: number, place: ForeignPlace): Generator<ForeignAction> {
  const { message, entry } = told[answer] as Told;
  const later = told.slice(answer + 1);
  const end = later.findIndex((one) => one.message.role === "assistant");
  const heard = later.slice(0, end === -1 ? later.length : end);
  const { actions } = objectIn(entry.extra);
  const commands = Array.isArray(actions) ? objectsIn(actions) : fencedCommands(message.content);
  for (const [k, { command, tool_call_id }] of commands.entries()) {
    const isResult = ({ message }: Told) => message.tool_call_id === tool_call_id;
    const result = textIn(tool_call_id) === null ? heard[k] : heard.find(isResult);
    if (textIn(command) === null || result === undefined) continue;
    const { exception_info, interrupt_type } = objectIn(result.entry.extra);
    if (exception_info === NOT_DONE || interrupt_type !== undefined) continue;
    const call = { name: "bash", arguments: { command: command as string } };
    yield { kind: "action", ...place, call, ...resultOf(result), stderr: textIn(exception_info) ?? "" };
  }
}

/** The one command of an answer whose agent kept nothing but texts: with none or several it carries out none. */
function fencedCommands(content: unknown): JsonObject[] {
  const blocks = typeof content === "string" ? content.split("```").filter((_, i) => i % 2 === 1) : [];
  const commands = blocks.flatMap((block) => /^(?:mswea_bash_command|bash)[ \t]*\n(.*)\n$/s.exec(block)?.[1] ?? []);
  return commands.length === 1 ? [{ command: (commands[0] as string).trim() }] : [];
}

function resultOf({ message, entry }: Told): { exitCode: number | null; stdout: string } {
  const { raw_output, returncode } = objectIn(entry.extra);
  if (textIn(raw_output) !== null) return { exitCode: exitCodeIn(returncode), stdout: raw_output as string };
  const text = textOf(message.content);
  const [, code, output] = /^<returncode>(-?\d+)<\/returncode>\s*<output>\n?(.*)<\/output>\s*$/s.exec(text) ?? [];
  return { exitCode: code === undefined ? null : exitCodeIn(Number(code)), stdout: output ?? text };
}

function exitCodeIn(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}

function* stopOf({ exit_status, exception_str }: JsonObject, place: ForeignPlace): Generator<Foreign> {
  const status = textIn(exit_status) ?? "";
  if (status === "" || status === "Submitted") return;
  const message = [status, textIn(exception_str) ?? ""].filter((text) => text !== "").join(": ");
  yield { kind: "failure", boundary: "agent", code: "STOPPED", message, place };
}
