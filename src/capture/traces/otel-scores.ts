/**
 * What evaluators and people said of a span, its trace or its session: `gen_ai.evaluation.result` events, and the
 * annotations of OpenInference, which says who gave them.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { isObject } from "../reading/shapes.ts";
import { firstNumber, firstOf, firstText, flatList, structured } from "./otel-attributes.ts";
import type { Attributes, Span } from "./otel-spans.ts";
import type { GivenScore } from "./scores.ts";

export const SCORE_SCOPES = ["span", "trace", "session"] as const;

export interface SpanScore {
  scope: (typeof SCORE_SCOPES)[number];
  atMs: number | null;
  score: GivenScore;
}

const JUDGES: ReadonlyMap<unknown, GivenScore["judge"]> = new Map([
  ["CODE", "code"],
  ["LLM", "model"],
  ["HUMAN", "person"],
] as const);
/** OpenInference has two names for one thing. */
const LISTS = [
  ["annotations", "annotation"],
  ["evaluations", "evaluation"],
] as const;

/** Reads the scores that a span carries; what is there under both of its names is there once. */
export function scoresOf(span: Span): SpanScore[] {
  const { attributes, events, endMs, id } = span;
  const about: Record<string, Json> = id === null ? {} : { span: id };
  const results = events
    .filter(({ name }) => name === "gen_ai.evaluation.result")
    .map((event) => ({ scope: "span" as const, atMs: event.atMs, score: resultScore(event.attributes, about) }));
  const annotations = SCORE_SCOPES.flatMap((scope) =>
    LISTS.flatMap(([list, entry]) =>
      flatList(attributes, scope === "span" ? list : `${scope}.${list}`).map((one) => {
        const score = annotationScore(new Map([...one].map(([key, value]) => [withoutPrefix(key, entry), value])));
        return { scope, atMs: endMs, score: { ...score, about: { ...about, scope, ...score.about } } };
      }),
    ),
  );
  return [
    ...new Map([...results, ...annotations].map((one) => [JSON.stringify([one.scope, one.score]), one])).values(),
  ];
}

function withoutPrefix(key: string, entry: string): string {
  return key.startsWith(`${entry}.`) ? key.slice(entry.length + 1) : key;
}

function resultScore(attributes: Attributes, about: Record<string, Json>): GivenScore {
  const response = firstText(attributes, "gen_ai.response.id");
  const failure = firstText(attributes, "error.type");
  return {
    name: firstText(attributes, "gen_ai.evaluation.name") ?? "",
    value: valueIn(attributes, "gen_ai.evaluation.score.value"),
    label: firstText(attributes, "gen_ai.evaluation.score.label"),
    explanation: firstText(attributes, "gen_ai.evaluation.explanation"),
    judge: JUDGES.get(firstText(attributes, "annotator_kind", "annotation.annotator_kind")) ?? "unknown",
    about: { ...about, ...(response !== null && { response }), ...(failure !== null && { error: failure }) },
  };
}

function annotationScore(entry: Attributes): GivenScore {
  const identifier = firstText(entry, "identifier");
  const { value: metadata } = structured(entry.get("metadata"));
  return {
    name: firstText(entry, "name") ?? "",
    value: valueIn(entry, "score"),
    label: firstText(entry, "label"),
    explanation: firstText(entry, "explanation"),
    judge: JUDGES.get(firstText(entry, "annotator_kind")) ?? "unknown",
    about: { ...(identifier !== null && { identifier }), ...(isObject(metadata) && { metadata }) },
  };
}

function valueIn(attributes: Attributes, key: string): number | boolean | null {
  const value = firstOf(attributes, key);
  return typeof value === "boolean" ? value : firstNumber(attributes, key);
}
