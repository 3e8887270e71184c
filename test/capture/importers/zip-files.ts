/** Writes zip files for tests: stored, deflate or zstd, in as many frames as asked for, and with a lie where one is wanted. */
import zlib from "node:zlib";

export interface ZipEntry {
  name: string;
  text: string | Buffer;
  method: 0 | 8 | 93;
  /** Of zstd. */
  frames?: number;
  /** What the directory says in place of what is so. */
  claims?: { sizeBytes?: number; crc32?: number; flags?: number; method?: number };
}

export const HAS_ZSTD = typeof (zlib.zstdCompressSync as unknown) === "function";

export function zipFile(entries: Iterable<ZipEntry>): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  let count = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const bytes = Buffer.from(entry.text);
    const packed = pack(entry, bytes);
    const fields = Buffer.alloc(26); // from the version needed to the length of the extra field
    fields.writeUInt16LE(63, 0);
    fields.writeUInt16LE(entry.claims?.flags ?? 0, 2);
    fields.writeUInt16LE(entry.claims?.method ?? entry.method, 4);
    fields.writeUInt32LE(entry.claims?.crc32 ?? zlib.crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(entry.claims?.sizeBytes ?? bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), fields, name, packed]);
    locals.push(local);
    directory.push(Buffer.from("PK\u0001\u0002"), Buffer.from([63, 0]), fields, tail, name);
    offset += local.length;
    count++;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, listed, Buffer.from("PK\u0005\u0006"), end]);
}

function pack({ method, frames = 1 }: ZipEntry, bytes: Buffer): Buffer {
  if (method === 0) return bytes;
  if (method === 8) return zlib.deflateRawSync(bytes);
  const frameBytes = Math.ceil(bytes.length / frames);
  return Buffer.concat(
    Array.from({ length: frames }, (_, i) =>
      zlib.zstdCompressSync(bytes.subarray(i * frameBytes, (i + 1) * frameBytes)),
    ),
  );
}
