/**
 * A plain table for the terminal: columns as wide as their widest cell, control characters shown, not obeyed.
 */

/** Renders a header and rows; cells are cut at `maxWidth` characters for display only. */
export function textTable(header: string[], rows: string[][], maxWidth = 60): string {
  const shown = [header, ...rows].map((cells) => cells.map((cell) => cut(printable(cell), maxWidth)));
  const widths = header.map((_, column) => Math.max(...shown.map((cells) => (cells[column] ?? "").length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const [first = [], ...rest] = shown;
  return [line(first), widths.map((width) => "-".repeat(width)).join("  "), ...rest.map(line)].join("\n");
}

function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (c) => (c === "\n" ? "\\n" : c === "\t" ? " " : "\ufffd"));
}

function cut(text: string, maxWidth: number): string {
  return text.length > maxWidth ? `${text.slice(0, maxWidth - 3)}...` : text;
}
