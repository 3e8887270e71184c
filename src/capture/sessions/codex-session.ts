/**
 * The lines of a Codex rollout as a tree: it goes on from its latest item, from an earlier one where turns were rolled
 * back, and from a new history where it was compacted. What the interface was told beside the items gives usage, exit
 * codes, and where a person's turns begin.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Turn } from "../../records/events.ts";
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
import { type CodexFacts, type CodexItems, isCodexItem, openCodexItems } from "./codex-items.ts";
import type { SessionNode } from "./session-tree.ts";

export interface CodexSession {
  /** False for what is no line of a rollout. */
  take(line: JsonObject): boolean;
  /** Whether it has said what it is, or anything else. */
  readonly isBegun: boolean;
  /** What the file says of the session, of its first `session_meta`; null where it has none. */
  readonly meta: JsonObject | null;
  /** What was asked first, as the interface heard it. */
  readonly task: string | null;
  readonly title: string | null;
  readonly failures: readonly { at: Date | null; message: string }[];
  finish(): SessionNode[];
}

interface State {
  items: CodexItems;
  facts: CodexFacts;
  meta: JsonObject | null;
  task: string | null;
  title: string | null;
  failures: { at: Date | null; message: string }[];
  /** Nodes that a person's turns begin with, the latest last. */
  begins: number[];
  /** The total that the latest usage came with: it is told more than once. */
  total: string;
}

/** Opens the tree of one rollout, to be given its lines in their order. */
export function openCodexSession(): CodexSession {
  const facts = { at: null, model: null, request: {} };
  const rest = { meta: null, task: null, title: null, failures: [], begins: [], total: "" };
  const state: State = { items: openCodexItems(), facts, ...rest };
  const isBegun = () => state.meta !== null || state.items.nodes.length > 0;
  return {
    get isBegun() {
      return isBegun();
    },
    get meta() {
      return state.meta;
    },
    get task() {
      return state.task;
    },
    get title() {
      return state.title;
    },
    failures: state.failures,
    take(line) {
      const type = textIn(line.type);
      state.facts = { ...state.facts, at: timeIn(line.timestamp) ?? state.facts.at };
      if (isObject(line.payload) && type !== null) takeTyped(state, type, line.payload);
      else if (type !== null && line.payload === undefined && (isBegun() || isCodexItem(line)))
        state.items.take(line, state.facts);
      else if (isMetaOfOld(line)) state.meta ??= line;
      else return line.record_type !== undefined;
      return true;
    },
    finish: () => state.items.finish(),
  };
}

/** What a session of before September 2025 begins with. */
export function isMetaOfOld({ type, id, timestamp, instructions }: JsonObject): boolean {
  const isNamed = type === undefined && typeof id === "string" && typeof timestamp === "string";
  return isNamed && (instructions === null || typeof instructions === "string");
}

/** Lines of before September 2025 are bare items, and are taken as such; all others say what they are. */
function takeTyped(state: State, type: string, payload: JsonObject): void {
  if (type === "session_meta") takeMeta(state, payload);
  else if (type === "response_item") state.items.take(payload, state.facts);
  else if (type === "turn_context") takeContext(state, payload);
  else if (type === "compacted") takeCompacted(state, payload);
  else if (type === "event_msg") EVENTS.get(textIn(payload.type) ?? "")?.(state, payload);
  else if (type === "token_usage_record") takeUsage(state, payload.usage);
  else if (type === "inter_agent_communication") state.items.take({ ...payload, type: "agent_message" }, state.facts);
}

/** A fork's file has the one of the session that it copied behind its own. */
function takeMeta(state: State, payload: JsonObject): void {
  if (state.meta !== null) return;
  state.meta = payload;
  if (isObject(payload.history_base)) state.items.add({ messages: [], isWhole: false });
}

function takeContext(state: State, { model, effort, summary }: JsonObject): void {
  state.items.close();
  const reasoning = {
    ...(typeof effort === "string" && { effort }),
    ...(typeof summary === "string" && { summary }),
  };
  const request: CodexFacts["request"] = Object.keys(reasoning).length > 0 ? { reasoning } : {};
  state.facts = { ...state.facts, model: textIn(model), request };
}

