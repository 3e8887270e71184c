/**
 * A trace as a tree of steps, whatever program kept it, and which of them are turns and tools: a call that two programs
 * recorded, one around the other, is one turn, the inner, as that is what went over the wire. Knows no format.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Turn, TurnPart } from "../../records/events.ts";
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";

export interface Step {
  /** The file, and the place in it. */
  where: string;
  id: string | null;
  parent: string | null;
  name: string;
  /** Since 1970; may have fractions. */
  startMs: number | null;
  endMs: number | null;
  /** `agent` is around calls, as is `evaluator`, whose calls judge. */
  kind: "call" | "agent" | "tool" | "evaluator" | "other";
  /** The agent that it says it is of. */
  agent: string | null;
  error: { code: string; message: string } | null;
  /** Of a call, or of an agent as a whole. */
  call: CallContent | null;
  tool: ToolContent | null;
}

export interface CallTexts {
  /** Null where it was not recorded. */
  prompt: readonly RecordedMessage[] | null;
  /** One for each choice; null where none was recorded. */
  answers: readonly RecordedMessage[] | null;
  finishReason: string | null;
  tools: readonly RecordedTool[] | null;
  /** Whether tools would be there if the model had had some. */
  tellsTools: boolean;
  /** Parts that are there and not whole. */
  clipped: readonly TurnPart[];
}

export interface CallContent extends CallTexts {
  request: Record<string, Json>;
  /** Whether the request is there with all of its parameters. */
  tellsRequest: boolean;
  model: string | null;
  usage: Turn["usage"];
  /** The server's id of the answer. */
  responseId: string | null;
}

export interface ToolContent {
  name: string;
  callId: string | null;
  /** Null where they were not recorded. */
  given: Record<string, Json> | null;
  result: string | null;
}

export interface StepTree {
  /** The turns, in the order in which they began. */
  turns: readonly Step[];
  /** The uses of tools, likewise. */
  tools: readonly Step[];
  /** The agent that a step is of. */
  roleOf(step: Step): string;
}

/** Reads the tree that the steps of one trace make up. */
export function stepTree(given: readonly Step[]): StepTree {
  const steps = given.toSorted((x, y) => (x.startMs ?? Infinity) - (y.startMs ?? Infinity) || 0);
  const parents = parentsOf(steps);
  const callAround = nearestAround(parents, (step) =>
    isAroundCalls(step) ? step : isBoundary(step) ? null : undefined,
  );
  const toolAround = nearestAround(parents, (step) =>
    step.kind === "tool" ? step : isAroundCalls(step) || isBoundary(step) ? null : undefined,
  );
  const agentAround = nearestAround(parents, agentOf);
  const inner = innerCalls(steps.filter(isAsked), callAround);
  const filled = new Map<Step, Step>();
  const turns = steps
    .filter((step) => isAsked(step) && !inner.has(step))
    .map((step) => {
      const outer = callAround(step);
      const turn = outer?.kind === "call" && inner.get(outer)?.size === 1 ? filledFrom(step, outer) : step;
      filled.set(turn, step);
      return turn;
    });
  return {
    turns: distinct(turns),
    tools: usesOnce(steps, toolAround),
    roleOf: (step) => agentOf(step) ?? agentAround(filled.get(step) ?? step) ?? "worker",
  };
}

function isAroundCalls({ kind }: Step): boolean {
  return kind === "call" || kind === "agent";
}

/** What happens in a tool or for a judge is another's doing. */
function isBoundary({ kind }: Step): boolean {
  return kind === "tool" || kind === "evaluator";
}

/** An agent of whose calls nothing is known may itself say what it was asked. */
function isAsked({ kind, call }: Step): boolean {
  return call !== null && (kind === "call" || (kind === "agent" && (call.prompt ?? call.answers) !== null));
}

function agentOf({ agent, kind }: Step): string | undefined {
  return agent ?? (kind === "evaluator" ? "evaluator" : undefined);
}

