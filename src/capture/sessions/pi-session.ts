/**
 * The entries of a pi session as a tree: by their ids, and before those came by their order. An answer that was broken
 * off is kept as far as it came; pi has sent such answers on or not from version to version, so prompts behind one that
 * says something count as lacking.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { hashText } from "../../foundation/hashing.ts";
import type { Turn } from "../../records/events.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { textOf } from "../conversations.ts";
import { assistantMessage, contentOf, finishReasonOf, toolCall } from "../reading/message-parts.ts";
import { countIn, type JsonObject, objectIn, objectsIn, textIn, timeIn } from "../reading/shapes.ts";
import type { SessionAction, SessionNode, SessionReply } from "./session-tree.ts";

export interface PiSession {
  take(entry: JsonObject): void;
  finish(): SessionNode[];
}

type Added = Omit<SessionNode, "parent">;

interface Result {
  message: RecordedMessage;
  at: Date | null;
}

/** Roles of messages that are told the model as a user's. */
const TOLD = ["user", "custom", "hookMessage"];
const BROKEN = ["aborted", "error"];
/** Entries that change what the model is sent without saying how it then reads. */
const CHANGES = ["context_transform", "ephemeral"];
const NOTHING: Added = { messages: [], reply: null, isWhole: true };

interface State {
  nodes: SessionNode[];
  ids: Map<string, number>;
  /** How much the model was to think, at each node, and at the beginning. */
  levels: (string | null)[];
  level: string | null;
  /** Replies by their node, until their tools' results are known. */
  replies: Map<number, JsonObject>;
  results: Map<string, Result>;
  /** The node of each entry, the session's own among them. */
  places: (number | null)[];
}

/** Opens the tree of one session, to be given its entries in their order. */
export function openPiSession(): PiSession {
  const found = { ids: new Map(), replies: new Map(), results: new Map() };
  const state: State = { ...found, nodes: [], levels: [], level: null, places: [] };
  return {
    take: (entry) => takeEntry(state, entry),
    finish() {
      const { nodes, replies, results, levels } = state;
      for (const [at, entry] of replies) {
        const node = nodes[at] as SessionNode;
        const parts = replyParts(entry, results, levels[at] ?? null);
        nodes[at] = { ...node, ...parts, isWhole: node.isWhole && parts.isWhole };
      }
      return nodes;
    },
  };
}

function takeEntry(state: State, entry: JsonObject): void {
  const { nodes, ids, levels, places } = state;
  if (entry.type === "session") {
    state.level = textIn(entry.thinkingLevel);
    places.push(null);
    return;
  }
  const { parent, isKnown } = parentOf(state, entry);
  const added = addedBy(state, entry);
  const changed = entry.type === "thinking_level_change" ? textIn(entry.thinkingLevel) : null;
  levels.push(changed ?? (parent === null ? state.level : (levels[parent] ?? null)));
  nodes.push({ ...added, parent, isWhole: added.isWhole && isKnown });
  places.push(nodes.length - 1);
  if (typeof entry.id === "string" && !ids.has(entry.id)) ids.set(entry.id, nodes.length - 1);
}

function parentOf({ nodes, ids }: State, { id, parentId }: JsonObject): { parent: number | null; isKnown: boolean } {
  if (typeof id !== "string") return { parent: nodes.length === 0 ? null : nodes.length - 1, isKnown: true };
  const parent = typeof parentId === "string" ? ids.get(parentId) : undefined;
  return { parent: parent ?? null, isKnown: typeof parentId !== "string" || parent !== undefined };
}

function addedBy(state: State, entry: JsonObject): Added {
  const { type, summary, content } = entry;
  const told = typeof summary === "string" ? [{ role: "user", content: summary }] : [];
  // pi puts words of its own around a summary, which the file does not have.
  if (type === "compaction") {
    return { ...NOTHING, messages: told, isWhole: false, restart: { keptFrom: keptFrom(state, entry) } };
  }
  if (type === "branch_summary") return { ...NOTHING, messages: told, isWhole: told.length === 0 };
  if (type === "custom_message") return { ...NOTHING, messages: [toldMessage(content)] };
  if (CHANGES.includes(textIn(type) ?? "")) return { ...NOTHING, isWhole: false };
  return type === "message" ? addedByMessage(state, entry) : NOTHING;
}

/** The first version counts entries, the session's own among them. */
function keptFrom({ ids, places }: State, { firstKeptEntryId, firstKeptEntryIndex }: JsonObject): number | null {
  const index = countIn(firstKeptEntryIndex);
  return ids.get(textIn(firstKeptEntryId) ?? "") ?? (index === null ? null : (places[index] ?? null));
}

