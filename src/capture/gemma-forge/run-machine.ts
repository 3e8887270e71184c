/**
 * Reads the events of one gemma-forge run in their order. The harness works at one item at a time, and neither its answers nor
 * its evaluations say at which: they belong to the attempt that began last, as its own event or a prompt says, and the
 * event after an evaluation, which names its attempt, must agree. What disagrees is not used. The first logs say nothing
 * when an attempt begins, and of others the line may be lost: there what happened waits for the event that names it, and
 * is counted as unusable where none does.
 */
import { type Foreign, type ForeignPlace, type ForeignVerdict, SELECTION } from "../foreign.ts";
import { rejected } from "../reading/json.ts";
import { countIn, objectsIn, textIn } from "../reading/shapes.ts";
import { type AgentTurn, beginTurn, isApplied, isClippedTurn, takeEvent, turnRecords } from "./agent-turn.ts";
import { deferredVerdict, verdictOf } from "./evaluation.ts";
import type { RunEventLine } from "./run-event.ts";
import { tipIdOf, tipOf } from "./tip-of.ts";

/** The agents that a model plays. */
const AGENTS = new Set(["architect", "worker", "reflector", "auditor"]);
/** What an agent does where the harness does not say so. */
const PHASES: Record<string, string> = { architect: "rule_selection", worker: "apply_fix", reflector: "reflection" };
/** An agent's events with which a turn may begin. */
const BEGINNINGS = new Set(["prompt_assembled", "tool_call", "agent_response", "error"]);

/** Makes prompts anew where it can. */
export interface PromptBook {
  /** Notes what later prompts need. */
  note(event: RunEventLine): void;
  /** Null where the prompt cannot be made exactly as it was. */
  rebuild(turn: AgentTurn, place: ForeignPlace): string | null;
}

export interface RunMachine {
  /** Takes an event and says what it makes known. */
  take(event: RunEventLine): Generator<Foreign>;
  /** Says what is left when no event comes any more. */
  end(): Generator<Foreign>;
}

interface State {
  prompts: PromptBook;
  titles: Map<string, string>;
  /** The attempt that began last. */
  place: ForeignPlace | null;
  /** The harness named what came of it: the worker's next turn and the next evaluation are of another one. */
  isOver: boolean;
  /** What happened at no place that is known yet. */
  placeless: Placeless[];
  /** The number of the last attempt at each item. */
  tries: Map<string, number>;
  /** The attempt at an item whose verdict waits for a restart. */
  deferred: Map<string, number>;
  iteration: number;
  turn: AgentTurn | null;
  /** The worker's turn of the attempt. */
  worker: AgentTurn | null;
  /** A verdict whose attempt is not confirmed yet. */
  waiting: { where: string; place: ForeignPlace; verdict: ForeignVerdict["verdict"] } | null;
  /** The host's state is not what the harness takes it for. */
  isBroken: boolean;
  /** The evaluator raised an error, and what the harness says in its place is made up. */
  hasRaised: boolean;
}

type Placeless = { where: string; turn: AgentTurn } | { where: string; evaluation: RunEventLine };

/** Events that say which attempt is over. */
const NAMING = new Set(["remediated", "revert", "deferred_verification"]);

/** Makes a machine for the events of one run; prompts are rebuilt by `prompts`. */
export function runMachine(prompts: PromptBook): RunMachine {
  const nothing = { place: null, isOver: false, turn: null, worker: null, waiting: null };
  const counts = { placeless: [], tries: new Map(), deferred: new Map(), titles: new Map(), iteration: 0 };
  const state: State = { prompts, isBroken: false, hasRaised: false, ...counts, ...nothing };
  return {
    *take(event) {
      const { turn } = state;
      const isAgents = AGENTS.has(event.agent);
      const isOfTurn = isAgents && turn !== null && turn.agent === event.agent && takeEvent(turn, event);
      if (!isOfTurn) yield* flush(state);
      prompts.note(event);
      if (isOfTurn) return;
      if (NAMING.has(event.type)) yield* placed(state, event);
      if (isAgents && BEGINNINGS.has(event.type)) {
        yield* entered(state, event);
        state.turn = beginTurn(event, textIn(event.data.phase) ?? PHASES[event.agent] ?? "call");
        takeEvent(state.turn, event);
      } else yield* STEPS[event.type]?.(state, event) ?? [];
    },
    *end() {
      yield* flush(state);
      yield* settle(state);
      yield* unplaced(state);
    },
  };
}

