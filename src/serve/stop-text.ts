/**
 * Cuts a text that comes in pieces at the first of several stop strings, which may lie across pieces: the end of what
 * has come is held back as long as it may be the beginning of one.
 */

export interface StopText {
  /** Returns what may be shown now, and whether a stop string was met. */
  push(piece: string): { text: string; isStopped: boolean };
  /** Returns what was held back. */
  end(): string;
}

/** Makes a cutter for one text. Shapes: `stops` are not empty texts; without any, all goes through at once. */
export function stopText(stops: readonly string[]): StopText {
  let held = "";
  return {
    push(piece) {
      held += piece;
      const found = stops.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
      const cut = found.length > 0 ? Math.min(...found) : held.length - openLength(held, stops);
      const text = held.slice(0, cut);
      held = found.length > 0 ? "" : held.slice(cut);
      return { text, isStopped: found.length > 0 };
    },
    end() {
      const text = held;
      held = "";
      return text;
    },
  };
}

/** Length of the longest end of `text` with which a stop string begins. */
function openLength(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    if (stops.some((stop) => stop.startsWith(text.slice(-length)))) return length;
  }
  return 0;
}
