/**
 * What makes two texts near-duplicates, and the parts that follow from it: how texts are read, signed and kept.
 *
 * Texts of at most half as many shingles as a signature has places (68 words) are compared exactly. Of others
 * the similarity is estimated: with 128 places its standard error is 0.032 at 0.85, so that a pair within 0.06 of the
 * threshold may fall on either side.
 */
import { assert } from "../../foundation/errors.ts";
import { type BandIndex, bandIndex } from "./band-index.ts";
import { bestBanding } from "./banding.ts";
import { SHINGLE_WORDS, shingler } from "./shingles.ts";
import { signer } from "./signature.ts";
import { sketchStore } from "./sketches.ts";

/** Of a signature. */
const PLACES = 128;

export interface NearOptions {
  /** The least Jaccard similarity of two texts' shingles, above 0 and at most 1. Default: 0.85. */
  threshold?: number;
  seed?: number;
}

export interface NearParts {
  /** Keeps a text's sketch under a number: one that was used before, or the next. */
  put(number: number, text: string): void;
  /** Makes an index of those that are to be found; it is empty at first. */
  emptyIndex(capacity: number): BandIndex;
}

/** Makes the parts that work by these options. */
export function nearParts(options: NearOptions): NearParts {
  const { threshold = 0.85, seed = 0 } = options;
  assert(threshold > 0 && threshold <= 1, `near-duplicates from a similarity of ${threshold} on`);
  const shinglesOf = shingler(SHINGLE_WORDS);
  const sign = signer(PLACES, seed);
  const banding = bestBanding(threshold, PLACES);
  const sketches = sketchStore({ places: PLACES, banding, sign });
  return {
    put: (number, text) => sketches.put(number, shinglesOf(text)),
    emptyIndex: (capacity) => bandIndex(sketches, { bands: banding.bands, capacity, threshold }),
  };
}