/** What each event of the harness means; one that is not here says nothing that a run holds. */
const STEPS: Record<string, (state: State, event: RunEventLine) => Iterable<Foreign>> = {
  graph_state: scanned,
  rule_selected: scanned,
  *iteration_start(state, { data }) {
    state.iteration = countIn(data.iteration) ?? state.iteration + 1;
    yield* unplaced(state);
  },
  *attempt_start(state, event) {
    const { data, at } = event;
    const item = textIn(data.rule_id);
    yield* enter(state, item === null ? null : { item, attempt: Math.max(1, countIn(data.attempt) ?? 1), at });
    yield* scanned(state, event);
  },
  *evaluation(state, event) {
    if (isEnded(state)) yield* enter(state, null);
    yield* evaluated(state, event);
  },
  *tool_error(state, { data }) {
    state.hasRaised ||= data.phase === "evaluate";
    yield failureOf(state, "TOOL_ERROR", `${textIn(data.phase)}: ${textIn(data.error)}`);
  },
  *environment_unrecoverable(state, { data }) {
    suspect(state);
    yield failureOf(state, "ENVIRONMENT_BROKEN", textIn(data.detail) ?? "");
  },
  *post_mortem(state, event) {
    if (event.data.sudo_ok === false) suspect(state);
    yield* confirm(state, event);
  },
  *revert(state, event) {
    state.isBroken = event.data.restore_ok === false || event.data.post_restore_healthy === false;
    yield* confirmed(state, event);
  },
  remediated: confirmed,
  *deferred_verification(state, event) {
    yield* confirmed(state, event);
    const item = textIn(event.data.rule_id);
    const attempt = countIn(event.data.attempt) ?? state.tries.get(item ?? "");
    if (item !== null && attempt !== undefined) state.deferred.set(item, Math.max(1, attempt));
  },
  *post_deferred_evaluation({ deferred, tries }, { where, data, at }) {
    const item = textIn(data.rule_id) ?? "";
    const attempt = deferred.get(item) ?? tries.get(item);
    if (attempt === undefined) yield unplacedAt(where);
    else yield { kind: "verdict", item, attempt, at, verdict: deferredVerdict(data) };
  },
  *tip_added({ place }, { data, where }) {
    const item = textIn(data.rule_id) ?? place?.item;
    const tip = tipOf(data, textIn(data.category) ?? "");
    if (tip === null || item === undefined) yield rejected(where, "the tip has no text, or a kind that is none");
    else yield { kind: "tip", item, attempt: place?.item === item ? place.attempt : null, tip };
  },
  *tip_retired(_, { data }) {
    const tip = tipIdOf(data.source_run_id, data.tip_id);
    if (tip === null || data.source_run_id === undefined) return;
    yield { kind: "tip-retired", tip, reason: textIn(data.reason) ?? "retired" };
  },
};

/** Goes on at another attempt, or at one that is not known yet; says what waits of the one before. */
function* enter(state: State, place: ForeignPlace | null): Generator<Foreign> {
  yield* settle(state);
  yield* unplaced(state);
  Object.assign(state, { place, isOver: false, worker: null });
  if (place !== null) state.tries.set(place.item, place.attempt);
}

/** Where no event said that another attempt began, an agent's prompt may, or a worker's turn behind the end of one. */
function* entered(state: State, { agent, data, at }: RunEventLine): Generator<Foreign> {
  const { place } = state;
  const item = textIn(data.rule_id);
  const attempt = countIn(data.attempt) ?? 0;
  const isNamed = item !== null && attempt >= 1;
  const isAnother = isNamed && (place?.item !== item || place.attempt !== attempt);
  const isBehind = agent === "worker" && isEnded(state);
  if (isAnother || isBehind) yield* enter(state, isNamed ? { item, attempt, at } : null);
}

/** Whether an attempt was evaluated already, so that no worker's turn and no evaluation is of it any more. */
function isEnded({ isOver, waiting, placeless }: State): boolean {
  return isOver || waiting !== null || placeless.some((one) => "evaluation" in one);
}

