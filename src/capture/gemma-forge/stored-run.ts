/**
 * A run of gemma-forge of which only the database is left: its items with their end, and those attempts that the harness
 * wrote down, which are the failed ones that it reflected on. Nothing of it is whole.
 */
import type { TipId } from "../../records/ids.ts";
import { type Foreign, foreignVerdict } from "../foreign.ts";
import { countIn, type JsonObject, textIn, timeIn } from "../reading/shapes.ts";
import type { StoreRun } from "./memory-store.ts";
import { tipOf } from "./tip-of.ts";

const VERIFIER = { id: "gemma-forge-store", version: "unknown" };

/** Says what the database holds of a run. */
export function* storedRecords({ workItems, attempts, tips }: StoreRun): Generator<Foreign> {
  for (const row of workItems) {
    const item = textIn(row.item_id);
    if (item === null) continue;
    const detail = { title: textIn(row.title), category: textIn(row.category), outcome: textIn(row.outcome) };
    yield { kind: "item", item, family: null, itemKind: textIn(row.category), task: textIn(row.title) ?? item, detail };
  }
  for (const row of attempts) yield* attemptRecords(row);
  for (const row of workItems) yield* endOf(row);
  for (const row of tips) yield* tipRecords(row);
}

/** Only what failed has a row, and the row's own `eval_passed` is a constant; its failure mode is the evaluator's summary. */
function* attemptRecords(row: JsonObject): Generator<Foreign> {
  const item = textIn(row.item_id);
  const attempt = countIn(row.attempt_num);
  if (item === null || attempt === null || attempt < 1) return;
  const place = { item, attempt, at: timeIn(row.created_at) };
  const approach = textIn(row.approach);
  yield {
    ...{ kind: "turn", ...place, role: "worker", phase: "apply_fix", messages: [], tools: null },
    response: approach === null ? null : { role: "assistant", content: approach },
    missing: ["system-prompt", "tools", "prompt", "answer", "sampling"],
    flags: ["clipped"],
  };
  const summary = textIn(row.failure_mode);
  const isTold = /\brule=False\b|\bhealth=False\b/.test(summary ?? "");
  yield {
    ...{ kind: "verdict", ...place },
    verdict: foreignVerdict({
      ...{ value: 0, confidence: isTold ? 1 : 0.5, verifier: VERIFIER, flags: ["clipped"] },
      ...{
        failureMode: summary,
        evidence: { summary, reflection: textIn(row.reflection), lesson: textIn(row.lesson) },
      },
    }),
  };
}

/** What passed has no row: that it did is said of the item alone, and the evaluator's words are gone. */
function* endOf(row: JsonObject): Generator<Foreign> {
  const item = textIn(row.item_id);
  const attempt = countIn(row.attempts);
  if (item === null || attempt === null || attempt < 1 || row.outcome !== "completed") return;
  const evidence = { outcome: row.outcome };
  const verdict = foreignVerdict({
    value: 1,
    confidence: 0,
    verifier: VERIFIER,
    evidence,
    flags: ["evaluator-gap", "conflict"],
  });
  yield { kind: "verdict", item, attempt, verdict };
}

function* tipRecords(row: JsonObject): Generator<Foreign> {
  const item = textIn(row.source_rule_id);
  const tip = tipOf(row, "");
  if (item === null || tip === null) return;
  yield { kind: "tip", item, attempt: null, tip };
  yield* retirementOf(row, tip.tip);
}

/** Says that a tip was retired, where the database does. */
export function* retirementOf(row: JsonObject, tip: TipId): Generator<Foreign> {
  if (textIn(row.retired_at) === null) return;
  yield { kind: "tip-retired", tip, reason: textIn(row.retired_reason) ?? "retired" };
}
