/**
 * Finds texts in a log line without parsing it: canonical JSON sorts keys, has no white space and escapes quotes, so
 * `"key":"` stands for a key wherever it occurs. A long log is split by this without its texts becoming JavaScript values.
 */

const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;
const OPENING = new Set([91, 123]);
const CLOSING = new Set([93, 125]);
const ITEMS = Buffer.from('"items":[');
const ITEM = Buffer.from("item");
const EMPTY = Buffer.alloc(0);

/** Returns the bytes of the first text that `"key":"` leads to, escaped as they are; empty where there is none. */
export function firstText(line: Buffer, key: string): Buffer {
  const start = line.indexOf(`"${key}":"`);
  if (start === -1) return EMPTY;
  const from = start + key.length + 4;
  return line.subarray(from, closingQuote(line, from));
}

/** Yields the objects of a line's `items`, as they are, each with the text of its own `item`. */
export function* itemObjects(line: Buffer): Generator<{ item: Buffer; object: Buffer }> {
  let at = line.indexOf(ITEMS) + ITEMS.length;
  while (OPENING.has(line[at] ?? 0)) {
    const start = at;
    let item: Buffer = EMPTY;
    let isItemNext = false;
    let depth = 0;
    do {
      const byte = line[at] ?? 0;
      if (byte === QUOTE) {
        const end = closingQuote(line, at + 1);
        if (depth === 1) {
          const text = line.subarray(at + 1, end);
          if (isItemNext) item = text;
          isItemNext = line[end + 1] === COLON && text.equals(ITEM);
        }
        at = end;
      } else if (OPENING.has(byte)) depth += 1;
      else if (CLOSING.has(byte)) depth -= 1;
      at += 1;
    } while (depth > 0 && at < line.length);
    yield { item, object: line.subarray(start, at) };
    at += 1;
  }
}

function closingQuote(line: Buffer, from: number): number {
  for (let at = line.indexOf(QUOTE, from); at !== -1; at = line.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (line[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return line.length;
}