/** Says the turn that is over. */
function* flush(state: State): Generator<Foreign> {
  const { turn, iteration, prompts } = state;
  if (turn === null) return;
  state.turn = null;
  if (turn.agent === "worker") state.worker = turn;
  const isSelection = turn.phase === "rule_selection";
  const place = isSelection ? { item: SELECTION, attempt: Math.max(1, iteration) } : state.place;
  if (place === null) {
    state.placeless.push({ where: turn.where, turn });
    return;
  }
  turn.rebuilt = prompts.rebuild(turn, place);
  yield* turnRecords(turn, place);
}

/** Says what happened before the event that names its attempt; what no event names is dropped, and counted. */
function* placed(state: State, event: RunEventLine): Generator<Foreign> {
  const item = textIn(event.data.rule_id);
  if (state.placeless.length === 0) return;
  if (item === null) {
    yield* unplaced(state);
    return;
  }
  yield* scanned(state, event);
  const attempt = Math.max(1, countIn(event.data.attempt) ?? (state.tries.get(item) ?? 0) + 1);
  state.tries.set(item, attempt);
  const waiting = state.placeless;
  Object.assign(state, { place: { item, attempt, at: event.at }, isOver: false, placeless: [], worker: null });
  for (const one of waiting) {
    if ("evaluation" in one) yield* evaluated(state, one.evaluation);
    else {
      state.turn = one.turn;
      yield* flush(state);
    }
  }
}

function* unplaced(state: State): Generator<Foreign> {
  for (const { where } of state.placeless) yield unplacedAt(where);
  state.placeless = [];
}

function unplacedAt(where: string): Foreign {
  return rejected(where, "no event says which attempt it is of");
}

/** Says the verdict that waits. */
function* settle(state: State): Generator<Foreign> {
  const { waiting } = state;
  state.waiting = null;
  if (waiting !== null) yield { kind: "verdict", ...waiting.place, verdict: waiting.verdict };
}

function* confirmed(state: State, event: RunEventLine): Generator<Foreign> {
  yield* confirm(state, event);
  yield* settle(state);
  state.isOver = true;
}

/** Drops the verdict that waits where the event names another attempt. */
function* confirm(state: State, { where, data }: RunEventLine): Generator<Foreign> {
  const { waiting } = state;
  if (waiting === null) return;
  const { item, attempt } = waiting.place;
  if (data.rule_id === item && (data.attempt ?? attempt) === attempt) return;
  state.waiting = null;
  yield rejected(waiting.where, `its evaluation is of ${item}, attempt ${attempt}, and ${where} says another`);
}

function* scanned({ titles }: State, { data }: RunEventLine): Generator<Foreign> {
  for (const { id, title, category } of objectsIn(data.nodes ?? [data])) {
    const item = textIn(id ?? data.rule_id);
    if (item === null || titles.has(item)) continue;
    titles.set(item, textIn(title) ?? "");
    const detail = { title: textIn(title), category: textIn(category) };
    yield { kind: "item", item, family: null, itemKind: textIn(category), task: textIn(title) ?? item, detail };
  }
}

function* evaluated(state: State, event: RunEventLine): Generator<Foreign> {
  const { place, worker, hasRaised, isBroken, titles } = state;
  const { where, at, data } = event;
  state.hasRaised = false;
  if (hasRaised) return;
  if (place === null) {
    state.placeless.push({ where, evaluation: event });
    return;
  }
  const verdict = verdictOf(data, {
    ...{ rule: place.item, title: titles.get(place.item) ?? "" },
    attempt: {
      isApplied: worker !== null && isApplied(worker),
      isClipped: worker !== null && isClippedTurn(worker),
      isSuspect: isBroken || (worker !== null && worker.error !== null),
    },
  });
  if (verdict === null) yield rejected(where, "the evaluation holds nothing that could be judged");
  else state.waiting = { where, place: { ...place, at }, verdict };
}

/** The host is found to be broken: the verdict that waits was made on it. */
function suspect(state: State): void {
  state.isBroken = true;
  const flags = state.waiting?.verdict.flags;
  if (flags !== undefined && !flags.includes("environment-suspect")) flags.push("environment-suspect");
}

function failureOf({ place }: State, code: string, message: string): Foreign {
  return { kind: "failure", boundary: "workspace", code, message, ...(place && { place }) };
}
