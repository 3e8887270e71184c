/**
 * Two ways of splitting text before the merges, written out as the regular expressions that they stand for in Python.
 * The package used here takes JavaScript's classes for them, which differ on a few characters: `Digits` would miss
 * numbers that are not decimal digits, and white space would lack U+0085 and hold U+FEFF.
 */

/** GPT-2's words, as the `ByteLevel` split has them built in. */
const WORDS =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+" +
  "|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+";

interface Split {
  type?: string;
  individual_digits?: boolean;
  use_regex?: boolean;
  add_prefix_space?: boolean;
}

/** Returns the content of a tokenizer.json with these splits replaced; all else is the same object. */
export function withExactSplits(json: { pre_tokenizer?: unknown }): object {
  const splits = JSON.parse(JSON.stringify(json.pre_tokenizer ?? null), (_, value: unknown) =>
    typeof value === "object" && value !== null ? exactSplit(value) : value,
  );
  return { ...json, pre_tokenizer: splits };
}

function exactSplit(split: Split): object {
  if (split.type === "Digits") return isolated(split.individual_digits ? "\\p{N}" : "\\p{N}+");
  // A prefix space is put before the words are looked for, so such a split has to stay in one piece.
  if (split.type === "ByteLevel" && split.use_regex !== false && split.add_prefix_space !== true) {
    return { type: "Sequence", pretokenizers: [isolated(WORDS), { ...split, use_regex: false }] };
  }
  return split;
}

function isolated(Regex: string): object {
  return { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false };
}
