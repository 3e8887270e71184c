/**
 * Unpacks zstd, also in several frames, which Node's own function does not: it stops at the end of the first.
 */
import zlib from "node:zlib";

export const NO_ZSTD = `it is compressed with zstd, which Node has from 22.15 on; this is ${process.version}`;

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Whether this Node can unpack zstd. */
export function hasZstd(): boolean {
  return typeof (zlib.zstdDecompressSync as unknown) === "function";
}

/** Whether bytes begin as a zstd frame does. */
export function isZstd(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC);
}

/** Throws: where the bytes are no zstd, or come to more than the limit. */
export function unpackZstd(packed: Buffer, mostBytes: number): Buffer {
  const frames: Buffer[] = [];
  let leftBytes = mostBytes;
  for (let rest = packed; rest.length > 0; ) {
    const unpacked = unpackNext(rest, leftBytes + 1);
    leftBytes -= unpacked?.buffer.length ?? Number.POSITIVE_INFINITY;
    if (unpacked === null || leftBytes < 0) throw new Error(`it has more than ${mostBytes} bytes`);
    const { buffer, engine } = unpacked;
    frames.push(buffer);
    rest = rest.subarray(Math.max(1, engine.bytesWritten));
  }
  return Buffer.concat(frames);
}

/** Null where it comes to more than the limit. */
function unpackNext(packed: Buffer, mostBytes: number): { buffer: Buffer; engine: { bytesWritten: number } } | null {
  try {
    return zlib.zstdDecompressSync(packed, { maxOutputLength: mostBytes, info: true }) as never;
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") return null;
    throw error;
  }
}
