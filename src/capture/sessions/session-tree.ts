/**
 * Sessions of coding agents, which people rewind, fork and compact: a tree of what was said, where each path from the
 * root to a last answer is an attempt. An answer that several paths share is a turn of the first one, and one that
 * several files share of the first file.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { TurnPart } from "../../records/events.ts";
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import type { Foreign, ForeignAction, ForeignPlace, ForeignTurn } from "../foreign.ts";
import type { AnswerFacts } from "../reading/conversation.ts";
import { MOST_DOCUMENT_BYTES, rejected } from "../reading/json.ts";

/** Of one session's file: all of it has to be there before its paths can be told. */
export const MOST_SESSION_BYTES = 2 * MOST_DOCUMENT_BYTES;
/** Prompts of one session, all together: they grow with the square of its turns. */
export const MOST_SESSION_PROMPTS = 10_000_000;

export interface SessionNode {
  /** The place of the node that it follows, which is before its own; null for a root. */
  parent: number | null;
  /** What it adds to the prompts of those below it; of a reply the answer first, then what its tools gave. */
  messages: readonly RecordedMessage[];
  reply: SessionReply | null;
  /** False where the prompts below it lack something that the model was shown. */
  isWhole: boolean;
  /** Where the history before it was replaced by its own messages, and by those of the nodes from a kept one on. */
  restart?: { keptFrom: number | null };
}

export interface SessionReply {
  /** The same in every copy of the answer. */
  key: string;
  /** False for what no model said, or said in another session. */
  isTurn: boolean;
  facts: AnswerFacts & { request?: Record<string, Json> };
  /** Why the call failed, where it did. */
  error?: string;
  actions: readonly SessionAction[];
}

export type SessionAction = Pick<
  ForeignAction,
  "call" | "exitCode" | "isError" | "stdout" | "stderr" | "durationMs" | "at"
>;

export interface SessionSetting {
  where: string;
  place: Omit<ForeignPlace, "at">;
  role: string;
  /** True where all paths are of the one attempt, as an agent's are that another one called. */
  isOneAttempt: boolean;
  /** What every prompt begins with; nothing where it is not known. */
  system: readonly RecordedMessage[];
  tools: readonly RecordedTool[] | null;
  /** Of every turn. */
  missing: readonly TurnPart[];
  /** Keys of the answers that are turns already. */
  seen: Set<string>;
  /** Of all prompts together; for tests. */
  mostMessages?: number;
  /** What happened within an action: another agent's turns. */
  within?(action: SessionAction, place: ForeignPlace): Iterable<Foreign>;
}

/** The turns and actions of a session, path by path; the first path's attempt is the one of `place`. */
export function* treeRecords(nodes: readonly SessionNode[], setting: SessionSetting): Generator<Foreign> {
  let { attempt } = setting.place;
  const { mostMessages = MOST_SESSION_PROMPTS } = setting;
  let leftMessages = mostMessages;
  for (const leaf of leavesOf(nodes, setting.seen)) {
    const path = pathTo(nodes, leaf);
    leftMessages -= path.length;
    if (leftMessages < 0) break;
    if (!path.some((at) => isNew(nodes[at] as SessionNode, setting.seen))) continue;
    leftMessages = yield* pathRecords(path, nodes, { ...setting, place: { ...setting.place, attempt }, leftMessages });
    if (!setting.isOneAttempt) attempt++;
  }
  if (leftMessages < 0) yield rejected(setting.where, `its prompts come to more than ${mostMessages} messages`);
}

/**
 * The last reply of each path that has a new one. A reply goes on the path of the one before it, or begins another where
 * that one was gone on from already. Paths are in the order in which their new replies began: a session that grows, on
 * whichever of them, changes no path's number.
 */
function leavesOf(nodes: readonly SessionNode[], seen: ReadonlySet<string>): number[] {
  const paths: { leaf: number; firstNew: number | null }[] = [];
  const byLeaf = new Map<number | null, (typeof paths)[number]>();
  /** Of each node the reply that it is, or that is next above it. */
  const replies: (number | null)[] = [];
  for (const [at, node] of nodes.entries()) {
    const before = node.parent === null ? null : (replies[node.parent] ?? null);
    replies.push(node.reply === null ? before : at);
    if (node.reply === null) continue;
    const path = byLeaf.get(before) ?? { leaf: at, firstNew: null };
    if (!byLeaf.delete(before)) paths.push(path);
    path.leaf = at;
    path.firstNew ??= isNew(node, seen) ? at : null;
    byLeaf.set(at, path);
  }
  const begun = paths.flatMap(({ leaf, firstNew }) => (firstNew === null ? [] : [{ leaf, firstNew }]));
  return begun.sort((one, other) => one.firstNew - other.firstNew).map(({ leaf }) => leaf);
}

function pathTo(nodes: readonly SessionNode[], leaf: number): number[] {
  const path: number[] = [];
  for (let at: number | null = leaf; at !== null; at = nodes[at]?.parent ?? null) path.push(at);
  return path.reverse();
}

function isNew({ reply }: SessionNode, seen: ReadonlySet<string>): boolean {
  return reply?.isTurn === true && !seen.has(reply.key);
}

function* pathRecords(
  path: readonly number[],
  nodes: readonly SessionNode[],
  setting: SessionSetting & { leftMessages: number },
): Generator<Foreign, number> {
  const { system, place, seen } = setting;
  let { leftMessages } = setting;
  const said: RecordedMessage[] = [];
  const starts = new Map<number, number>();
  let head = system;
  let start = 0;
  let isWhole = true;
  for (const at of path) {
    const node = nodes[at] as SessionNode;
    starts.set(at, said.length);
    if (node.restart !== undefined) {
      const { keptFrom } = node.restart;
      head = [...system, ...node.messages];
      start = (keptFrom === null ? undefined : starts.get(keptFrom)) ?? said.length;
      isWhole = node.isWhole;
      continue;
    }
    if (node.reply !== null && isNew(node, seen)) {
      leftMessages -= head.length + said.length - start;
      if (leftMessages < 0) return leftMessages;
      seen.add(node.reply.key);
      yield turnOf(node.reply, node, { ...setting, isWhole, prompt: [...head, ...said.slice(start)] });
      const { error } = node.reply;
      if (error !== undefined) yield { kind: "failure", boundary: "model", code: "CALL_FAILED", message: error, place };
      yield* actionRecords(node.reply, setting);
    }
    for (const message of node.messages) said.push(message);
    isWhole &&= node.isWhole;
  }
  return leftMessages;
}

/** All actions of a reply before what happened within them: an action is of the turn that was said last. */
function* actionRecords({ actions, facts }: SessionReply, { place, within }: SessionSetting): Generator<Foreign> {
  const placeOf = ({ at }: SessionAction) => ({ ...place, at: at ?? facts.at ?? null });
  for (const action of actions) yield { kind: "action", ...action, ...placeOf(action) };
  if (within !== undefined) for (const action of actions) yield* within(action, placeOf(action));
}

function turnOf(
  { facts }: SessionReply,
  { messages }: SessionNode,
  setting: SessionSetting & { isWhole: boolean; prompt: RecordedMessage[] },
): ForeignTurn {
  const { place, role, tools, missing, isWhole, prompt } = setting;
  const isComplete = isWhole && prompt.length > 0;
  const lost = new Set([...missing, ...(isComplete ? [] : ["prompt" as const]), ...(facts.missing ?? [])]);
  return {
    ...{ kind: "turn", role, messages: prompt, tools, response: messages[0] ?? null },
    ...{ ...facts, ...place, at: facts.at ?? null, missing: [...lost] },
  };
}
