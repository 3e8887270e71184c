import { expect, test } from "vitest";
import type { Candidate } from "../../src/curate/candidate.ts";
import { wholeAttempts } from "../../src/curate/whole-attempt.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { attemptId, itemId, type TurnId, turnId } from "../../src/records/ids.ts";
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
    isTextCompletion: false,
    isRecorded: false,
    isForeign: true,
    call: null,
    finishReason: "stop",
    promptTokens: 50,
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
    isVerdictRevoked: false,
    reference: null,
    verdict: null,
    label: { passed: true, value: 1, confidence: 1, rule: "verdict" },
    ...overrides,
  };
}

/** The one row of these turns; every turn is in it, but for those that are said to be refused. */
function rowOf(turns: Candidate[], refused: Record<string, TurnId[]> = {}): AnswerRow {
  const settings = settingsOf([sampleRunId(1)], { unit: "attempt" });
  const found: Record<string, TurnId[]> = {};
  const refuse = (reason: string, { turn }: Candidate) => {
    found[reason] = [...(found[reason] ?? []), turn];
  };
  const [made, ...others] = wholeAttempts(turns, { settings, refuse });
  expect(others).toEqual([]);
  expect(found).toEqual(refused);
  const named = [...(made?.of ?? []).map((part) => part.turn), ...Object.values(found).flat()];
  expect(named.toSorted()).toEqual(turns.map((part) => part.turn));
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

test("attempts whose steps differ say different things, however alike they close", () => {
  const closing = Array.from({ length: 40 }, (_, n) => `word-${n}`).join(" ");
  const attemptBy = (n: number, step: string, last: string) => {
    const of = { attempt: attemptId(sampleRunId(1), item, n), attemptNumber: n };
    const named = (k: number) => ({ ...of, turn: turnId(of.attempt, k) });
    const second = [...TASK, said(step), printed("3")];
    return [
      turn(1, TASK, { ...named(1), response: said(step) }),
      turn(2, second, { ...named(2), response: said(`${closing} ${last}`) }),
    ];
  };
  const attempts = [
    attemptBy(1, "SELECT count(*) FROM albums", "yes"),
    attemptBy(2, "PRAGMA table_info(birds)", "yes"),
    attemptBy(3, "SELECT count(*) FROM albums", "done"),
  ];
  const refused: [string, TurnId, TurnId | undefined][] = [];
  const rowsOf = (maxPerItem: number) =>
    wholeAttempts(attempts.flat(), {
      settings: settingsOf([sampleRunId(1)], { unit: "attempt", maxPerItem }),
      refuse: (reason, { turn }, kept) => refused.push([reason, turn, kept?.turn]),
    }).map(({ row }) => row.kind === "answer" && row.attempt);
  expect(rowsOf(9)).toEqual([1, 2].map((n) => attempts[n - 1]?.[0]?.attempt));
  const [first, , third] = attempts.map((turns) => turns.map((one) => one.turn));
  expect(refused).toEqual(third?.map((removed) => ["near-duplicate", removed, first?.[1]]));
});

test("attempts whose steps are the same say the same where what came back is nearly the same, too", () => {
  const listing = (name: string) => Array.from({ length: 80 }, (_, n) => `${name}-${n}`).join(" ");
  const turns = [`${listing("file")} 1`, `${listing("file")} 2`, listing("row")].flatMap((stdout, i) => {
    const of = { attempt: attemptId(sampleRunId(1), item, i + 1), attemptNumber: i + 1 };
    const named = (k: number) => ({ ...of, turn: turnId(of.attempt, k) });
    const second = [...TASK, said("look"), printed(stdout)];
    return [
      turn(1, TASK, { ...named(1), response: said("look") }),
      turn(2, second, { ...named(2), response: said("done") }),
    ];
  });
  const refused: [string, TurnId, TurnId | undefined][] = [];
  const rows = wholeAttempts(turns, {
    settings: settingsOf([sampleRunId(1)], { unit: "attempt", maxPerItem: 9 }),
    refuse: (reason, { turn }, kept) => refused.push([reason, turn, kept?.turn]),
  });
  const [, first, third, fourth, , sixth] = turns.map((one) => one.turn);
  expect(rows.map(({ of }) => of[0].turn)).toEqual([first, sixth]);
  expect(refused).toEqual([third, fourth].map((removed) => ["near-duplicate", removed, first]));
});

test("an attempt of one turn is that turn", () => {
  const row = rowOf([turn(1, TASK, { response: said("done") })]);
  expect([row.prompt, row.completion, row.trained]).toEqual([TASK, [said("done")], [true]]);
});

test("a step that failed is not trained on where the same call is made again and succeeds", () => {
  const run = { isLast: false, commandFailed: true };
  const second = [...TASK, said("pytest"), printed("1 failed")];
  const third = [...second, said("edit"), printed("")];
  const fourth = [...third, said("pytest"), printed("1 passed")];
  const turns = [
    turn(1, TASK, { ...run, response: said("pytest") }),
    turn(2, second, { response: said("edit") }),
    turn(3, third, { ...run, commandFailed: false, response: said("pytest") }),
    turn(4, fourth, { response: said("done") }),
  ];
  expect(rowOf(turns).trained).toEqual([false, false, true, false, true, false, true]);
});

test("a worked example that says what a step says stays in the prompt", () => {
  const first = [...EXAMPLE, ...TASK];
  const second = [...first, said("mended that"), printed("no")];
  const row = rowOf([turn(1, first, { response: said("mended that") }), turn(2, second, { response: said("done") })]);
  expect([row.prompt, row.trained]).toEqual([first, [true, false, true]]);
});

test("steps are found in a prompt that was rewritten at its beginning, each once, and never in what was said before them", () => {
  const summary: Message[] = [...EXAMPLE, { role: "user", content: "Mend it. It was looked at." }];
  const last = [...summary, said("look"), printed("files"), said("look"), printed("more files")];
  const look = { response: said("look") };
  const turns = [
    turn(1, [...EXAMPLE, ...TASK], { response: said("mended that") }),
    turn(2, [...EXAMPLE, ...TASK, said("mended that"), printed("no")], { ...look, parseFlags: ["parser-threw"] }),
    turn(3, [...EXAMPLE, ...TASK, said("mended that"), printed("no"), said("look"), printed("files")], look),
    turn(4, last, { response: said("done") }),
  ];
  const row = rowOf(turns, { "not-in-last-prompt": [turnId(attempt, 1)] });
  expect([row.prompt, row.trained]).toEqual([summary, [false, false, true, false, true]]);
});

test("steps that a summary took the place of are in no row, and are counted", () => {
  const summary: Message[] = [...TASK, { role: "user", content: "You looked and edited." }];
  const third = [...summary, said("test"), printed("passed")];
  const turns = [
    turn(1, TASK, { response: said("look") }),
    turn(2, [...TASK, said("look"), printed("files")], { response: said("edit") }),
    turn(3, summary, { response: said("test") }),
    turn(4, third, { response: said("done") }),
  ];
  const row = rowOf(turns, { "not-in-last-prompt": [turnId(attempt, 1), turnId(attempt, 2)] });
  expect([row.prompt, row.trained]).toEqual([summary, [true, false, true]]);
  expect(row.earlier.map((origin) => origin.turn)).toEqual([turnId(attempt, 3)]);
});
