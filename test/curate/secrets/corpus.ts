/**
 * The corpus as texts: `corpus/secrets.txt` has a kind and a template a line, its secret between guillemets;
 * `corpus/harmless.txt` has texts that hold none. What is marked `heldout` was set aside before there was a rule.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SecretKind } from "../../../src/curate/secrets/rule.ts";
import { random } from "../../../src/foundation/random.ts";
import { filled } from "./fake-secrets.ts";

export interface Sample {
  text: string;
  isHeldOut: boolean;
}

export interface SecretSample extends Sample {
  kind: SecretKind;
  /** Where the secret stands in the text. */
  start: number;
  end: number;
}

export function secretSamples(): SecretSample[] {
  return linesOf("secrets.txt").map((line, i) => {
    const [part = "", kind = "", ...words] = line.split(" ");
    const text = filled(withBreaks(words.join(" ")), random("secrets", i));
    const start = text.indexOf("«");
    const end = text.indexOf("»") - 1;
    return {
      text: text.replace("«", "").replace("»", ""),
      isHeldOut: part === "heldout",
      kind: kind as SecretKind,
      start,
      end,
    };
  });
}

export function harmlessSamples(): Sample[] {
  return linesOf("harmless.txt").map((line) => {
    const [part = "", ...words] = line.split(" ");
    return { text: words.join(" "), isHeldOut: part === "heldout" };
  });
}

/** `\n` is a line break, `\\n` is one that is written as an escape. */
function withBreaks(template: string): string {
  return template.replaceAll(/(\\?)\\n/g, (_, escaped) => (escaped === "" ? "\n" : "\\n"));
}

function linesOf(name: string): string[] {
  const text = readFileSync(join(import.meta.dirname, "corpus", name), "utf8");
  return text.split("\n").filter((line) => line !== "");
}
