/**
 * The items of OpenAI's Responses API as Codex keeps them, as a tree: all that a model gave at one call is one node, its
 * reasoning, its text and its tool calls, with what the tools answered. Reasoning is mostly a cipher; it is flagged.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { hashText, ZERO_HASH } from "../../foundation/hashing.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { keyOf, textOf } from "../conversations.ts";
import type { AnswerFacts } from "../reading/conversation.ts";
import { parseJson } from "../reading/json.ts";
import { assistantMessage, contentOf, toolCall } from "../reading/message-parts.ts";
import { isObject, type JsonObject, numberIn, objectIn, objectsIn, textIn } from "../reading/shapes.ts";
import type { SessionAction, SessionNode } from "./session-tree.ts";

export interface CodexItems {
  /** Where the next node goes on from; null for the beginning. */
  head: number | null;
  readonly nodes: SessionNode[];
  /** The facts of the latest reply; null before the first. */
  readonly lastFacts: AnswerFacts | null;
  /** The latest node that a user's message is in; null before the first. */
  readonly lastAsked: number | null;
  /** Whether more may be added to the latest reply. */
  readonly isOpen: boolean;
  take(item: JsonObject, facts: CodexFacts): void;
  add(node: Omit<SessionNode, "parent" | "reply">): void;
  /** Ends the reply that is open. */
  close(): void;
  /** The exit code and time of a call, where something else than its output says so. */
  noteExit(call: string, exit: CodexExit): void;
  finish(): SessionNode[];
}

export interface CodexFacts {
  at: Date | null;
  model: string | null;
  request: Record<string, Json>;
}

export interface CodexExit {
  exitCode: number | null;
  durationMs: number | null;
}

interface Reply {
  texts: JsonObject[];
  reasoning: string[];
  calls: JsonObject[];
  facts: AnswerFacts & { flags: string[]; request: Record<string, Json> };
}

interface Output {
  message: RecordedMessage;
  at: Date | null;
}

/** Calls that OpenAI answers itself; what came back is not in the file. */
const HOSTED = ["web_search_call", "image_generation_call"];
const CALLS = ["function_call", "custom_tool_call", "local_shell_call", "tool_search_call", ...HOSTED];
const OUTPUTS = ["function_call_output", "custom_tool_call_output", "tool_search_output"];
const EXIT = /^(?:.*\n){0,5}?(?:Process exited with code|Exit code:) (-?\d{1,9})(?=\n|$)/;
const MOST_HEAD_CHARACTERS = 1000;
/** Of the program's own state. */
const PASSED_OVER = ["ghost_snapshot", "additional_tools", "compaction_trigger"];

interface State {
  nodes: SessionNode[];
  replies: Map<number, Reply>;
  outputs: Map<string, Output>;
  exits: Map<string, CodexExit>;
  head: number | null;
  open: Reply | null;
  last: Reply | null;
  lastAsked: number | null;
}

type Added = Omit<SessionNode, "parent" | "reply">;

/** Whether an object is an item of those that Codex keeps. */
export function isCodexItem({ type, role }: JsonObject): boolean {
  const name = textIn(type) ?? "";
  if (name === "message") return typeof role === "string";
  return name === "reasoning" || [CALLS, OUTPUTS, PASSED_OVER].some((names) => names.includes(name));
}

/** Opens an empty tree, to be given the items in their order. */
export function openCodexItems(): CodexItems {
  const places = { head: null, open: null, last: null, lastAsked: null };
  const state: State = { nodes: [], replies: new Map(), outputs: new Map(), exits: new Map(), ...places };
  return {
    nodes: state.nodes,
    get head() {
      return state.head;
    },
    set head(place) {
      state.open = null;
      state.head = place;
    },
    get lastFacts() {
      return state.last?.facts ?? null;
    },
    get lastAsked() {
      return state.lastAsked;
    },
    get isOpen() {
      return state.open !== null;
    },
    add: (node) => addNode(state, node),
    close() {
      state.open = null;
    },
    noteExit: (call, exit) => state.exits.set(call, exit),
    take: (item, facts) => takeItem(state, item, facts),
    finish: () => finished(state),
  };
}

function addNode(state: State, node: Added): void {
  state.open = null;
  state.nodes.push({ ...node, parent: state.head, reply: null });
  state.head = state.nodes.length - 1;
  if (node.messages[0]?.role === "user") state.lastAsked = state.head;
}

/** The reply that is open, or a new one. */
function replyFor(state: State, { at, model, request }: CodexFacts): Reply {
  if (state.open !== null) return state.open;
  addNode(state, { messages: [], isWhole: true });
  const reply = { texts: [], reasoning: [], calls: [], facts: { at, model, request, flags: [] } };
  state.replies.set(state.nodes.length - 1, reply);
  state.open = reply;
  state.last = reply;
  return reply;
}

function takeItem(state: State, item: JsonObject, facts: CodexFacts): void {
  const type = textIn(item.type) ?? "";
  if (PASSED_OVER.includes(type)) return;
  if (type === "message" && item.role === "assistant") {
    const { texts } = replyFor(state, facts);
    for (const part of partsOf(item.content)) texts.push(part);
  } else if (type === "reasoning") takeReasoning(replyFor(state, facts), item);
  else if (CALLS.includes(type)) replyFor(state, facts).calls.push(item);
  else if (OUTPUTS.includes(type)) {
    state.open = null;
    const id = textIn(item.call_id);
    if (id !== null && !state.outputs.has(id)) {
      state.outputs.set(id, { message: outputMessage(item), at: facts.at });
    }
  } else addNode(state, promptNode(type, item));
}