function addedByMessage({ nodes, replies, results }: State, entry: JsonObject): Added {
  const message = objectIn(entry.message);
  const role = textIn(message.role) ?? "";
  const at = timeIn(entry.timestamp) ?? timeIn(message.timestamp);
  if (role === "assistant") replies.set(nodes.length, entry);
  else if (role === "toolResult") {
    const id = textIn(message.toolCallId);
    if (id !== null && !results.has(id)) results.set(id, { message: toolMessage(message), at });
  } else if (TOLD.includes(role)) return { ...NOTHING, messages: [toldMessage(message.content)] };
  else if (role !== "bashExecution" || message.excludeFromContext !== true) {
    // A command that the person ran is told in pi's words, and other roles in nobody knows which.
    return { ...NOTHING, messages: commandMessages(message), isWhole: false };
  }
  return NOTHING;
}

function toldMessage(content: Json | undefined): RecordedMessage {
  return { role: "user", content: contentOf(partsOf(content)) };
}

function commandMessages({ command, output }: JsonObject): RecordedMessage[] {
  return typeof command === "string" ? [{ role: "user", content: `${command}\n${textIn(output) ?? ""}` }] : [];
}

function partsOf(content: Json | undefined): JsonObject[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return objectsIn(content).map((part) => {
    const { type, text, data, mimeType } = part;
    if (type === "text" && typeof text === "string") return { type, text };
    if (type !== "image" || typeof data !== "string") return part;
    return { type: "image_url", image_url: { url: `data:${textIn(mimeType) ?? ""};base64,${data}` } };
  });
}

function toolMessage({ toolCallId, toolName, content, isError }: JsonObject): RecordedMessage {
  return {
    role: "tool",
    tool_call_id: toolCallId,
    ...(typeof toolName === "string" && { name: toolName }),
    content: contentOf(partsOf(content), "\n"),
    ...(isError === true && { is_error: true }),
  };
}

function replyParts(
  { message: said, timestamp }: JsonObject,
  results: ReadonlyMap<string, Result>,
  level: string | null,
): Pick<SessionNode, "messages" | "reply" | "isWhole"> {
  const message = objectIn(said);
  const blocks = objectsIn(message.content);
  const calls = blocks.filter(({ type }) => type === "toolCall");
  const given = calls.flatMap((call) => {
    const result = results.get(textIn(call.id) ?? "");
    return result === undefined ? [] : [{ call, result }];
  });
  const isBroken = BROKEN.includes(textIn(message.stopReason) ?? "");
  const isSilent = blocks.length === 0;
  const thoughts = blocks.filter(({ type }) => type === "thinking");
  const isRedacted = thoughts.some(({ thinking, redacted }) => redacted === true || !thinking);
  const reply: SessionReply = {
    ...{ key: hashText(JSON.stringify(message)), isTurn: true },
    ...(isBroken && { error: textIn(message.errorMessage) ?? textIn(message.stopReason) ?? "" }),
    facts: {
      ...{
        at: timeIn(timestamp) ?? timeIn(message.timestamp),
        model: textIn(message.model),
        usage: usageOf(message.usage),
      },
      finishReason: finishReasonOf(textIn(message.stopReason)),
      ...(level !== null && { request: { reasoning: level } }),
      ...(isBroken && !isSilent && { missing: ["answer"] }),
      flags: [...(isRedacted ? ["reasoning-redacted"] : []), ...(isBroken ? ["interrupted"] : [])],
    },
    actions: given.map(({ call, result }) => actionOf(call, result)),
  };
  if (isBroken && isSilent) return { messages: [], isWhole: true, reply };
  const answer = assistantMessage({
    content: contentOf(partsOf(blocks.filter(({ type }) => type !== "toolCall" && type !== "thinking"))),
    reasoning: thoughts.flatMap(({ thinking }) => textIn(thinking) || []).join("\n"),
    calls: calls.map(({ id, name, arguments: args }) => toolCall(textIn(id), textIn(name) ?? "", args)),
  });
  const isWhole = !isBroken && given.length === calls.length;
  return { messages: [answer, ...given.map(({ result }) => result.message)], isWhole, reply };
}

/** A call that failed before it was counted has zeros. */
function usageOf(usage: Json | undefined): Turn["usage"] {
  const [input, output, read, write] = ["input", "output", "cacheRead", "cacheWrite"].map((key) =>
    countIn(objectIn(usage)[key]),
  );
  if (typeof input !== "number" || typeof output !== "number") return null;
  const promptTokens = input + (read ?? 0) + (write ?? 0);
  return promptTokens + output === 0 ? null : { promptTokens, completionTokens: output };
}

/** Where a command failed, its exit code is its result's last line. */
function actionOf({ name, arguments: given }: JsonObject, { message, at }: Result): SessionAction {
  const stdout = textOf(message.content);
  const isError = message.is_error === true;
  const exit = isError ? /Command exited with code (\d{1,9})\s*$/.exec(stdout.slice(-100))?.[1] : undefined;
  const call = { name: textIn(name) ?? "", arguments: objectIn(given) };
  const exitCode = exit === undefined ? null : Number(exit);
  return { call, exitCode, ...(isError && { isError }), stdout, stderr: "", at };
}
