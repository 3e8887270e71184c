/**
 * Comma-separated values as RFC 4180 has them: quoted fields may hold commas, doubled quotes and line ends. Linear in the
 * text, whatever is in it.
 */

/** Returns the rows of a text; a last line end makes no row. Null where a quoted field is not closed. */
export function parseCsv(text: string): string[][] | null {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  while (at < text.length) {
    const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
    if (field === null) return null;
    row.push(field.value);
    at = field.end;
    if (text[at] === "," && at + 1 < text.length) {
      at += 1;
      continue;
    }
    if (text[at] === ",") row.push("");
    if (text[at] === "\r" && text[at + 1] === "\n") at += 1;
    at += 1;
    rows.push(row);
    row = [];
    if (text[at - 1] === ",") break;
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

interface Field {
  value: string;
  /** Where the comma or the line end stands. */
  end: number;
}

function plainField(text: string, start: number): Field {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n" && !isCrLf(text, end)) end += 1;
  return { value: text.slice(start, end), end };
}

function quotedField(text: string, start: number): Field | null {
  const parts: string[] = [];
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return null;
    const isDoubled = text[quote + 1] === '"';
    parts.push(text.slice(from, isDoubled ? quote + 1 : quote));
    from = quote + (isDoubled ? 2 : 1);
    if (isDoubled) continue;
    // What stands between the closing quote and the comma belongs to no field by the rule; it is kept as it is.
    const rest = plainField(text, from);
    return { value: parts.join("") + rest.value, end: rest.end };
  }
}

function isCrLf(text: string, at: number): boolean {
  return text[at] === "\r" && text[at + 1] === "\n";
}