/** The tree, each reply with what its tools gave and a key that no other one has, unless all before it is the same. */
function finished({ nodes, replies, outputs, exits }: State): SessionNode[] {
  const chains: string[] = [];
  for (const [at, node] of nodes.entries()) {
    const reply = replies.get(at);
    const before = node.parent === null ? ZERO_HASH : (chains[node.parent] as string);
    const whole = reply === undefined ? node : { ...node, ...replyParts(reply, { before, outputs, exits }) };
    nodes[at] = whole;
    chains.push(whole.messages.reduce((chain, message) => hashText(chain + keyOf(message)), before));
  }
  return nodes;
}

function takeReasoning({ reasoning, facts }: Reply, { summary, content, encrypted_content }: JsonObject): void {
  const [said, told] = [objectsIn(content), objectsIn(summary)];
  for (const { text } of said.length > 0 ? said : told) if (typeof text === "string") reasoning.push(text);
  const isCipher = typeof encrypted_content === "string" && said.length === 0;
  if (isCipher && !facts.flags.includes("reasoning-encrypted")) facts.flags.push("reasoning-encrypted");
}

/** What a model was told besides its own answers; of an item that cannot be read only that it was there. */
function promptNode(type: string, item: JsonObject): Added {
  if (type !== "message" && type !== "agent_message") return { messages: [], isWhole: false };
  const parts = partsOf(item.content);
  const role = item.role === "developer" ? "system" : (textIn(item.role) ?? "user");
  const isWhole = parts.every((part) => part.encrypted_content === undefined);
  return { messages: [{ role, content: contentOf(parts) }], isWhole };
}

function partsOf(content: Json | undefined): JsonObject[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return objectsIn(content).map((part) => {
    const { text, image_url } = part;
    if (typeof text === "string") return { type: "text", text };
    return typeof image_url === "string" ? { type: "image_url", image_url: { url: image_url } } : part;
  });
}

function outputMessage({ call_id, output, tools }: JsonObject): RecordedMessage {
  const { content } = objectIn(output);
  const given = isObject(output) ? content : (output ?? tools);
  const parts = typeof given === "string" || Array.isArray(given) ? partsOf(given) : [];
  return { role: "tool", tool_call_id: call_id, content: contentOf(parts) };
}

function replyParts(
  { texts, reasoning, calls, facts }: Reply,
  {
    before,
    outputs,
    exits,
  }: { before: string; outputs: ReadonlyMap<string, Output>; exits: ReadonlyMap<string, CodexExit> },
): Pick<SessionNode, "messages" | "reply" | "isWhole"> {
  const named = calls.map((call) => ({ id: textIn(call.call_id) ?? textIn(call.id), ...calledOf(call) }));
  const answer = assistantMessage({
    ...{ content: contentOf(texts), reasoning: reasoning.join("\n") },
    calls: named.map(({ id, name, given }) => toolCall(id, name, given)),
  });
  const answered = named.flatMap((call) => {
    const output = outputs.get(call.id ?? "");
    return output === undefined ? [] : [{ ...call, output }];
  });
  return {
    messages: [answer, ...answered.map(({ output }) => output.message)],
    isWhole: answered.length === calls.length,
    reply: {
      ...{ key: hashText(before + keyOf(answer)), isTurn: true, facts },
      actions: answered.flatMap(({ name, given, id, output }) => {
        const read = typeof given === "string" ? parseJson(given) : { value: given };
        const called = "value" in read && isObject(read.value) ? read.value : null;
        return called === null ? [] : [actionOf({ name, arguments: called }, output, exits.get(id ?? ""))];
      }),
    },
  };
}

/** A tool that takes plain text has it under `input`. */
function calledOf({ type, name, arguments: given, input, action }: JsonObject): { name: string; given: Json } {
  if (type === "custom_tool_call") return { name: textIn(name) ?? "", given: { input: input ?? "" } };
  if (type === "function_call") return { name: textIn(name) ?? "", given: given ?? "{}" };
  const tool = (textIn(type) ?? "").replace(/_call$/, "");
  return { name: tool, given: given ?? action ?? {} };
}

function actionOf(call: SessionAction["call"], { message, at }: Output, known: CodexExit | undefined): SessionAction {
  const text = textOf(message.content);
  const told = exitOf(text);
  const durationMs = known?.durationMs ?? told.durationMs;
  return {
    ...{ call, exitCode: known?.exitCode ?? told.exitCode, stdout: told.stdout, stderr: "", at },
    ...(durationMs !== null && { durationMs }),
  };
}

/** A command's exit code as its output says it: in JSON around it until 2025, then in the lines before it. */
function exitOf(text: string): CodexExit & { stdout: string } {
  const unknown = { exitCode: null, durationMs: null, stdout: text };
  const head = EXIT.exec(text.slice(0, MOST_HEAD_CHARACTERS))?.[1];
  if (head !== undefined) return { ...unknown, exitCode: Number(head) };
  const read = text.startsWith('{"output":') ? parseJson(text) : { value: null };
  const { output, metadata } = objectIn("value" in read ? read.value : null);
  if (typeof output !== "string") return unknown;
  const { exit_code, duration_seconds } = objectIn(metadata);
  const seconds = numberIn(duration_seconds);
  return {
    stdout: output,
    exitCode: Number.isSafeInteger(exit_code) ? (exit_code as number) : null,
    durationMs: seconds !== null && seconds >= 0 ? seconds * 1000 : null,
  };
}
