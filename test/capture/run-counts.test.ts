/** What a run holds so far, as far as it rests on its verdicts. */
import { expect, it } from "vitest";
import { openRunCounts } from "../../src/capture/run-counts.ts";
import { attemptId, type ItemId, type RunId } from "../../src/records/ids.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import { sampleVerdict } from "../store/sample-run.ts";

const run = "20261126-154210-7f3a" as RunId;
const item = "mine:a" as ItemId;
const attempt = attemptId(run, item, 1);

function counted(...verdicts: [Verdict["signalType"], boolean][]) {
  const counts = openRunCounts(run);
  counts.take({
    type: "items_scanned",
    data: { items: [{ item, family: "a", split: "train", kind: null, task: "t", detail: {} }] },
  });
  for (const [signalType, passed] of verdicts) {
    counts.take({ type: "verdict", data: { attempt, verdict: { ...sampleVerdict(passed), signalType } } });
  }
  return { passed: counts.summary()[0]?.passed, isJudged: counts.isJudged(attempt) };
}

it.each<[string, [Verdict["signalType"], boolean][], { passed: number; isJudged: boolean }]>([
  [
    "a check before a person's word",
    [
      ["binary", false],
      ["behavioral", true],
    ],
    { passed: 0, isJudged: true },
  ],
  [
    "a check after a person's word",
    [
      ["behavioral", true],
      ["graded", false],
    ],
    { passed: 0, isJudged: true },
  ],
  [
    "a person's word alone, which leaves the attempt to a check",
    [["behavioral", true]],
    { passed: 1, isJudged: false },
  ],
  ["no judgment", [["judgment", true]], { passed: 0, isJudged: false }],
])("an attempt's outcome is what is said by %s", (_, verdicts, expected) => {
  expect(counted(...verdicts)).toEqual(expected);
});
