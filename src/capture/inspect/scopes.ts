/**
 * Where in a sample an event of Inspect happened: whether a scorer or a further agent was at work. Newer logs say it by
 * spans, those of before May 2025 by steps that begin and end, or by events within those of a tool.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";

export interface Scopes {
  /** Takes note of an event that opens or closes a scope. */
  take(event: JsonObject): void;
  of(event: JsonObject): Scope;
}

export interface Scope {
  /** The scorer at work; an empty name where it is not known which one, null where none is. */
  scorer: string | null;
  /** The agent that a tool of the first one started. */
  agent: string | null;
}

interface Span {
  type: string;
  name: string;
  parent: string | null;
}

const MOST_SPANS_ABOVE = 100;

/** Opens the scopes of one sample, none of which is entered yet. */
export function openScopes(): Scopes {
  const spans = new Map<string, Span>();
  const steps: Omit<Span, "parent">[] = [];

  function above(id: string | null): Omit<Span, "parent">[] {
    const found: Span[] = [];
    for (let at = id; at !== null && found.length < MOST_SPANS_ABOVE; ) {
      const span = spans.get(at);
      if (span === undefined) break;
      found.push(span);
      at = span.parent;
    }
    return found;
  }

  return {
    take(event) {
      const span = { type: textIn(event.type) ?? "", name: textIn(event.name) ?? "" };
      const id = textIn(event.id);
      if (event.event === "span_begin" && id !== null) spans.set(id, { ...span, parent: textIn(event.parent_id) });
      else if (event.event === "step" && event.action === "begin") steps.push(span);
      else if (event.event === "step" && event.action === "end") steps.pop();
    },
    of(event) {
      const around = [...above(textIn(event.span_id)), ...steps.toReversed().slice(0, MOST_SPANS_ABOVE)];
      const scorer = around.find(({ type }) => type === "scorer") ?? around.find(({ type }) => type === "scorers");
      const tool = around.findLastIndex(({ type }) => type === "tool" || type === "handoff");
      const agent = around.slice(0, Math.max(0, tool)).find(({ type }) => type === "agent");
      return {
        scorer: scorer === undefined ? null : scorer.type === "scorer" ? scorer.name : "",
        agent: agent?.name ?? null,
      };
    },
  };
}

/** All events in order: those that an older log keeps within a tool's or a subtask's come before it. */
export function* flatEvents(events: Json | undefined, isWithinTool = false): Generator<[JsonObject, boolean]> {
  for (const event of objectsIn(events)) {
    if (event.event === "tool" || event.event === "subtask") {
      yield* flatEvents(event.events, isWithinTool || event.event === "tool");
    }
    yield [event, isWithinTool];
  }
}
