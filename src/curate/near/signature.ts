/**
 * The MinHash signature of a set of shingles: the expected part of the places at which two signatures agree is the Jaccard
 * similarity of the sets, with a standard error of at most sqrt(J (1 - J) / places).
 *
 * The classic way hashes every shingle once for every place. Here a round hashes every shingle once and throws it to one
 * place, where the least stays; rounds follow until no place is empty, and from the round on that has the number of
 * places, each has one place for all. Two rounds do for a text of several hundred words, so that a signature costs
 * about what reading the text does.
 *
 * Sources: Broder, "On the resemblance and containment of documents", 1997; Dahlgaard, Knudsen and Thorup, "Fast
 * similarity sketching", FOCS 2017 (arXiv:1704.04370); deviates: one hash of 32 bits gives both the place and the value.
 */
import { assert } from "../../foundation/errors.ts";
import { random } from "../../foundation/random.ts";
import { mixed } from "./mixed.ts";
import { distinctShingles, type Shingles } from "./shingles.ts";

const HASHES = 2 ** 32;
/** A set that has not filled its places by this round is small, or repeats itself: repeats are then worth dropping. */
const DISTINCT_FROM_ROUND = 4;

/** One way of hashing shingles, and of throwing their hashes to places. */
interface Round {
  factor: number;
  term: number;
  /** What its hashes begin at, so that those of an earlier round are always less. */
  base: number;
  /** The first place that it throws to, and the places per hash from there: 0 where it throws to that place alone. */
  firstPlace: number;
  placesPerHash: number;
}

/** Writes the signature of a text's shingles, which it may put in another order. */
export type Sign = (shingles: Shingles, signature: Uint32Array) => void;

/**
 * Makes a writer of signatures: the same seed gives the same signature on every machine.
 * Shapes: `places` is a whole number of at least 1, and so long is `signature`; there is at least one shingle.
 */
export function signer(places: number, seed: number): Sign {
  assert(Number.isInteger(places) && places >= 1, `a signature of ${places} places`);
  const rounds = roundsOf(places, seed);
  const least = new Float64Array(places);

  return (shingles, signature) => {
    assert(shingles.count > 0, "a signature of nothing");
    least.fill(Number.POSITIVE_INFINITY);
    let thrown = shingles;
    for (let round = 0; least.includes(Number.POSITIVE_INFINITY); round++) {
      if (round === DISTINCT_FROM_ROUND) thrown = distinctShingles(shingles);
      throwAll(thrown, rounds[round] as Round, least);
    }
    // Of a long text the least hashes are all small; what is compared must not be.
    for (let place = 0; place < places; place++) signature[place] = mixed((least[place] as number) | 0);
  };
}

function roundsOf(places: number, seed: number): Round[] {
  const draws = random(seed, "near");
  return Array.from({ length: 2 * places }, (_, round) => ({
    factor: (draws.next() * HASHES) | 1,
    term: (draws.next() * HASHES) | 0,
    base: round * HASHES,
    firstPlace: Math.max(0, round - places),
    placesPerHash: round < places ? places / HASHES : 0,
  }));
}

function throwAll({ hashes, count }: Shingles, round: Round, least: Float64Array): void {
  const { factor, term, base, firstPlace, placesPerHash } = round;
  for (let i = 0; i < count; i++) {
    const hash = mixed((Math.imul(hashes[i] as number, factor) + term) | 0) >>> 0;
    const place = firstPlace + ((hash * placesPerHash) | 0);
    if (base + hash < (least[place] as number)) least[place] = base + hash;
  }
}