/** Each step's parent; where parents go round, one of them is none. */
function parentsOf(steps: readonly Step[]): ReadonlyMap<Step, Step> {
  const byId = new Map(steps.flatMap((step) => (step.id === null ? [] : [[step.id, step] as const])));
  const parents = new Map<Step, Step>();
  for (const step of steps) {
    const parent = step.parent === null ? undefined : byId.get(step.parent);
    if (parent !== undefined) parents.set(step, parent);
  }
  const done = new Set<Step>();
  for (const step of steps) {
    const path = new Set<Step>();
    for (let at: Step | undefined = step; at !== undefined && !done.has(at); ) {
      path.add(at);
      const above: Step | undefined = parents.get(at);
      if (above !== undefined && path.has(above)) parents.delete(at);
      at = parents.get(at);
    }
    for (const one of path) done.add(one);
  }
  return parents;
}

/** Looks upwards from a step until `look` finds something; null says that nothing is to be found. */
function nearestAround<T>(
  parents: ReadonlyMap<Step, Step>,
  look: (step: Step) => T | null | undefined,
): (step: Step) => T | null {
  const known = new Map<Step, T | null>();
  return (step) => {
    const path: Step[] = [];
    let found: T | null | undefined;
    for (let at: Step | undefined = step; at !== undefined && found === undefined; at = parents.get(at)) {
      found = known.get(at);
      if (found !== undefined) break;
      path.push(at);
      const above = parents.get(at);
      found = above === undefined ? null : look(above);
    }
    for (const one of path) known.set(one, found ?? null);
    return found ?? null;
  };
}

/** For each step that has calls in it, those that nothing else stands between. */
function innerCalls(
  asked: readonly Step[],
  callAround: (step: Step) => Step | null,
): ReadonlyMap<Step, ReadonlySet<Step>> {
  const inner = new Map<Step, Set<Step>>();
  for (const step of asked) {
    let below = step;
    for (let outer = callAround(step); outer !== null; outer = callAround(outer)) {
      const known = inner.get(outer);
      if (known === undefined) inner.set(outer, new Set([below]));
      else known.add(below);
      if (known !== undefined) break;
      below = outer;
    }
  }
  return inner;
}

/** An inner step that was recorded without its texts has those of the one call around it. */
function filledFrom(step: Step, { call: outer }: Step): Step {
  const { call } = step;
  if (call === null || outer === null) return step;
  const { prompt, answers, tools } = call;
  const clipped = [...call.clipped, ...(prompt === null || answers === null ? outer.clipped : [])];
  const tellsTools = prompt === null ? outer.tellsTools : call.tellsTools;
  const texts = { prompt: prompt ?? outer.prompt, answers: answers ?? outer.answers, tools: tools ?? outer.tools };
  return { ...step, call: { ...call, ...texts, tellsTools, clipped } };
}

/** The server's id tells a call that two programs recorded side by side; what says more of it stays. */
function distinct(turns: readonly Step[]): Step[] {
  const byResponse = new Map<string, Step>();
  for (const step of turns) {
    const id = step.call?.responseId ?? null;
    const known = id === null ? undefined : byResponse.get(id);
    if (id !== null && (known === undefined || textsOf(step) >= textsOf(known))) byResponse.set(id, step);
  }
  return turns.filter((step) => {
    const id = step.call?.responseId ?? null;
    return id === null || byResponse.get(id) === step;
  });
}

function textsOf({ call }: Step): number {
  return Number((call?.prompt ?? null) !== null) + Number((call?.answers ?? null) !== null);
}

/** A tool around a tool of its name is the same use, which the outer one tells if it tells anything. */
function usesOnce(steps: readonly Step[], toolAround: (step: Step) => Step | null): Step[] {
  const uses = steps.filter(({ kind, tool }) => kind === "tool" && tool !== null);
  const tells = ({ tool }: Step) => (tool?.given ?? tool?.result ?? null) !== null;
  const dropped = new Set<Step>();
  for (const step of uses) {
    const outer = toolAround(step);
    if (outer?.tool?.name === step.tool?.name && outer !== null) dropped.add(tells(outer) ? step : outer);
  }
  return uses.filter((step) => !dropped.has(step));
}
