/**
 * Who makes one form of a base from another. This stage knows what it needs, not who can make it.
 */
export type Conversion =
  /** `out/hf/` and `out/model-f16.gguf` of a GGUF: one that is named, or the one that a Python package holds. */
  | { gguf: string; out: string }
  | { package: string; out: string }
  /** The file `out`, an f16 GGUF of a Hugging Face folder. */
  | { hf: string; out: string };

/** Throws: a refusal where the source has a form that cannot be converted. */
export type Convert = (conversion: Conversion) => Promise<void>;
