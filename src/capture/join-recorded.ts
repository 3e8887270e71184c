/**
 * Joins a foreign log with the calls that the proxy recorded of the same run: the log says which item, attempt and role a call
 * was of and what came of it, and the record says what was asked and answered, whole. A turn of the log is one call, or a whole
 * conversation where the log merges its calls. Calls that the log does not tell apart stay out, and are counted.
 */
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { hashText } from "../foundation/hashing.ts";
import { unknownName } from "../foundation/nearest.ts";
import { sumOf } from "../foundation/sums.ts";
import type { Turn } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";
import type { Home } from "../store/home.ts";
import { openTexts, type RecordedTexts } from "../store/recorded-texts.ts";
import { listRuns, readRunLog } from "../store/runs.ts";
import { type Alignment, align, type Heard, type Told } from "./align.ts";
import { keyOf, textOf } from "./conversations.ts";
import type { Foreign, ForeignAction, ForeignPlace, ForeignRun, ForeignTurn } from "./foreign.ts";
import { callsIn, joinedTurn, type RecordedFrom, type RecordedPart } from "./joined-turn.ts";

/** Turns of the log, those of them whose calls were found, and those of the others that fit a place. */
export interface TurnCounts {
  turns: number;
  matched: number;
  ambiguous: number;
}

export interface JoinCounts extends TurnCounts {
  recorded: RunId;
  /** What the recorded run is about; the joined one is as well, unless something else was asked for. */
  recordedSkill: string;
  /** The same, role by role. */
  roles: Record<string, TurnCounts>;
  /** Recorded calls, and those that belong to no turn of the log as far as is known. */
  calls: number;
  unmatchedCalls: number;
}

/**
 * Puts the recorded calls in the place of the log's turns. The log is held in memory: it must be of one run.
 * Throws: `UNKNOWN_RUN`, `RUN_NOT_SEALED`, `NOT_RECORDED`, `ONE_RUN_EXPECTED`, `NOTHING_JOINED`.
 */
