/** A log's turns and the calls that were recorded, told as the same by order, answer and prompt. */
import { describe, expect, it } from "vitest";
import { align, type Heard, type Told } from "../../src/capture/align.ts";

const told = (text: string | null, role = "worker", script?: string): Told => ({
  ...{ role, text },
  calls: script === undefined ? [] : [{ name: "apply", arguments: { script } }],
});
const heard = (text: string, prompt = "work", script?: string): Heard => ({
  ...{ prompt, texts: text === "" ? [] : [text] },
  calls: script === undefined ? [] : [{ name: "apply", arguments: { script } }],
});
const LONG = "a text that is long enough to be cut somewhere behind its sixtieth character, and goes on";

describe("two records of the same turns", () => {
  it("are matched in their order, with texts and arguments that one of them cut", () => {
    const log = [told("one"), told(LONG.slice(0, 70)), told("done", "worker", LONG.slice(0, 65))];
    const calls = [heard("nobody's"), heard("one"), heard(LONG), heard("done", "work", LONG)];
    expect(align(log, calls)).toEqual({ matched: [1, 2, 3], ambiguous: [] });
  });

  it("leave alone what fits two places", () => {
    const same = align(
      [told("start"), told("again"), told("end")],
      [heard("start"), heard("again"), heard("again"), heard("end")],
    );
    expect(same).toEqual({ matched: [0, null, 3], ambiguous: [1] });
  });

  it("count every turn that is left and fits a place, also where the longest order has but one of them", () => {
    const log = [told("a"), told("b"), told("b"), told("c"), told("never asked")];
    expect(align(log, [heard("a"), heard("b"), heard("c"), heard("b")])).toEqual({
      ...{ matched: [0, null, null, 2, null], ambiguous: [1, 2] },
    });
  });

  it("do not count a turn whose one place is another turn's for sure", () => {
    const log = [told("again"), told("between"), told("again")];
    expect(align(log, [heard("between"), heard("again")])).toEqual({ matched: [null, 0, 1], ambiguous: [] });
  });

  it("tell places apart by what lies between, where both repeat themselves", () => {
    const log = [told("again"), told("between"), told("again")];
    expect(align(log, [heard("again"), heard("between"), heard("again")]).matched).toEqual([0, 1, 2]);
  });

  it("do not match across roles, as the prompts of most pairs tell them", () => {
    const log = [told("a", "architect"), told("b"), told("c"), told("d")];
    expect(align(log, [heard("a"), heard("b"), heard("c"), heard("d")])).toEqual({
      matched: [null, 1, 2, 3],
      ambiguous: [0],
    });
  });

  it("do not match where a short text differs, or a call's arguments do", () => {
    expect(align([told("short")], [heard("short and more")]).matched).toEqual([null]);
    expect(align([told(null, "worker", "x")], [heard("", "work", "y")]).matched).toEqual([null]);
  });
});
