import { expect, test } from "vitest";
import { hashText } from "../../src/foundation/hashing.ts";
import { armsAt, basePair, type Plan } from "../../src/records/comparison.ts";
import { sampleDraft } from "../validate/sample-comparison.ts";

function plan(names: string[], reference: string, sequential = false): Plan {
  const draft = sampleDraft(["a"], 1, hashText("adapter"));
  const [first] = draft.arms;
  const arms = names.map((arm) => ({ ...first, arm }));
  return { ...draft, arms, pairs: [[reference, "candidate"]], sequential } as Plan;
}

const namesAt = (of: Plan, index: number) => armsAt(of, index).map(({ arm }) => arm);

test("the base attempts the skills at the side beside a champion, which alone is the arm to beat", () => {
  const of = plan(["champion", "base", "base+tips", "candidate"], "champion");
  expect(basePair(of)).toEqual(["base", "candidate"]);
  expect([namesAt(of, 0), namesAt(of, 1)]).toEqual([
    ["champion", "base", "base+tips", "candidate"],
    ["champion", "base", "candidate"],
  ]);
});

test("where the base is the arm to beat there is one comparison at the side", () => {
  const of = plan(["base", "base+tips", "candidate"], "base");
  expect(basePair(of)).toBeNull();
  expect(namesAt(of, 1)).toEqual(["base", "candidate"]);
});

test("a comparison that may end early runs the deciding pair alone at the skill that decides", () => {
  const of = plan(["champion", "base", "candidate"], "champion", true);
  expect([namesAt(of, 0), namesAt(of, 1)]).toEqual([
    ["champion", "candidate"],
    ["champion", "base", "candidate"],
  ]);
});
