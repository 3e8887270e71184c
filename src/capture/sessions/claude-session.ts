/**
 * The lines of a Claude Code session as a tree. A reply lies on several lines, one a block, that share the id of its
 * message, and each tool's result hangs from the line that asked for it: all of these become one node. Lines that are
 * no messages (hooks, attachments, progress) may stand between two that are, so they are nodes as well, and add nothing.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Turn } from "../../records/events.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { textOf } from "../conversations.ts";
import { finishReasonOf } from "../reading/message-parts.ts";
import { countIn, isObject, type JsonObject, objectIn, textIn, timeIn } from "../reading/shapes.ts";
import { answerOf, askedIn, blocksOf, toolMessage } from "./claude-messages.ts";
import type { SessionAction, SessionNode } from "./session-tree.ts";

export interface ClaudeSession {
  take(line: JsonObject): void;
  /** The tree, and which agent worked within an action. */
  finish(): { nodes: SessionNode[]; agents: ReadonlyMap<SessionAction, string> };
}

interface Reply {
  blocks: JsonObject[];
  /** The latest of its lines. */
  line: JsonObject;
  finishReason: string | null;
  isInterrupted: boolean;
}

interface Result {
  message: RecordedMessage;
  line: JsonObject;
}

const SYNTHETIC = "<synthetic>";
/** Of one reply; more are taken as they come. */
const MOST_COMPARED_BLOCKS = 1000;
const INTERRUPTED = "[Request interrupted by user]";

interface State {
  nodes: SessionNode[];
  /** The node of each line, by the line's id. */
  places: Map<string, number>;
  /** The node of each reply, by its message's id; and what it is made of. */
  replies: Map<string, number>;
  replyAt: Map<number, Reply>;
  results: Map<string, Result>;
}

/** Opens the tree of one session, to be given its lines in their order. */
export function openClaudeSession(): ClaudeSession {
  const state: State = { nodes: [], places: new Map(), replies: new Map(), replyAt: new Map(), results: new Map() };
  const { nodes, places } = state;
  return {
    take(line) {
      const id = textIn(line.uuid);
      if (id !== null && places.has(id)) return; // a copy of a line that is there
      if (line.type === "assistant" && line.isApiErrorMessage !== true) takeReply(state, line);
      else if (line.type === "user") takeUser(state, line);
      else if (id !== null) addNode(state, line, besides(line));
      else if (line.type === "attachment") {
        const last = nodes.at(-1);
        if (last !== undefined) last.isWhole = false;
      }
      if (id !== null && !places.has(id)) places.set(id, nodes.length - 1);
    },
    finish() {
      const agents = new Map<SessionAction, string>();
      for (const [at, reply] of state.replyAt) {
        const node = nodes[at] as SessionNode;
        const parts = replyParts(reply, state.results, agents);
        nodes[at] = { ...node, ...parts, isWhole: node.isWhole && parts.isWhole };
      }
      return { nodes, agents };
    },
  };
}

function addNode(state: State, line: JsonObject, given: Partial<SessionNode>): void {
  const { parent, isKnown } = parentOf(state, line);
  const isKnownStart = isKnown || given.restart !== undefined;
  const isWhole = (given.isWhole ?? true) && isKnownStart;
  state.nodes.push({ messages: [], reply: null, ...given, parent, isWhole });
}

/** Lines that do not say what they follow, follow the one before. */
function parentOf({ nodes, places }: State, line: JsonObject): { parent: number | null; isKnown: boolean } {
  const id = textIn(line.parentUuid ?? line.logicalParentUuid);
  if (line.parentUuid === undefined && id === null) {
    return { parent: nodes.length === 0 ? null : nodes.length - 1, isKnown: true };
  }
  const parent = id === null ? undefined : places.get(id);
  return { parent: parent ?? null, isKnown: id === null || parent !== undefined };
}

function takeReply(state: State, line: JsonObject): void {
  const { nodes, places, replies, replyAt } = state;
  const message = objectIn(line.message);
  const lineId = textIn(line.uuid);
  const id = textIn(message.id) ?? lineId ?? `line ${nodes.length}`;
  const at = replies.get(id) ?? nodes.length;
  const known = replyAt.get(at);
  const blocks = known?.blocks ?? [];
  for (const block of blocksOf(message.content)) merge(blocks, block);
  const finishReason = textIn(message.stop_reason) ?? known?.finishReason ?? null;
  if (known === undefined) addNode(state, line, {});
  replies.set(id, at);
  replyAt.set(at, { blocks, line, finishReason, isInterrupted: known?.isInterrupted ?? false });
  if (lineId !== null) places.set(lineId, at);
}

