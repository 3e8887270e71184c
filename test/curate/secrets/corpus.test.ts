/** How much of the corpus is found and how much of the harmless is taken for a secret, with the figures printed. */
import { isIP } from "node:net";
import { describe, expect, it } from "vitest";
import type { FoundSpan } from "../../../src/curate/secrets/rule.ts";
import { KINDS } from "../../../src/curate/secrets/rule.ts";
import { openScan } from "../../../src/curate/secrets/scan.ts";
import { harmlessSamples, type SecretSample, secretSamples } from "./corpus.ts";

const scan = await openScan();
const secrets = secretSamples().map((sample) => ({ sample, isFound: isFound(sample, scan(sample.text)) }));
const harmless = harmlessSamples().map((sample) => ({ sample, found: scan(sample.text) }));

/** All of it is covered, and its kind is that which was meant. */
function isFound({ kind, start, end }: SecretSample, spans: FoundSpan[]): boolean {
  return spans.some((span) => span.kind === kind && span.start <= start && span.end >= end);
}

function recall(some: typeof secrets): string {
  const found = some.filter((one) => one.isFound).length;
  return `${found}/${some.length} = ${(found / some.length).toFixed(3)}`;
}

describe("the corpus of secrets", () => {
  it("is spread over all kinds and large enough to say something", () => {
    expect(secrets.length).toBeGreaterThanOrEqual(300);
    expect(harmless.length).toBeGreaterThanOrEqual(300);
    for (const { sample } of secrets) expect(sample.text.slice(sample.start, sample.end)).not.toBe("");
    for (const kind of KINDS) expect(secrets.filter(({ sample }) => sample.kind === kind).length).toBeGreaterThan(20);
    expect(secrets.filter(({ sample }) => sample.isHeldOut).length / secrets.length).toBeCloseTo(0.1, 1);
  });

  it("is found, all but one in twenty", () => {
    for (const kind of KINDS)
      console.log(`recall ${kind}: ${recall(secrets.filter(({ sample }) => sample.kind === kind))}`);
    console.log(
      `recall, all: ${recall(secrets)}; held out: ${recall(secrets.filter(({ sample }) => sample.isHeldOut))}`,
    );
    for (const { sample } of secrets.filter((one) => !one.isFound))
      console.log(`missed ${sample.kind}: ${sample.text}`);
    expect(secrets.filter((one) => one.isFound).length / secrets.length).toBeGreaterThanOrEqual(0.95);
  });

  it("has no address of a private network that is taken for a version, whatever stands before it", () => {
    const isPrivate = ({ sample: { kind, text, start, end } }: (typeof secrets)[number]) =>
      kind === "HOST" && isIP(text.slice(start, end)) !== 0;
    expect(secrets.filter(isPrivate).length).toBeGreaterThan(30);
    expect(secrets.filter((one) => isPrivate(one) && !one.isFound).map(({ sample }) => sample.text)).toEqual([]);
  });

  it("has harmless lines of which at most one in a hundred is changed", () => {
    const changed = harmless.filter(({ found }) => found.length > 0);
    for (const { sample, found } of changed)
      console.log(`changed: ${sample.text} (${found.map(({ rule, kind }) => `${rule} ${kind}`).join(", ")})`);
    const heldOut = changed.filter(({ sample }) => sample.isHeldOut).length;
    console.log(`false positives: ${changed.length}/${harmless.length}, ${heldOut} of them held out`);
    expect(changed.length / harmless.length).toBeLessThanOrEqual(0.01);
  });
});
