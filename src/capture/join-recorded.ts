/**
 * Joins a foreign log with the calls that the proxy recorded of the same run: the log says which item, attempt and role a call
 * was of and what came of it, and the record says what was asked and answered, whole. Calls that the log does not tell apart
 * stay out, and are counted.
 */
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { sumOf } from "../foundation/sums.ts";
import type { Turn } from "../records/events.ts";
import type { AttemptId, RunId } from "../records/ids.ts";
import type { RecordedMessage, RecordedTool } from "../records/message.ts";
import type { Home } from "../store/home.ts";
import { openTexts, type RecordedTexts } from "../store/recorded-texts.ts";
import { listRuns, readRunLog } from "../store/run-log.ts";
import { type Alignment, align, type Heard, type Told } from "./align.ts";
import { textOf } from "./conversations.ts";
import type { Foreign, ForeignAction, ForeignTurn } from "./foreign.ts";
import { parseJson } from "./reading/json.ts";
import { isObject, objectsIn, textIn } from "./reading/shapes.ts";

/** Turns of the log, those of them whose calls were found, and those that fit more than one place. */
export interface TurnCounts {
  turns: number;
  matched: number;
  ambiguous: number;
}

export interface JoinCounts extends TurnCounts {
  recorded: RunId;
  /** The same, role by role. */
  roles: Record<string, TurnCounts>;
  /** Recorded calls, and those that belong to no turn of the log as far as is known. */
  calls: number;
  unmatchedCalls: number;
}

/** One conversation of the record: the calls of one turn of the log. */
interface Conversation {
  turns: Turn[];
}

/**
 * Puts the recorded calls in the place of the log's turns. The log is held in memory: it must be of one run.
 * Throws: `UNKNOWN_RUN`, `RUN_NOT_SEALED`, `NOT_RECORDED`, `ONE_RUN_EXPECTED`.
 */
export async function joinOnto(
  home: Home,
  records: AsyncIterable<Foreign> | Iterable<Foreign>,
  onto: string,
): Promise<{ records: Iterable<Foreign>; counts: JoinCounts; close(): void }> {
  const recorded = await recordedRun(home, onto);
  const all: Foreign[] = [];
  for await (const record of records) all.push(record);
  if (all.filter(({ kind }) => kind === "run").length !== 1) throw oneRunExpected();
  const conversations = await conversationsOf(home, recorded.run);
  const texts = openTexts(home);
  const turns = all.filter((record): record is ForeignTurn => record.kind === "turn");
  const heard = conversations.map((one) => heardIn(one, recorded.run, texts));
  const { matched, ambiguous } = align(turns.map(toldIn), heard);
  const places = new Map(turns.map((turn, i) => [turn, matched[i] ?? null]));
  const found = matched.flatMap((place) => (place === null ? [] : [conversations[place] as Conversation]));
  const calls = sumOf(conversations, (one) => one.turns.length);
  const counts = {
    ...{ recorded: recorded.run, turns: turns.length, matched: found.length, ambiguous: ambiguous.length, calls },
    roles: countsByRole(turns, { matched, ambiguous }),
    unmatchedCalls: calls - sumOf(found, (one) => one.turns.length),
  };
  const at = (turn: ForeignTurn) => conversations[places.get(turn) ?? -1] ?? null;
  return { records: joined(all, { run: recorded, at, texts }), counts, close: () => texts.close() };
}

function countsByRole(turns: readonly ForeignTurn[], { matched, ambiguous }: Alignment): Record<string, TurnCounts> {
  const roles = new Map<string, TurnCounts>();
  const doubtful = new Set(ambiguous);
  for (const [i, { role }] of turns.entries()) {
    const counts = roles.get(role) ?? { turns: 0, matched: 0, ambiguous: 0 };
    roles.set(role, counts);
    counts.turns++;
    if (matched[i] !== null) counts.matched++;
    else if (doubtful.has(i)) counts.ambiguous++;
  }
  return Object.fromEntries(roles);
}

function* joined(
  records: readonly Foreign[],
  {
    run,
    at,
    texts,
  }: { run: { run: RunId; head: string }; at(turn: ForeignTurn): Conversation | null; texts: RecordedTexts },
): Generator<Foreign> {
  /** Attempts whose worker's calls are known whole. */
  const whole = new Set<string>();
  let isReplaced = false;
  for (const record of records) {
    if (record.kind === "run") {
      const facts = { ...record.facts, recorded: run.run };
      yield { ...record, facts, version: `${record.version ?? ""}${run.head}` };
    } else if (record.kind === "turn") {
      const conversation = at(record);
      isReplaced = conversation !== null;
      if (conversation === null) yield record;
      else {
        yield* turnsOf(record, conversation, { run: run.run, texts });
        if (record.role === "worker") whole.add(`${record.item} ${record.attempt}`);
      }
    } else if (record.kind === "action" && isReplaced) {
      // The recorded calls said it, whole.
    } else if (record.kind === "verdict" && whole.has(`${record.item} ${record.attempt}`)) {
      const flags = record.verdict.flags.filter((flag) => flag !== "clipped");
      yield { ...record, verdict: { ...record.verdict, flags } };
    } else yield record;
  }
}

