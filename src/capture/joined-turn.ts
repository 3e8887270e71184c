/**
 * A turn of a foreign log with the calls that were recorded of it in its place, and what its tools did: what was called and what
 * came of it as it was recorded, exit codes and what never was sent back to the model as the log has it.
 */
import type { ActionCall, Turn } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import type { RecordedMessage, RecordedTool } from "../records/message.ts";
import type { RecordedTexts } from "../store/recorded-texts.ts";
import { areCalled, isCutOf } from "./align.ts";
import { textOf } from "./conversations.ts";
import type { ForeignAction, ForeignTurn } from "./foreign.ts";
import { parseJson } from "./reading/json.ts";
import { isObject, objectsIn, textIn } from "./reading/shapes.ts";

/** The recorded calls of one turn of a log: those of a conversation where the log merges them, else a single one. */
export interface RecordedPart {
  turns: readonly Turn[];
  /** The call after them in the same conversation, in whose prompt the results of their tools stand; null where there is none. */
  next: Turn | null;
  /** Whether they are all calls of a conversation. */
  isWhole: boolean;
}

export interface RecordedFrom {
  run: RunId;
  texts: RecordedTexts;
}

/** Says the recorded calls of a turn and its actions; `done` are the log's actions of that turn. */
export function* joinedTurn(
  { turn: record, done }: { turn: ForeignTurn; done: readonly ForeignAction[] },
  { turns, next, isWhole }: RecordedPart,
  { run, texts }: RecordedFrom,
): Generator<ForeignTurn | ForeignAction> {
  const { item, attempt, at = null, role, phase = "call" } = record;
  const results = new Map<string, string>();
  const read = (hash: string) => texts.read(run, hash) as RecordedMessage;
  const note = (messages: readonly RecordedMessage[]) => {
    for (const { tool_call_id, content } of messages) {
      if (typeof tool_call_id === "string") results.set(tool_call_id, textOf(content));
    }
  };
  const said: ForeignTurn[] = [];
  const calls: MadeCall[][] = [];
  // What was retrieved for the first prompt stands in each later one of the conversation.
  for (const turn of turns) {
    const messages = turn.messages.map(read);
    note(messages);
    const response = turn.response === null ? null : read(turn.response);
    calls.push(response === null ? [] : callsIn(response));
    said.push({
      ...{ kind: "turn", item, attempt, at, role, phase, messages, response, missing: turn.missing ?? [] },
      tools: turn.tools === null ? null : (texts.read(run, turn.tools) as RecordedTool[]),
      ...{ finishReason: turn.finishReason, usage: turn.usage, latencyMs: turn.latencyMs, request: turn.request },
      ...{ model: turn.modelAnswered, flags: turn.parseFlags, recordedAs: turn.turn },
      ...(turn.wire !== undefined && { wire: turn.wire }),
      ...(turn.tokenIds !== undefined && { tokenIds: turn.tokenIds }),
      ...(record.retrievals !== undefined && { retrievals: record.retrievals }),
    });
  }
  // Of a single call the results are what the next one adds to its prompt: ids may be those of earlier calls once more.
  if (next !== null) {
    results.clear();
    note(next.messages.slice(turns.at(-1)?.messages.length).map(read));
  }
  if (!isWhole) {
    yield* said;
    yield* done.map((action) => mendedAction(action, calls.flat(), results));
    return;
  }
  const actions = mergedActions(calls, { results, done, place: { item, attempt, at } });
  // An action is of the turn that it comes after.
  for (const [k, turn] of said.entries()) {
    const { all, isFromLog } = actions[k] as TurnActions;
    yield isFromLog ? flagged(turn, record) : turn;
    yield* all;
  }
}

/** What one turn of a conversation did. */
interface TurnActions {
  all: ForeignAction[];
  /** Whether a result is known from the log alone. */
  isFromLog: boolean;
}

interface MadeCall extends ActionCall {
  id: string | null;
}

/**
 * Of a log that cuts: what was recorded holds, and with it the log's exit codes; the log's own action where no result came back.
 * What no recorded call asked for is of the last turn. Shapes: `calls` has an entry a turn (>= 1), as the result has.
 */
function mergedActions(
  calls: readonly (readonly MadeCall[])[],
  given: {
    results: ReadonlyMap<string, string>;
    done: readonly ForeignAction[];
    place: Pick<ForeignAction, "item" | "attempt" | "at">;
  },
): TurnActions[] {
  const left = [...given.done];
  const actions = calls.map((made) => {
    const turn: TurnActions = { all: [], isFromLog: false };
    for (const { id, ...call } of made) {
      const found = left.findIndex((action) => areCalled([action.call], [call]));
      const [told] = found === -1 ? [] : left.splice(found, 1);
      const stdout = given.results.get(id ?? "");
      if (stdout !== undefined) {
        const exitCode = told?.exitCode ?? null;
        const { durationMs, isError } = told ?? {};
        turn.all.push({
          ...{ kind: "action", ...given.place, call, exitCode, stdout, stderr: "" },
          ...(durationMs !== undefined && { durationMs }),
          ...(isError !== undefined && { isError }),
        });
      } else if (told !== undefined) {
        turn.all.push({ ...told, call });
        turn.isFromLog = true;
      }
    }
    return turn;
  });
  const last = actions.at(-1) as TurnActions;
  last.all.push(...left);
  last.isFromLog ||= left.length > 0;
  return actions;
}

/** That the log cut a result stays said where the result is the log's. */
function flagged(turn: ForeignTurn, { flags = [] }: ForeignTurn): ForeignTurn {
  if (!flags.includes("result-clipped")) return turn;
  return { ...turn, flags: [...(turn.flags ?? []), "result-clipped"] };
}

/** Of a log that keeps each call: its own action, whole where the log cut it. */
function mendedAction(
  action: ForeignAction,
  calls: readonly MadeCall[],
  results: ReadonlyMap<string, string>,
): ForeignAction {
  const made = calls.find((call) => areCalled([action.call], [call]));
  if (made === undefined) return action;
  const { id, ...call } = made;
  const result = results.get(id ?? "");
  return { ...action, call, stdout: isCutOf(action.stdout, result) ? (result as string) : action.stdout };
}

/** The tool calls of an answer; arguments that are no JSON lie under `raw`. */
export function callsIn(message: RecordedMessage): MadeCall[] {
  return objectsIn(message.tool_calls).flatMap(({ id, function: called }) => {
    const { name, arguments: given } = isObject(called) ? called : {};
    const read = typeof given === "string" ? parseJson(given) : { value: given };
    // What is no JSON a log has as it came, if it has it.
    const unread = typeof given === "string" ? { raw: given } : {};
    const known = "value" in read && isObject(read.value) ? read.value : unread;
    return typeof name === "string" ? [{ id: textIn(id), name, arguments: known }] : [];
  });
}
