/**
 * The fields that a filter expression may name, and the column of the lake's `examples` that each one reads.
 * Closed and typed: what is not here cannot be asked for, so nothing of a user's text becomes SQL. `docs/datasets.md`
 * has them as a table.
 */
export type FieldType = "text" | "number" | "boolean";
export type FieldValue = string | number | boolean;

export interface Field {
  column: string;
  type: FieldType;
  /** What it says of an example, in one line. */
  summary: string;
}

const text = (column: string, summary: string): Field => ({ column, type: "text", summary });
const number = (column: string, summary: string): Field => ({ column, type: "number", summary });
const boolean = (column: string, summary: string): Field => ({ column, type: "boolean", summary });

/**
 * Fields that say how an attempt ended, an opinion's confidence among them, as opinions are asked for where it passed. What else is
 * asked of an example, how sure its label is too, holds for good and bad ones alike.
 */
export const OUTCOME_FIELDS: ReadonlySet<string> = new Set([
  ...["eval_passed", "label", "value", "failure_mode"],
  ...["exit_code", "command_failed", "audit_passed", "audit_confidence"],
]);

export const FIELDS: ReadonlyMap<string, Field> = new Map(
  Object.entries({
    run: text("run", "the run's id"),
    skill: text("skill", "the run's skill"),
    item: text("item", "the item, as `<skill>:<native id>`"),
    family: text("family", "the item's family; none where the run never scanned the item"),
    split: text("split", "`train`, `validation` or `test`; none where the run never scanned the item"),
    kind: text("kind", "the item's kind, in the skill's own words"),
    attempt: number("attempt_number", "the attempt's number at its item, from 1; of an architect's selection 1"),
    turns: number("turns", "how many turns the worker took in the attempt"),
    turn: number("turn_number", "the turn's number in its attempt, from 1"),
    role: text("role", "who answered: `architect`, `worker`, `auditor` or `reflector`"),
    phase: text("phase", "what the role was asked for, such as `act` or `review`"),
    is_foreign: boolean(
      "is_foreign",
      "whether another agent made the turn: in `run --agent`, recorded by the proxy, or imported",
    ),
    is_clipped: boolean("is_clipped", "whether the turn's source lacked a part of its prompt or answer"),
    finish_reason: text("finish_reason", "why the answer ended, such as `stop` or `length`"),
    prompt_tokens: number("prompt_tokens", "the turn's prompt tokens, as the endpoint counted them"),
    completion_tokens: number("completion_tokens", "the turn's completion tokens, as the endpoint counted them"),
    latency_ms: number("latency_ms", "how long the answer took, in milliseconds"),
    model: text("model", "the model's name, as the endpoint gave it"),
    base_hash: text("base_hash", "the base that answered"),
    adapter_hash: text("adapter_hash", "the adapter that answered; none for a base alone"),
    exit_code: number("exit_code", "how the attempt's action exited"),
    command_failed: boolean(
      "command_failed",
      "whether a call of the turn failed: its exit code is not 0, or its source says so; none where neither is known",
    ),
    eval_passed: boolean("eval_passed", "whether the deciding verdict says that the attempt passed; none on conflict"),
    label: boolean(
      "label",
      "whether the answer was good: of a worker what the verdict says, else what the role's rule says",
    ),
    label_confidence: number("label_confidence", "how sure the label is, from 0 to 1"),
    label_rule: text("label_rule", "what made the label: `verdict`, or the role's rule"),
    value: number("verdict_value", "the deciding verdict's value, from 0 to 1"),
    confidence: number("confidence", "the deciding verdict's confidence, from 0 to 1"),
    failure_mode: text("failure_mode", "why the attempt did not pass, in the skill's own list; none where it passed"),
    signal_type: text("signal_type", "`binary`, `graded` or `behavioral`"),
    verifier_id: text("verifier_id", "the verifier of the deciding verdict; none for an attempt without one"),
    verifier_version: text("verifier_version", "that verifier's version"),
    before_passed: boolean("before_passed", "what the same check said before the action"),
    audit_passed: boolean("audit_passed", "what the latest opinion says; none where nobody was asked for one"),
    audit_confidence: number("audit_confidence", "the latest opinion's confidence, from 0 to 1"),
  } satisfies Record<string, Field>),
);