/** The calls of a turn in its place, and what its tools did. */
function* turnsOf(
  record: ForeignTurn,
  { turns }: Conversation,
  { run, texts }: { run: RunId; texts: RecordedTexts },
): Generator<ForeignTurn | ForeignAction> {
  const { item, attempt, at = null, role, phase = "call" } = record;
  const results = new Map<string, string>();
  const read = (hash: string) => texts.read(run, hash) as RecordedMessage;
  const calls: { id: string | null; name: string; arguments: Record<string, unknown> }[] = [];
  for (const [k, turn] of turns.entries()) {
    const messages = turn.messages.map(read);
    for (const { tool_call_id, content } of messages) {
      if (typeof tool_call_id === "string") results.set(tool_call_id, textOf(content));
    }
    const response = turn.response === null ? null : read(turn.response);
    if (response !== null) calls.push(...callsIn(response));
    yield {
      ...{ kind: "turn", item, attempt, at, role, phase, messages, response, missing: [] },
      tools: turn.tools === null ? null : (texts.read(run, turn.tools) as RecordedTool[]),
      ...{ finishReason: turn.finishReason, usage: turn.usage, latencyMs: turn.latencyMs, request: turn.request },
      ...{ model: turn.modelAnswered, flags: turn.parseFlags, recordedAs: turn.turn },
      ...(turn.wire !== undefined && { wire: turn.wire }),
      ...(turn.tokenIds !== undefined && { tokenIds: turn.tokenIds }),
      ...(k === 0 && record.retrievals !== undefined && { retrievals: record.retrievals }),
    };
  }
  for (const { id, ...call } of calls) {
    const stdout = results.get(id ?? "");
    if (stdout === undefined) continue;
    yield {
      kind: "action",
      item,
      attempt,
      at,
      call: call as ForeignAction["call"],
      exitCode: null,
      stdout,
      stderr: "",
    };
  }
}

async function conversationsOf(home: Home, run: RunId): Promise<Conversation[]> {
  const conversations = new Map<AttemptId, Conversation>();
  for await (const event of readRunLog(home, run)) {
    if (event.type !== "turn") continue;
    const one = conversations.get(event.data.attempt) ?? { turns: [] };
    conversations.set(event.data.attempt, one);
    one.turns.push(event.data);
  }
  return [...conversations.values()];
}

function toldIn({ role, response }: ForeignTurn): Told {
  return { role, text: textIn(response?.content), calls: response === null ? [] : callsIn(response) };
}

function heardIn({ turns }: Conversation, run: RunId, texts: RecordedTexts): Heard {
  const answers = turns.flatMap(({ response }) =>
    response === null ? [] : [texts.read(run, response) as RecordedMessage],
  );
  const first = turns[0]?.messages[0];
  const opening = first === undefined ? null : (texts.read(run, first) as RecordedMessage);
  return {
    prompt: opening?.role === "system" ? textOf(opening.content) : "",
    texts: answers.map(({ content }) => textOf(content)).filter((text) => text !== ""),
    calls: answers.flatMap(callsIn),
  };
}

function callsIn(message: RecordedMessage): { id: string | null; name: string; arguments: Record<string, unknown> }[] {
  return objectsIn(message.tool_calls).flatMap(({ id, function: called }) => {
    const { name, arguments: given } = isObject(called) ? called : {};
    const read = typeof given === "string" ? parseJson(given) : { value: given };
    // What is no JSON a log has as it came, if it has it.
    const unread = typeof given === "string" ? { raw: given } : {};
    const known = "value" in read && isObject(read.value) ? read.value : unread;
    return typeof name === "string" ? [{ id: textIn(id), name, arguments: known }] : [];
  });
}

async function recordedRun(home: Home, name: string): Promise<{ run: RunId; head: string }> {
  const runs = await listRuns(home);
  const found = runs.find(({ run }) => run === name) ?? runs.findLast(({ label }) => label === name);
  if (found === undefined)
    throw unknownName(
      "run",
      name,
      runs.map(({ run }) => run),
    );
  const { run, command, head } = found;
  if (command !== "record") {
    throw new Refusal({
      code: "NOT_RECORDED",
      message: `Run ${run} was not recorded by a proxy.`,
      expected: "a run of `tracemill record`",
    });
  }
  if (head === null) {
    throw new Refusal({
      code: "RUN_NOT_SEALED",
      message: `Run ${run} may still grow.`,
      expected: "a sealed run",
      fix: `tracemill seal ${run}`,
    });
  }
  return { run, head };
}

function oneRunExpected(): Refusal {
  return new Refusal({
    code: "ONE_RUN_EXPECTED",
    message: "--onto joins the log of one run.",
    expected: "a file that holds one run",
    fix: "name the run's own log",
  });
}
