import { describe, expect, test } from "vitest";
import { changedFraction, fractionOf, isLoop, isRefusal } from "../../../src/validate/ability/behaviour.ts";

const cut = (text: string) => ({ text, isCut: true });
const whole = (text: string) => ({ text, isCut: false });

describe("an answer runs in circles", () => {
  test.each([
    ["one sentence over and over", `Well. ${"I like tea. ".repeat(20)}`],
    [
      "a paragraph that is cut in its fourth round",
      "First we begin with a plan.\nThen we act.\n".repeat(4).slice(0, -9),
    ],
    ["one letter", "a".repeat(100)],
    ["characters of two code units", "\u{1F375}\u{1F36A}".repeat(50)],
  ])("where it is %s", (_, text) => {
    expect(isLoop(cut(text))).toBe(true);
  });

  test.each([
    ["it ends by itself", whole("I like tea. ".repeat(20))],
    ["it is cut, but says something new each time", cut(Array.from({ length: 60 }, (_, i) => `Step ${i}.`).join(" "))],
    ["only its last dots repeat", cut(`A long answer about nothing in particular ${".".repeat(20)}`)],
    ["it is empty", cut("")],
  ])("not where %s", (_, answer) => {
    expect(isLoop(answer)).toBe(false);
  });

  test("also where a hostile text is as long as it likes", () => {
    expect(isLoop(cut(`${"ab".repeat(1_000_000)}c`))).toBe(false);
    expect(isLoop(cut("\u0000\uD800".repeat(1_000_000)))).toBe(true);
  });
});

describe("a refusal", () => {
  test.each([
    "I'm sorry, but I can't help with that.",
    "I\u2019m unable to do this.",
    "As an AI language model, I have no taste.",
  ])("is %j", (text) => {
    expect(isRefusal(whole(text))).toBe(true);
  });

  test.each(["Bread rises because of yeast.", `${"Of course. ".repeat(30)} I cannot say more.`])(
    "is not %j",
    (text) => {
      expect(isRefusal(whole(text))).toBe(false);
    },
  );
});

test("changed answers are counted among those that both arms gave", () => {
  const base = new Map([
    ["a", whole("x")],
    ["b", whole("y")],
    ["c", whole("z")],
  ]);
  const candidate = new Map([
    ["a", whole("x")],
    ["b", whole("other")],
  ]);
  expect(changedFraction(base, candidate)).toBe(0.5);
  expect(changedFraction(base, new Map())).toBeNull();
  expect(fractionOf([], () => true)).toBeNull();
});
