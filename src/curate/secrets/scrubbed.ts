/**
 * A selection whose rows have placeholders in place of secrets, the same in every row of an attempt, as its turns tell one
 * story; and one set of them for the names of items and families, so that two names stay two. A row's runs, attempts and
 * turns stay as they are, as they lead back to where it came from: whoever writes them asks for their names.
 */
import { type ItemId, itemId } from "../../records/ids.ts";
import { originsOf, type SelectedRow, type Selection } from "../../records/selection.ts";
import { openScrubber, type TraceScrubber } from "./scrubber.ts";

/** Scrubs the rows as they are read; with a `reason` secrets are left in, and it is kept. */
export async function scrubbed(selection: Selection, reason: string | null): Promise<Selection> {
  if (reason !== null) return { ...selection, scrub: { ...selection.scrub, reason } };
  const scrubber = await openScrubber();
  const names = scrubber.trace();
  const sums: Record<string, number> = {};
  return {
    ...selection,
    scrub: {
      reason: null,
      counts: () => ({ ...sums }),
      nameOf: (item) => shownItem(item, names),
      holdsSecret: (text) => scrubber.trace().scrub(text) !== text,
    },
    async *rows() {
      for (const kind of Object.keys(sums)) delete sums[kind]; // each reading counts anew
      const traces = new Map<string, TraceScrubber>();
      for await (const row of selection.rows()) {
        const { attempt } = originsOf(row)[0];
        const trace = traces.get(attempt) ?? scrubber.trace();
        const before = trace.counts();
        const shown = { item: shownItem(row.item, names), family: names.scrub(row.family) };
        yield { ...scrubbedRow(row, trace), ...shown };
        const after = trace.counts();
        for (const [kind, count] of Object.entries(after)) sums[kind] = (sums[kind] ?? 0) + count - (before[kind] ?? 0);
        if (Object.keys(after).length > 0) traces.set(attempt, trace); // the others would only fill the memory
      }
    },
  };
}

/** What stands before an item's first colon is the name of its skill. */
function shownItem(item: ItemId, names: TraceScrubber): ItemId {
  const at = item.indexOf(":");
  return itemId(item.slice(0, at), names.scrub(item.slice(at + 1)));
}

/** The prompt or the query first: placeholders are numbered in the order of reading. */
function scrubbedRow(row: SelectedRow, trace: TraceScrubber): SelectedRow {
  const scrub = <T>(value: T): T => scrubbedValue(value, trace) as T;
  if (row.kind === "reranker-pair")
    return { ...row, query: scrub(row.query), positive: scrub(row.positive), negative: scrub(row.negative) };
  const head = { prompt: scrub(row.prompt), tools: scrub(row.tools) };
  if (row.kind === "answer") return { ...row, ...head, completion: scrub(row.completion) };
  return { ...row, ...head, chosen: scrub(row.chosen), rejected: scrub(row.rejected) };
}

/** Scrubs every text in a value, keys too: the same value where it holds no secret. */
function scrubbedValue(value: unknown, trace: TraceScrubber): unknown {
  if (typeof value === "string") return trace.scrub(value);
  if (Array.isArray(value))
    return sameOr(
      value,
      value.map((item) => scrubbedValue(item, trace)),
    );
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const keys = entries.map(([key]) => trace.scrub(key));
  const areDistinct = new Set(keys).size === keys.length; // else a value would be lost: the second look refuses the row
  const clean = entries.map(([key, inner], i) => [areDistinct ? keys[i] : key, scrubbedValue(inner, trace)] as const);
  const isSame = clean.every(([key, inner], i) => key === entries[i]?.[0] && inner === entries[i]?.[1]);
  return isSame ? value : Object.fromEntries(clean);
}

function sameOr(before: unknown[], after: unknown[]): unknown[] {
  return after.every((item, i) => item === before[i]) ? before : after;
}
