/**
 * Finds the secrets of one text by every rule there is: the preset's and our own. What overlaps is one secret: the
 * longest finding wins, then the first, then that whose kind says more.
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../../foundation/discovery.ts";
import { holdsPlaceholder } from "./placeholders.ts";
import { PRESET_HINT, presetScan } from "./preset.ts";
import { type FoundSpan, KINDS, type SecretRule } from "./rule.ts";

const RULES_FOLDER = join(import.meta.dirname, "rules");

export interface NamedRule {
  id: string;
  rule: SecretRule;
}

/** Finds secrets that do not overlap, in the order in which they stand. */
export type Scan = (text: string) => FoundSpan[];

/** Loads every rule of our own, by name. */
export async function loadRules(): Promise<NamedRule[]> {
  const ids = await extensionIds(RULES_FOLDER);
  return Promise.all(
    ids.map(async (id) => ({ id, rule: await loadExtension<SecretRule>(RULES_FOLDER, "secret rule", id) })),
  );
}

/** Makes the scan, a function of one text. Shapes: its spans lie in the text as given, do not overlap and ascend. */
export async function openScan(): Promise<Scan> {
  const rules = await loadRules();
  const preset = presetScan();
  return (raw) => {
    const text = withoutEscapes(raw);
    const found: FoundSpan[] = PRESET_HINT.test(text) ? preset(text) : [];
    for (const { id, rule } of rules) {
      if (!rule.hint.test(text)) continue;
      for (const { kind, start, end } of rule.find(text, raw)) found.push({ rule: id, kind, start, end });
    }
    return found.length === 0 ? found : longest(raw, found);
  };
}

/** How JSON and code write white space and control characters; a doubled backslash before `b` or `f` is a path's. */
const ESCAPE = /\\{1,4}(?:[nrt]|u[0-9A-Fa-f]{4})|(?<!\\)\\[bf]/g;

/** Blanks escapes within text that is itself JSON or code, and keeps every offset. */
function withoutEscapes(text: string): string {
  return text.includes("\\") ? text.replace(ESCAPE, (written) => " ".repeat(written.length)) : text;
}

function longest(text: string, found: FoundSpan[]): FoundSpan[] {
  const sound = found.filter(({ start, end }) => end > start && !holdsPlaceholder(text.slice(start, end)));
  sound.sort(
    (a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
  );
  // What is no longer than all that were taken overlaps one of them only with its first or its last unit inside.
  const taken = new Uint8Array(text.length);
  const kept: FoundSpan[] = [];
  for (const span of sound) {
    if (taken[span.start] === 1 || taken[span.end - 1] === 1) continue;
    taken.fill(1, span.start, span.end);
    kept.push(span);
  }
  return kept.sort((a, b) => a.start - b.start);
}
