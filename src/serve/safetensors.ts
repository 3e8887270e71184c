/**
 * A safetensors file, read without trusting it: eight bytes that say how long the header is, the header (JSON: each
 * tensor's type, shape and place), then the values. Everything that the header claims is held against the file before a
 * value is read, and a file is never held in memory. Knows nothing of adapters.
 * Source: the format's description (huggingface/safetensors, README: Format), which forbids holes and overlaps.
 */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";

/** What the format's own readers take at most. */
export const MOST_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const CHUNK_BYTES = 1 << 20;
const SHOWN_CHARACTERS = 200;

const BITS: Record<string, number> = {
  ...{ BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8 },
  ...{ F4: 4, F6_E2M3: 6, F6_E3M2: 6, U16: 16, I16: 16, F16: 16, BF16: 16 },
  ...{ U32: 32, I32: 32, F32: 32, U64: 64, I64: 64, F64: 64, C64: 64 },
};

/** The exponent bits of a little-endian value: where all are set, it is infinite or no number. */
const EXPONENTS: Record<string, { words: typeof Uint16Array | typeof Uint32Array; mask: number }> = {
  F16: { words: Uint16Array, mask: 0x7c00 },
  BF16: { words: Uint16Array, mask: 0x7f80 },
  F32: { words: Uint32Array, mask: 0x7f80_0000 },
};

const offset = z.int().min(0);
const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(offset).max(8),
  data_offsets: z.tuple([offset, offset]),
});

/** Units: `start` and `end` are bytes from the beginning of the file. */
export interface TensorPlace {
  name: string;
  dtype: string;
  shape: number[];
  start: number;
  end: number;
}

export interface SafetensorsHeader {
  /** In the order of the file; together they fill it. */
  tensors: TensorPlace[];
  /** Where the values begin. */
  start: number;
}

/**
 * Reads and checks the header.
 * Throws: `BAD_SAFETENSORS`.
 */
export async function readSafetensorsHeader(
  file: FileHandle,
  where: string,
  mostHeaderBytes = MOST_HEADER_BYTES,
): Promise<SafetensorsHeader> {
  const { size } = await file.stat();
  const lengthBytes = await bytesAt(file, { start: 0, end: LENGTH_BYTES, size, where });
  const length = lengthBytes.readBigUInt64LE();
  const most = Math.min(mostHeaderBytes, size - LENGTH_BYTES);
  if (length > BigInt(most)) throw bad(where, `a header of at most ${most} bytes`, `one of ${length} bytes`);
  const start = LENGTH_BYTES + Number(length);
  const json = parsed(where, await bytesAt(file, { start: LENGTH_BYTES, end: start, size, where }));
  const tensors = Object.entries(json)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => placeOf(where, { name, value, start }))
    .sort((x, y) => x.start - y.start || x.end - y.end);
  // Also of a name that comes twice: what the parser dropped leaves a hole.
  let place = start;
  for (const tensor of tensors) {
    if (tensor.start !== place) {
      const got = `${tensor.start - start} (${shown(tensor.name)})`;
      throw bad(where, `tensors side by side: the next one at byte ${place - start} of the values`, got);
    }
    place = tensor.end;
  }
  if (place !== size) throw bad(where, `a file of ${place} bytes, as its header says`, `one of ${size} bytes`);
  return { tensors, start };
}

/** What the values are: the hash of the whole file, and the first tensor with a value that is infinite or no number. */
export interface ReadThrough {
  hash: Hash;
  notFinite: string | null;
}

/**
 * Reads a file through once: the bytes that are hashed are those whose values are looked at.
 * Throws: `BAD_SAFETENSORS` for a type whose values it cannot look at, or a file that changes meanwhile.
 */
export async function readThrough(file: FileHandle, header: SafetensorsHeader, where: string): Promise<ReadThrough> {
  const { size } = await file.stat();
  const digest = createHash("sha256");
  let notFinite: string | null = null;
  for await (const bytes of chunks(file, { start: 0, end: header.start, size, where })) digest.update(bytes);
  for (const tensor of header.tensors) {
    const exponents = EXPONENTS[tensor.dtype];
    if (exponents === undefined) throw bad(where, `values of type ${Object.keys(EXPONENTS).join(", ")}`, tensor.dtype);
    for await (const bytes of chunks(file, { ...tensor, size, where })) {
      digest.update(bytes);
      if (notFinite === null && !holdsOnlyFinite(bytes, exponents)) notFinite = tensor.name;
    }
  }
  return { hash: digest.digest("hex") as Hash, notFinite };
}

/** Shapes: `bytes` begins at a multiple of 8 in its own memory and holds whole values. */
function holdsOnlyFinite(bytes: Buffer<ArrayBuffer>, { words: Words, mask }: (typeof EXPONENTS)[string]): boolean {
  const words = new Words(bytes.buffer, bytes.byteOffset, bytes.byteLength / Words.BYTES_PER_ELEMENT);
  for (const word of words) if ((word & mask) >>> 0 === mask) return false;
  return true;
}

function placeOf(where: string, { name, value, start }: { name: string; value: unknown; start: number }): TensorPlace {
  const read = tensorSchema.safeParse(value);
  if (!read.success) throw bad(where, "dtype, shape and data_offsets of each tensor", shown(name));
  const { dtype, shape, data_offsets } = read.data;
  const bits = Object.hasOwn(BITS, dtype) ? BITS[dtype] : undefined;
  if (bits === undefined)
    throw bad(where, `a type among ${Object.keys(BITS).join(", ")}`, `${shown(dtype)} (${shown(name)})`);
  const [begin, end] = data_offsets;
  const sizeBytes = (shape.reduce((product, side) => product * side, 1) * bits) / 8;
  if (end - begin !== sizeBytes) {
    throw bad(where, `${sizeBytes} bytes of ${dtype} [${shape.join(", ")}]`, `${end - begin} (${shown(name)})`);
  }
  return { name, dtype, shape, start: start + begin, end: start + end };
}

async function* chunks(
  file: FileHandle,
  { start, end, ...rest }: { start: number; end: number; size: number; where: string },
): AsyncGenerator<Buffer<ArrayBuffer>> {
  for (let place = start; place < end; place += CHUNK_BYTES) {
    yield await bytesAt(file, { start: place, end: Math.min(end, place + CHUNK_BYTES), ...rest });
  }
}

async function bytesAt(
  file: FileHandle,
  { start, end, size, where }: { start: number; end: number; size: number; where: string },
): Promise<Buffer<ArrayBuffer>> {
  if (end > size) throw bad(where, `at least ${end} bytes`, `${size} bytes`);
  // Not from the pool that small buffers share: there a value could lie across its own size.
  const buffer = Buffer.from(new ArrayBuffer(end - start));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  if (bytesRead !== buffer.length) throw bad(where, `${buffer.length} bytes at ${start}`, `${bytesRead} bytes`);
  return buffer;
}

function parsed(where: string, bytes: Buffer): Record<string, unknown> {
  const expected = "a header that is a JSON object";
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw bad(where, expected, (error as Error).message.slice(0, SHOWN_CHARACTERS));
  }
  throw bad(where, expected, "something else");
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, SHOWN_CHARACTERS));
}

function bad(where: string, expected: string, got: string): Refusal {
  return new Refusal({
    code: "BAD_SAFETENSORS",
    message: "The file is no sound safetensors file.",
    ...{ expected, got, where },
    fix: "put the original file back, or make it again",
  });
}
