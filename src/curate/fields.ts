/**
 * The fields that a filter expression may name, and the column of the lake's `examples` that each one reads.
 * Closed and typed: what is not here cannot be asked for, so nothing of a user's text becomes SQL.
 */
export type FieldType = "text" | "number" | "boolean";
export type FieldValue = string | number | boolean;

export interface Field {
  column: string;
  type: FieldType;
}

const text = (column: string): Field => ({ column, type: "text" });
const number = (column: string): Field => ({ column, type: "number" });
const boolean = (column: string): Field => ({ column, type: "boolean" });

export const FIELDS: ReadonlyMap<string, Field> = new Map(
  Object.entries({
    run: text("run"),
    skill: text("skill"),
    item: text("item"),
    family: text("family"),
    split: text("split"),
    kind: text("kind"),
    /** The number of the attempt at its item, from 1. */
    attempt: number("attempt_number"),
    /** The number of the turn in its attempt, from 1. */
    turn: number("turn_number"),
    finish_reason: text("finish_reason"),
    prompt_tokens: number("prompt_tokens"),
    completion_tokens: number("completion_tokens"),
    model: text("model"),
    base_hash: text("base_hash"),
    adapter_hash: text("adapter_hash"),
    eval_passed: boolean("eval_passed"),
    confidence: number("confidence"),
    failure_mode: text("failure_mode"),
    signal_type: text("signal_type"),
    verifier_id: text("verifier_id"),
    verifier_version: text("verifier_version"),
    before_passed: boolean("before_passed"),
    /** What the latest opinion says; empty where nobody was asked for one. */
    audit_passed: boolean("audit_passed"),
    audit_confidence: number("audit_confidence"),
  } satisfies Record<string, Field>),
);
