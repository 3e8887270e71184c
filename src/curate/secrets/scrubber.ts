/**
 * Replaces the secrets of a trace by placeholders that say what they stand for and are the same in every text of the
 * trace, so that what is learned from it is the shape of the work and not a name. Does not know what a trace is made
 * of: the caller hands in one text after the other.
 */
import { placeholders } from "./placeholders.ts";
import type { FoundSpan, SecretKind } from "./rule.ts";
import { openScan, type Scan } from "./scan.ts";

export interface Scrubber {
  /** A trace's own placeholders: the same secret gets the same placeholder in every text of this trace. */
  trace(): TraceScrubber;
}

export interface TraceScrubber {
  /**
   * Returns the text with every secret replaced by `<HOST_1>`, `<TOKEN_1>` and so on: the same string where it holds
   * none. To scrub a text twice changes nothing more.
   */
  scrub(text: string): string;
  /** How many were replaced so far, by kind: occurrences, not different secrets. */
  counts(): Record<string, number>;
}

/** Where a secret is still to be seen, without the secret. */
export interface Finding {
  kind: SecretKind;
  /** The id of the rule that found it. */
  rule: string;
  /** In UTF-16 units. */
  start: number;
}

/** A replacement may free a secret that had no boundary before; more often in a row is a text made for it. */
const MOST_PASSES = 16;

let opened: Promise<Scan> | undefined;

/** Makes a scrubber; the rules are loaded once for all of them. */
export async function openScrubber(): Promise<Scrubber> {
  opened ??= openScan();
  const scan = await opened;
  return { trace: () => traceScrubber(scan) };
}

/** Finds what is left of secrets in a text, for instance a rendered row: nothing in what was scrubbed. */
export async function findings(text: string): Promise<Finding[]> {
  opened ??= openScan();
  const scan = await opened;
  return scan(text).map(({ kind, rule, start }) => ({ kind, rule, start }));
}

function traceScrubber(scan: Scan): TraceScrubber {
  const names = placeholders();
  const counts: Record<string, number> = {};
  const replaced = (text: string, spans: FoundSpan[]): string => {
    let out = "";
    let at = 0;
    for (const { kind, start, end } of spans) {
      out += text.slice(at, start) + names.of(kind, text.slice(start, end));
      counts[kind] = (counts[kind] ?? 0) + 1;
      at = end;
    }
    return out + text.slice(at);
  };
  return {
    scrub(text) {
      names.note(text);
      let result = text;
      for (let pass = 0; pass < MOST_PASSES; pass++) {
        const spans = scan(result);
        if (spans.length === 0) break;
        result = replaced(result, spans);
      }
      return result;
    },
    counts: () => ({ ...counts }),
  };
}
