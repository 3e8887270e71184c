/**
 * Markdown from texts that nobody vouches for (model answers, families of a user's own file): no cell ends a table,
 * no answer leaves its fence, no control character reaches a terminal.
 */
import { printable } from "./printable.ts";

/** Renders a table; every column after the first is aligned to the right. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const rule = `| ${header.map((_, index) => (index === 0 ? "---" : "---:")).join(" | ")} |`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}

/**
 * Renders a text as a fenced block, its fence longer than any run of backticks in it; shortened for display where a
 * limit is given.
 * Units: `limit` counts UTF-16 code units.
 */
export function fenced(text: string, limit = Number.POSITIVE_INFINITY): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}\n... (${text.length - limit} more characters)` : text;
  const shown = printable(cut);
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${shown}\n${fence}`;
}

function cell(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").replaceAll(/\p{Cc}/gu, "\uFFFD");
  return line.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