export async function joinOnto(
  home: Home,
  records: AsyncIterable<Foreign> | Iterable<Foreign>,
  onto: string,
): Promise<{ records: Iterable<Foreign>; counts: JoinCounts; close(): void }> {
  const recorded = await recordedRun(home, onto);
  const all: Foreign[] = [];
  for await (const record of records) all.push(record);
  const [start, ...others] = all.filter((record): record is ForeignRun => record.kind === "run");
  if (start === undefined || others.length > 0) throw oneRunExpected();
  const conversations = await conversationsOf(home, recorded.run);
  const parts = start.mergesCalls === true ? conversations.map(wholeOf) : conversations.flatMap(callsOf);
  const texts = openTexts(home);
  const turns = all.filter((record): record is ForeignTurn => record.kind === "turn");
  const { told, heard } = openEars({ run: recorded.run, texts });
  const { matched, ambiguous } = align(turns.map(told), parts.map(heard));
  const places = new Map(turns.map((turn, i) => [turn, matched[i] ?? null]));
  const found = matched.flatMap((place) => (place === null ? [] : [parts[place] as RecordedPart]));
  const calls = sumOf(conversations, (one) => one.length);
  const counts = {
    ...{ recorded: recorded.run, recordedSkill: recorded.skill },
    ...{ turns: turns.length, matched: found.length, ambiguous: ambiguous.length, calls },
    roles: countsByRole(turns, { matched, ambiguous }),
    unmatchedCalls: calls - sumOf(found, (one) => one.turns.length),
  };
  if (found.length === 0) {
    texts.close();
    throw nothingJoined(counts);
  }
  const at = (turn: ForeignTurn) => parts[places.get(turn) ?? -1] ?? null;
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

interface Joining {
  run: RecordedRun;
  /** The recorded calls of a turn; null where they are not known. */
  at(turn: ForeignTurn): RecordedPart | null;
  texts: RecordedTexts;
}

function* joined(records: readonly Foreign[], { run, at, texts }: Joining): Generator<Foreign> {
  const whole = wholeAttempts(records, at);
  for (let i = 0; i < records.length; ) {
    const record = records[i++] as Foreign;
    if (record.kind === "run") {
      const facts = { ...record.facts, recorded: run.run };
      yield { ...record, facts, version: `${record.version ?? ""}${run.head}` };
    } else if (record.kind === "turn") {
      const part = at(record);
      if (part === null) yield record;
      else {
        const done: ForeignAction[] = [];
        for (let next = records[i]; next?.kind === "action"; next = records[++i]) done.push(next);
        yield* joinedTurn({ turn: record, done }, part, { run: run.run, texts });
      }
    } else if (record.kind === "verdict" && whole.has(nameOf(record))) {
      const flags = record.verdict.flags.filter((flag) => flag !== "clipped");
      yield { ...record, verdict: { ...record.verdict, flags } };
    } else yield record;
  }
}

/** Attempts whose worker's calls are known, all of them, and nothing is missing in one. */
function wholeAttempts(records: readonly Foreign[], at: Joining["at"]): Set<string> {
  const work = records.filter((record): record is ForeignTurn => record.kind === "turn" && record.role === "worker");
  const isWhole = (turn: ForeignTurn) => at(turn)?.turns.every(({ missing }) => missing === undefined) ?? false;
  const cut = new Set(work.filter((turn) => !isWhole(turn)).map(nameOf));
  return new Set(work.map(nameOf).filter((name) => !cut.has(name)));
}

function nameOf({ item, attempt }: ForeignPlace): string {
  return `${item} ${attempt}`;
}

/** The calls of each recorded conversation, in order: in an attempt that a harness names, each role has one of its own. */
async function conversationsOf(home: Home, run: RunId): Promise<Turn[][]> {
  const conversations = new Map<string, Turn[]>();
  for await (const event of readRunLog(home, run)) {
    if (event.type !== "turn") continue;
    const key = `${event.data.role} ${event.data.attempt}`;
    const one = conversations.get(key) ?? [];
    conversations.set(key, one);
    one.push(event.data);
  }
  return [...conversations.values()];
}

function wholeOf(turns: readonly Turn[]): RecordedPart {
  return { turns, next: null, isWhole: true };
}

/** Each call that was answered. */
function callsOf(turns: readonly Turn[]): RecordedPart[] {
  return turns.flatMap((turn, i) => {
    if (turn.response === null) return [];
    const { length } = turn.messages;
    const goesOn = ({ messages }: Turn) => messages.length > length && messages[length - 1] === turn.messages.at(-1);
    return [{ turns: [turn], next: turns.slice(i + 1).find(goesOn) ?? null, isWhole: false }];
  });
}

/** How a turn of the log and a part of the record are told as the same. */
function openEars({ run, texts }: RecordedFrom): {
  told(turn: ForeignTurn): Told;
  heard(part: RecordedPart): Heard;
} {
  const read = (hash: string) => texts.read(run, hash) as RecordedMessage;
  const keyOfTold = keepKeys<RecordedMessage>(new WeakMap(), (message) => message);
  const keyOfHeard = keepKeys<string>(new Map(), read);
  return {
    told({ role, messages, response, missing }) {
      const content = response?.content ?? null;
      const calls = response === null ? [] : callsIn(response);
      const asked = missing.includes("prompt") ? {} : { asked: askedIn(messages.map(keyOfTold)) };
      return { role, text: content === null ? null : textOf(content), calls, ...asked };
    },
    heard({ turns, isWhole }) {
      const answers = turns.flatMap(({ response }) => (response === null ? [] : [read(response)]));
      const { messages = [] } = turns[0] ?? {};
      const opening = messages[0] === undefined ? null : read(messages[0]);
      return {
        prompt: opening?.role === "system" ? textOf(opening.content) : "",
        texts: answers.map(({ content }) => textOf(content)).filter((text) => text !== ""),
        calls: answers.flatMap(callsIn),
        ...(!isWhole && { asked: askedIn(messages.map(keyOfHeard)) }),
      };
    },
  };
}

/** What a message says, as a key; null for a system prompt, which a log may lack of an otherwise whole prompt. */
function keepKeys<K>(
  known: { get(key: K): string | null | undefined; set(key: K, value: string | null): unknown },
  read: (key: K) => RecordedMessage,
): (key: K) => string | null {
  return (key) => {
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    const message = read(key);
    const made = message.role === "system" || message.role === "developer" ? null : keyOf(message);
    known.set(key, made);
    return made;
  };
}

function askedIn(keys: readonly (string | null)[]): string {
  return hashText(keys.filter((key) => key !== null).join(" "));
}

interface RecordedRun {
  run: RunId;
  head: string;
  skill: string;
}

async function recordedRun(home: Home, name: string): Promise<RecordedRun> {
  const runs = await listRuns(home);
  // An import of the log may bear the same name as the recorded run.
  const labelled = runs.filter(({ label }) => label === name);
  const found =
    runs.find(({ run }) => run === name) ?? labelled.findLast(({ command }) => command === "record") ?? labelled.at(-1);
  if (found === undefined)
    throw unknownName(
      "run",
      name,
      runs.flatMap(({ run, label }) => (label === null ? run : [run, label])),
    );
  const { run, command, head, skill } = found;
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
  return { run, head, skill };
}

function oneRunExpected(): Refusal {
  return new Refusal({
    code: "ONE_RUN_EXPECTED",
    message: "--onto joins the log of one run.",
    expected: "a file that holds one run",
    fix: "name the run's own log",
  });
}

/** The joined run stands for the recorded one, whose calls no export would have any more. */
function nothingJoined({ recorded, turns, ambiguous, calls }: JoinCounts): Refusal {
  return new Refusal({
    code: "NOTHING_JOINED",
    message: `No call that was recorded in ${recorded} is known to be of this log, so that nothing was imported.`,
    expected: "the log of the run that was recorded",
    got: `${counted(turns, "turn")} of the log, ${ambiguous} of them ambiguous, and ${counted(calls, "recorded call")}`,
    fix: "tracemill runs lists the recorded runs; without a log outcomes are said by tracemill label RUN --from labels.jsonl",
  });
}
