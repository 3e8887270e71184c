/**
 * What is kept of each text, so that two can be compared: of a short one all its shingles, of any other 16 bits of every place
 * of its signature, which take as much room; and one hash of 32 bits for each band, to find pairs by. With 128 places and 11
 * bands that is 302 bytes. So short texts, where one word is much, are compared exactly; of others the similarity is
 * estimated. Two places that differ agree in 16 bits once in 65,536, which adds at most 0.00002 to a similarity.
 * Texts lie in blocks, so that a store that grows is never copied.
 * Source: Li and König, "b-bit minwise hashing", WWW 2010.
 */
import type { Banding } from "./banding.ts";
import { jaccard } from "./jaccard.ts";
import { mixed } from "./mixed.ts";
import { distinctShingles, type Shingles } from "./shingles.ts";
import type { Sign } from "./signature.ts";

export interface Sketches {
  /** Keeps a text's sketch under a number: one that was put before, or the next. May put the shingles in another order. */
  put(number: number, shingles: Shingles): void;
  bandHash(number: number, band: number): number;
  /** Returns how alike two texts are, in [0, 1]; where that is less than `floor`, anything less may come. */
  similarity(x: number, y: number, floor: number): number;
}

export interface SketchShape {
  places: number;
  banding: Banding;
  sign: Sign;
}

interface Block {
  signatures: Uint16Array;
  /** The same memory. */
  shingles: Int32Array;
  /** Of a short text how many shingles it has, of any other 0. */
  shingleCounts: Uint16Array;
  bandHashes: Int32Array;
}

interface Signature {
  in: Uint16Array;
  start: number;
}

const BLOCK_BITS = 10;
const BLOCK_TEXTS = 1 << BLOCK_BITS;
/** After so many places it is looked whether the floor can still be reached. */
const STRIDE = 16;

/** Makes an empty store. Shapes: bands by rows of `banding` are at most `places`, the length of what `sign` gives. */
export function sketchStore({ places, banding, sign }: SketchShape): Sketches {
  const { bands, rows } = banding;
  /** Shingles that have room in place of a signature. */
  const short = Math.min(Math.ceil(places / 2), 0xffff);
  const blocks: Block[] = [];
  const blockOf = (number: number) => blocks[number >> BLOCK_BITS] as Block;
  const inBlock = (number: number) => number & (BLOCK_TEXTS - 1);
  const signature = new Uint32Array(places);
  const [madeX, madeY] = [new Uint16Array(places), new Uint16Array(places)];

  function put(number: number, shingles: Shingles): void {
    if (number >> BLOCK_BITS === blocks.length) blocks.push(emptyBlock(short, bands));
    const block = blockOf(number);
    const at = inBlock(number);
    sign(shingles, signature);
    for (let band = 0; band < bands; band++)
      block.bandHashes[at * bands + band] = hashOf(signature.subarray(band * rows, (band + 1) * rows));
    block.shingleCounts[at] = 0;
    if (shingles.count > short) {
      block.signatures.set(signature, at * 2 * short);
      return;
    }
    const { hashes, count } = distinctShingles(shingles);
    block.shingles.set(hashes.subarray(0, count), at * short);
    block.shingleCounts[at] = count;
  }

  const shinglesOf = (number: number) => {
    const { shingles, shingleCounts } = blockOf(number);
    const start = inBlock(number) * short;
    return shingles.subarray(start, start + (shingleCounts[inBlock(number)] as number));
  };

  /** Of a short text the signature is made again: it is seldom that just one of two is short. */
  function signatureOf(number: number, madeAgain: Uint16Array): Signature {
    const { signatures, shingleCounts } = blockOf(number);
    const count = shingleCounts[inBlock(number)] as number;
    if (count === 0) return { in: signatures, start: inBlock(number) * 2 * short };
    sign({ hashes: shinglesOf(number).slice(), count }, signature);
    madeAgain.set(signature);
    return { in: madeAgain, start: 0 };
  }

  function similarity(x: number, y: number, floor: number): number {
    const countX = blockOf(x).shingleCounts[inBlock(x)] as number;
    const countY = blockOf(y).shingleCounts[inBlock(y)] as number;
    if (countX === 0 || countY === 0)
      return agreement([signatureOf(x, madeX), signatureOf(y, madeY)], { places, floor });
    const isHopeless = Math.min(countX, countY) < floor * Math.max(countX, countY);
    return isHopeless ? 0 : jaccard(shinglesOf(x), shinglesOf(y));
  }

  const bandHash = (number: number, band: number) =>
    blockOf(number).bandHashes[inBlock(number) * bands + band] as number;
  return { put, bandHash, similarity };
}

function emptyBlock(short: number, bands: number): Block {
  const shingles = new Int32Array(BLOCK_TEXTS * short);
  return {
    shingles,
    signatures: new Uint16Array(shingles.buffer),
    shingleCounts: new Uint16Array(BLOCK_TEXTS),
    bandHashes: new Int32Array(BLOCK_TEXTS * bands),
  };
}

function hashOf(places: Uint32Array): number {
  let hash = 0;
  for (const place of places) hash = mixed(hash + place);
  return hash;
}

/** The part of places at which two signatures agree. */
function agreement([x, y]: [Signature, Signature], { places, floor }: { places: number; floor: number }): number {
  const [inX, inY, startX, startY] = [x.in, y.in, x.start, y.start];
  let [differences, place] = [0, 0];
  while (place < places && places - differences >= floor * places) {
    for (const end = Math.min(place + STRIDE, places); place < end; place++)
      if (inX[startX + place] !== inY[startY + place]) differences += 1;
  }
  return (places - differences) / places;
}
