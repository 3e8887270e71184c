/**
 * Reads the events of one gemma-forge run in their order. The harness works at one item at a time, and neither its answers nor
 * its evaluations say at which: they belong to the attempt that began last, and the event after an evaluation, which
 * names its attempt, must agree. What disagrees is not used.
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
/** They follow an evaluation and name the attempt that it was of. */
const CONFIRMING = new Set(["remediated", "revert", "post_mortem", "deferred_verification"]);

interface Waiting {
  where: string;
  place: ForeignPlace;
  verdict: ForeignVerdict["verdict"];
}

export interface RunMachine {
  /** Takes an event and says what it makes known. */
  take(event: RunEventLine): Generator<Foreign>;
  /** Says what is left when no event comes any more. */
  end(): Generator<Foreign>;
}

/** `rebuild` makes a turn's prompt anew where it can, and notes what later prompts need. */
export interface PromptBook {
  note(event: RunEventLine): void;
  rebuild(turn: AgentTurn, place: ForeignPlace): string | null;
}

export function runMachine(prompts: PromptBook): RunMachine {
  const titles = new Map<string, string>();
  let place: ForeignPlace | null = null;
  let iteration = 0;
  let turn: AgentTurn | null = null;
  let worker: AgentTurn | null = null;
  let waiting: Waiting | null = null;
  let isBroken = false; // the host's state is not what the harness takes it for
  let hasRaised = false; // the evaluator raised an error, and what it says next is made up

  function* flush(): Generator<Foreign> {
    if (turn === null) return;
    const closed = turn;
    turn = null;
    const at = closed.phase === "rule_selection" ? { item: SELECTION, attempt: Math.max(1, iteration) } : place;
    if (closed.agent === "worker") worker = closed;
    if (at === null) return;
    closed.rebuilt = prompts.rebuild(closed, at);
    yield* turnRecords(closed, at);
  }

  function* settle(): Generator<Foreign> {
    if (waiting === null) return;
    const { place: at, verdict } = waiting;
    waiting = null;
    yield { kind: "verdict", ...at, verdict };
  }

  function* confirm({ where, data }: RunEventLine): Generator<Foreign> {
    if (waiting === null) return;
    const { item, attempt } = waiting.place;
    if (data.rule_id === item && (data.attempt ?? attempt) === attempt) return;
    yield rejected(waiting.where, `its evaluation is of ${item}, attempt ${attempt}, and ${where} says another`);
    waiting = null;
  }

  function* scanned(event: RunEventLine): Generator<Foreign> {
    for (const { id, title, category } of objectsIn(event.data.nodes ?? [event.data])) {
      const item = textIn(id ?? event.data.rule_id);
      if (item === null || titles.has(item)) continue;
      titles.set(item, textIn(title) ?? "");
      const detail = { title: textIn(title), category: textIn(category) };
      yield { kind: "item", item, family: null, itemKind: textIn(category), task: textIn(title) ?? item, detail };
    }
  }

  function evaluated({ where, at, data }: RunEventLine): void {
    const judged = place;
    const raised = hasRaised;
    hasRaised = false;
    if (judged === null || raised) return;
    const { item } = judged;
    const verdict = verdictOf(data, {
      ...{ rule: item, title: titles.get(item) ?? "" },
      attempt: {
        isApplied: worker !== null && isApplied(worker),
        isClipped: worker !== null && isClippedTurn(worker),
        isSuspect: isBroken || (worker !== null && worker.error !== null),
      },
    });
    if (verdict !== null) waiting = { where, place: { ...judged, at }, verdict };
  }

  /** What the harness says of the host. */
  function hostNoted({ type, data }: RunEventLine): void {
    if (type === "environment_unrecoverable" || data.sudo_ok === false) isBroken = true;
    else if (type === "revert") isBroken = data.restore_ok === false || data.post_restore_healthy === false;
    else return;
    const verdict = waiting?.verdict;
    if (isBroken && type !== "revert" && verdict !== undefined && !verdict.flags.includes("environment-suspect")) {
      verdict.flags.push("environment-suspect");
    }
  }

  function* harnessSaid(event: RunEventLine): Generator<Foreign> {
    const { type, data, at } = event;
    if (type === "graph_state" || type === "rule_selected") yield* scanned(event);
    else if (type === "iteration_start") iteration = countIn(data.iteration) ?? iteration + 1;
    else if (type === "attempt_start") {
      yield* settle();
      const item = textIn(data.rule_id);
      place = item === null ? null : { item, attempt: Math.max(1, countIn(data.attempt) ?? 1), at };
      worker = null;
      yield* scanned(event);
    } else if (type === "evaluation") evaluated(event);
    else if (type === "tool_error") {
      hasRaised ||= data.phase === "evaluate";
      const message = `${textIn(data.phase)}: ${textIn(data.error)}`;
      yield { kind: "failure", boundary: "workspace", code: "TOOL_ERROR", message, ...(place && { place }) };
    } else if (CONFIRMING.has(type)) {
      hostNoted(event);
      yield* confirm(event);
      if (type !== "post_mortem") yield* settle();
    } else if (type === "environment_unrecoverable") {
      hostNoted(event);
      const message = textIn(data.detail) ?? "";
      yield { kind: "failure", boundary: "workspace", code: "ENVIRONMENT_BROKEN", message, ...(place && { place }) };
    } else if (type === "post_deferred_evaluation" && typeof data.rule_id === "string") {
      yield { kind: "verdict", item: data.rule_id, attempt: 1, at, verdict: deferredVerdict(data) };
    } else yield* tipSaid(event, place);
  }

  return {
    *take(event) {
      const isAgents = AGENTS.has(event.agent);
      if (isAgents && turn !== null && turn.agent === event.agent && takeEvent(turn, event)) return prompts.note(event);
      const isOfTurn =
        event.type === "prompt_assembled" || ["tool_call", "agent_response", "error"].includes(event.type);
      yield* flush();
      prompts.note(event);
      if (isAgents && isOfTurn) {
        turn = beginTurn(event, textIn(event.data.phase) ?? PHASES[event.agent] ?? "call");
        takeEvent(turn, event);
      } else yield* harnessSaid(event);
    },
    *end() {
      yield* flush();
      yield* settle();
    },
  };
}

function* tipSaid({ type, data, where }: RunEventLine, place: ForeignPlace | null): Generator<Foreign> {
  if (type === "tip_added") {
    const item = textIn(data.rule_id) ?? place?.item;
    const tip = tipOf(data, textIn(data.category) ?? "");
    if (tip === null || item === undefined) yield rejected(where, "the tip has no text, or a kind that is none");
    else yield { kind: "tip", item, attempt: place?.item === item ? place.attempt : null, tip };
  } else if (type === "tip_retired") {
    const tip = tipIdOf(data.source_run_id, data.tip_id);
    if (tip !== null && data.source_run_id !== undefined) {
      yield { kind: "tip-retired", tip, reason: textIn(data.reason) ?? "retired" };
    }
  }
}
