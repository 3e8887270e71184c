/**
 * Text from ids as they come, one by one. A character may be spread over several tokens, and a token's text may depend
 * on the one before it, so what is new is found by decoding a short stretch with and without the latest ids.
 */
import type { Renderer } from "./renderer.ts";

const INCOMPLETE = "\ufffd";

export interface TextStream {
  /** Takes the next id and returns the text that is now certain; it may be empty. */
  push(id: number): string;
  /** Returns what is left, incomplete characters as U+FFFD. */
  end(): string;
}

/** Opens a stream; all its pieces joined are the text of all ids without special tokens. */
export function textStream(renderer: Pick<Renderer, "decode">): TextStream {
  let told: number[] = [];
  let untold: number[] = [];

  function newText(): string {
    const before = renderer.decode(told, { skipSpecial: true });
    return renderer.decode([...told, ...untold], { skipSpecial: true }).slice(before.length);
  }

  return {
    push(id) {
      untold.push(id);
      const text = newText();
      if (text === "" || text.endsWith(INCOMPLETE)) return "";
      told = untold;
      untold = [];
      return text;
    },
    end() {
      const text = newText();
      untold = [];
      return text;
    },
  };
}
