import { expect, it } from "vitest";
import type { Verdict } from "../../src/records/verdict.ts";
import { toldReason } from "../../src/skills/told-reason.ts";

const verdict = (failureMode: string | null, evidence: Verdict["evidence"]): Verdict => ({
  ...{ value: 0, confidence: 1, passed: false, signalType: "binary", before: null, flags: [] },
  ...{ verifier: { id: "v", version: "1" }, failureMode, evidence },
});

it("tells the evidence's reason, cut at its limit", () => {
  expect(toldReason(verdict("parse", { reason: "no table named t" }))).toBe("no table named t");
  expect(toldReason(verdict("parse", { reason: "x".repeat(9999) }))).toHaveLength(400);
});

it("tells nothing of a failure mode whose reason is secret, or where there is none", () => {
  expect(toldReason(verdict("wrong-rows", { reason: "expected 3 rows" }), ["wrong-rows"])).toBe("");
  expect(toldReason(verdict("parse", { reason: null }))).toBe("");
  expect(toldReason(verdict("parse", null))).toBe("");
});
