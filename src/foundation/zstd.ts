/**
 * Unpacks zstd, also in several frames, which Node's own function does not: it stops at the end of the first.
 */
import zlib from "node:zlib";

export const NO_ZSTD = `it is compressed with zstd, which Node has from 22.15 on; this is ${process.version}`;

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

export function hasZstd(): boolean {
  return typeof (zlib.zstdDecompressSync as unknown) === "function";
}

export function isZstd(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC);
}

/** Throws: where the bytes are no zstd, or come to more than the limit. */
export function unpackZstd(packed: Buffer, mostBytes: number): Buffer {
  const frames: Buffer[] = [];
  let leftBytes = mostBytes;
  for (let rest = packed; rest.length > 0; ) {
    const { buffer, engine } = zlib.zstdDecompressSync(rest, {
      maxOutputLength: leftBytes + 1,
      info: true,
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    leftBytes -= buffer.length;
    if (leftBytes < 0) throw new Error(`it has more than ${mostBytes} bytes`);
    frames.push(buffer);
    rest = rest.subarray(Math.max(1, engine.bytesWritten));
  }
  return Buffer.concat(frames);
}
