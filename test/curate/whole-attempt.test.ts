import { expect, test } from "vitest";
import type { Candidate } from "../../src/curate/candidate.ts";
import { wholeAttempts } from "../../src/curate/whole-attempt.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { attemptId, itemId, turnId } from "../../src/records/ids.ts";
import type { Message } from "../../src/records/message.ts";
import type { AnswerRow } from "../../src/records/selection.ts";
import { sampleRunId } from "../store/sample-run.ts";
import { settingsOf } from "./selection-settings.ts";

const item = itemId("sql", "shop/a");
const attempt = attemptId(sampleRunId(1), item, 1);
const said = (content: string): Message => ({ role: "assistant", content });
const printed = (content: string): Message => ({ role: "tool", content, tool_call_id: "c" });
const TASK: Message[] = [{ role: "user", content: "Mend it." }];
/** A worked example: another attempt's answer, which the model did not give. */
const EXAMPLE: Message[] = [{ role: "user", content: "Mend that." }, said("mended that")];

function turn(n: number, messages: Message[], overrides: Partial<Candidate> & { response: Message }): Candidate {
  return {
    run: sampleRunId(1),
    skill: "sql",
    item,
    family: "shop",
    split: "train",
    attempt,
    attemptNumber: 1,
    turn: turnId(attempt, n),
    turnNumber: n,
    role: "worker",
    messages,
    tipFree: messages,
    promptKey: hashText(JSON.stringify(messages)),
    tips: [],
    retiredTips: [],
    tools: null,
    isClipped: false,
    isForeign: true,
    call: null,
    finishReason: "stop",
    completionTokens: 5,
    attemptTokens: 5,
    isLast: true,
    commandFailed: null,
    model: "m",
    baseHash: null,
    adapterHash: null,
    flags: [],
    parseFlags: [],
    isWanted: true,
    isRevoked: false,
    reference: null,
    verdict: null,
    label: { passed: true, value: 1, confidence: 1, rule: "verdict" },
    ...overrides,
  };
}

function rowOf(turns: Candidate[]): AnswerRow {
  const settings = settingsOf([sampleRunId(1)], { unit: "attempt" });
  const [made, ...others] = wholeAttempts(turns, { settings, refuse: () => {} });
  expect(others).toEqual([]);
  return made?.row as AnswerRow;
}

test("a whole attempt is one row: its first prompt, then its own answers with what came back between them", () => {
  const first = [...EXAMPLE, ...TASK];
  const second = [...first, said("look"), printed("files")];
  const row = rowOf([turn(1, first, { response: said("look") }), turn(2, second, { response: said("done") })]);
  expect(row.prompt).toEqual(first);
  expect(row.completion).toEqual([said("look"), printed("files"), said("done")]);
  expect(row.trained).toEqual([true, false, true]);
  expect(row.turn).toBe(turnId(attempt, 2));
});

test("a step that failed stays as context and is not trained on", () => {
  const second = [...TASK, said("lok"), printed("no such command")];
  const turns = [
    turn(1, TASK, { response: said("lok"), parseFlags: ["no-action"] }),
    turn(2, second, { response: said("done") }),
  ];
  expect(rowOf(turns).trained).toEqual([false, false, true]);
});

test("an answer that is no turn's own is not trained on", () => {
  const second = [...TASK, said("look"), printed("files"), said("a summary by another program")];
  const turns = [turn(1, TASK, { response: said("look") }), turn(2, second, { response: said("done") })];
  expect(rowOf(turns).trained).toEqual([true, false, false, true]);
});

test("an attempt of one turn is that turn", () => {
  const row = rowOf([turn(1, TASK, { response: said("done") })]);
  expect([row.prompt, row.completion, row.trained]).toEqual([TASK, [said("done")], [true]]);
});