/** Until late 2025 the new history was not written down, only the summary in it. */
function takeCompacted({ items, facts }: State, payload: JsonObject): void {
  const { message, replacement_history, replacement_history_entries } = payload;
  const held = Array.isArray(replacement_history) ? replacement_history : replacement_history_entries;
  const given = objectsIn(held).map((entry) => (isObject(entry.item) ? entry.item : entry));
  const history = openCodexItems();
  for (const item of given) history.take(item, facts);
  const nodes = history.finish();
  const summary = typeof message === "string" && message !== "" ? [{ role: "user", content: message }] : [];
  items.add({
    messages: nodes.length === 0 ? summary : nodes.flatMap((node) => node.messages),
    isWhole: nodes.length > 0 && nodes.every((node) => node.isWhole),
    restart: { keptFrom: null },
  });
}

type TakeEvent = (state: State, event: JsonObject) => void;

/** What the interface was told that says more than the items do; it comes right behind them. */
const EVENTS = new Map<string, TakeEvent>([
  ["user_message", (state, { message }) => begin(state, textIn(message))],
  ["item_completed", takeCompleted],
  ["token_count", (state, { info }) => takeCount(state, objectIn(info))],
  ["exec_command_end", ({ items }, event) => noteExit(items, textIn(event.call_id), event)],
  ["thread_rolled_back", rollBack],
  ["turn_aborted", ({ items }) => noteAbort(items)],
  [
    "thread_name_updated",
    (state, { thread_name }) => {
      state.title = textIn(thread_name) ?? state.title;
    },
  ],
  ["error", ({ failures, facts }, { message }) => void failures.push({ at: facts.at, message: textIn(message) ?? "" })],
]);

function takeCompleted(state: State, event: JsonObject): void {
  const item = objectIn(event.item);
  const texts = objectsIn(item.content).flatMap(({ text }) => textIn(text) ?? []);
  if (item.type === "UserMessage") begin(state, texts.join(""));
  else if (item.type === "CommandExecution") noteExit(state.items, textIn(item.id), item);
}

function rollBack({ items, begins }: State, { num_turns }: JsonObject): void {
  const count = countIn(num_turns) ?? 0;
  const [from] = begins.splice(Math.max(0, begins.length - count));
  if (from !== undefined) items.head = items.nodes[from]?.parent ?? null;
}

/** A person's message was just written as an item. */
function begin(state: State, text: string | null): void {
  const { items, begins } = state;
  items.close();
  state.task ??= text || null;
  if (items.lastAsked !== null && begins.at(-1) !== items.lastAsked) begins.push(items.lastAsked);
}

function noteExit(items: CodexItems, call: string | null, { exit_code, duration }: JsonObject): void {
  if (call === null) return;
  const { secs, nanos } = objectIn(duration);
  const seconds = countIn(secs);
  const durationMs = seconds === null ? null : seconds * 1000 + (numberIn(nanos) ?? 0) / 1e6;
  items.noteExit(call, { exitCode: Number.isSafeInteger(exit_code) ? (exit_code as number) : null, durationMs });
}

function takeCount(state: State, { last_token_usage, total_token_usage }: JsonObject): void {
  const total = JSON.stringify(total_token_usage ?? null);
  if (total === state.total) return;
  state.total = total;
  takeUsage(state, last_token_usage);
}

/** Ends a reply: it is told once a call is over, before or behind what the tools then gave. */
function takeUsage({ items }: State, usage: Json | undefined): void {
  items.close();
  const facts = items.lastFacts;
  const read = usageOf(usage);
  if (facts !== null && read !== null) facts.usage ??= read;
}

/** What was cached is counted as input, and reasoning as output. */
function usageOf(usage: Json | undefined): Turn["usage"] {
  const { input_tokens, output_tokens } = objectIn(usage);
  const promptTokens = countIn(input_tokens);
  const completionTokens = countIn(output_tokens);
  return promptTokens === null || completionTokens === null ? null : { promptTokens, completionTokens };
}

/** Only whole items are written, so what lacks of a reply that was not over is not known. */
function noteAbort(items: CodexItems): void {
  const facts = items.lastFacts;
  if (facts !== null && items.isOpen) {
    facts.missing = ["answer"];
    facts.flags = [...(facts.flags ?? []), "interrupted"];
  }
  items.close();
}
