/** The contract of a secret rule, on every file of the folder. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KINDS } from "../../../src/curate/secrets/rule.ts";
import { loadRules } from "../../../src/curate/secrets/scan.ts";
import { harmlessSamples, secretSamples } from "./corpus.ts";

const texts = [...secretSamples(), ...harmlessSamples()].map(({ text }) => text);

describe.each(await loadRules())("the rule $id", ({ rule }) => {
  it("says what it finds", () => {
    expect(rule.summary).toMatch(/^[A-Za-z].{5,}[^.]$/);
  });

  it("has a hint that keeps no state and misses nothing that the rule finds", () => {
    expect(rule.hint.flags).not.toMatch(/[gy]/);
    const found = texts.filter((text) => [...rule.find(text, text)].length > 0);
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((text) => !rule.hint.test(text))).toEqual([]);
  });

  it("finds parts of the text, each of a known kind, in any text", () => {
    const words = fc.constantFrom(...texts, "\0", "\ud800", "://", "@", "\\n", "<HOST_1>");
    const any = fc.array(fc.oneof(fc.string({ unit: "binary" }), words), { maxLength: 6 }).map((all) => all.join(""));
    fc.assert(
      fc.property(any, (text) => {
        for (const { kind, start, end } of rule.find(text, text)) {
          expect(KINDS).toContain(kind);
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
        }
      }),
    );
  });
});