function takeUser(state: State, line: JsonObject): void {
  const { nodes, replyAt, results } = state;
  const blocks = blocksOf(objectIn(line.message).content);
  for (const block of blocks) {
    const id = block.type === "tool_result" ? textIn(block.tool_use_id) : null;
    if (id !== null && !results.has(id)) results.set(id, { message: toolMessage(block), line });
  }
  const asked = askedIn(blocks);
  addNode(state, line, { messages: asked === null ? [] : [asked] });
  const parent = nodes.at(-1)?.parent ?? null;
  const reply = parent === null ? undefined : replyAt.get(parent);
  if (reply !== undefined && textOf(asked?.content).startsWith(INTERRUPTED)) reply.isInterrupted = true;
}

/** Later lines of a reply add blocks, or say one of those before once more as it has grown. */
function merge(blocks: JsonObject[], block: JsonObject): void {
  const at = blocks.length > MOST_COMPARED_BLOCKS ? -1 : blocks.findIndex((before) => isGrown(before, block));
  blocks.splice(at === -1 ? blocks.length : at, 1, block);
}

function isGrown(before: JsonObject, after: JsonObject): boolean {
  if (before.type !== after.type) return false;
  if (after.type === "tool_use") return before.id === after.id;
  const key = after.type === "thinking" ? "thinking" : "text";
  const [from, to] = [textIn(before[key]), textIn(after[key])];
  if (from === null || to === null) return JSON.stringify(before) === JSON.stringify(after);
  return from !== "" && to.startsWith(from);
}

/** What a line that is no message adds: a new beginning, what a command printed, or a gap. */
function besides({ type, subtype, content, compactMetadata }: JsonObject): Partial<SessionNode> {
  if (type === "attachment") return { isWhole: false };
  if (type !== "system") return {};
  if (subtype === "compact_boundary") {
    return { restart: { keptFrom: null }, isWhole: objectIn(compactMetadata).preservedSegment === undefined };
  }
  if (subtype === "microcompact_boundary") return { isWhole: false };
  return subtype === "local_command" && typeof content === "string" ? { messages: [{ role: "user", content }] } : {};
}

function replyParts(
  { blocks, line, finishReason, isInterrupted }: Reply,
  results: ReadonlyMap<string, Result>,
  agents: Map<SessionAction, string>,
): Pick<SessionNode, "messages" | "reply" | "isWhole"> {
  const message = objectIn(line.message);
  const { message: answer, isRedacted } = answerOf(blocks);
  const calls = blocks.filter(({ type }) => type === "tool_use");
  const given = calls.flatMap(({ id }) => results.get(textIn(id) ?? "") ?? []);
  const isCut = isInterrupted && finishReason === null;
  const actions = calls.flatMap((call) => {
    const result = results.get(textIn(call.id) ?? "");
    if (result === undefined) return [];
    const action = actionOf(call, result);
    const agent = textIn(objectIn(result.line.toolUseResult).agentId);
    if (agent !== null) agents.set(action, agent);
    return [action];
  });
  const model = textIn(message.model);
  return {
    messages: [answer, ...given.map((result) => result.message)],
    isWhole: given.length === calls.length,
    reply: {
      key: textIn(message.id) ?? textIn(line.uuid) ?? JSON.stringify(line),
      isTurn: model !== SYNTHETIC && !isObject(line.forkedFrom),
      actions,
      facts: {
        ...{
          at: timeIn(line.timestamp),
          model,
          finishReason: finishReasonOf(finishReason),
          usage: usageOf(message.usage),
        },
        ...(typeof line.effort === "string" && { request: { effort: line.effort } }),
        ...(isCut && { missing: ["answer"] }),
        flags: [...(isRedacted ? ["reasoning-redacted"] : []), ...(isInterrupted ? ["interrupted"] : [])],
      },
    },
  };
}

/** What was read from and written to the cache is part of the prompt. */
function usageOf(usage: Json | undefined): Turn["usage"] {
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = objectIn(usage);
  const completionTokens = countIn(output_tokens);
  const input = countIn(input_tokens);
  if (input === null || completionTokens === null) return null;
  const cached = (countIn(cache_creation_input_tokens) ?? 0) + (countIn(cache_read_input_tokens) ?? 0);
  return { promptTokens: input + cached, completionTokens };
}

/** A command's two outputs are kept apart beside its result, and its exit code where it failed is the result's first line. */
function actionOf({ name, input }: JsonObject, { message, line }: Result): SessionAction {
  const { stdout, stderr } = objectIn(line.toolUseResult);
  const text = textOf(message.content);
  const isError = message.is_error === true;
  const exit = isError ? /^(?:Error: )?Exit code (\d{1,9})\b/.exec(text)?.[1] : undefined;
  const hasBoth = typeof stdout === "string" && typeof stderr === "string";
  return {
    ...{ call: { name: textIn(name) ?? "", arguments: objectIn(input) }, at: timeIn(line.timestamp) },
    exitCode: exit === undefined ? null : Number(exit),
    ...(isError && { isError }),
    stdout: hasBoth ? stdout : text,
    stderr: hasBoth ? stderr : "",
  };
}
