/**
 * Reads the members of a zip file one by one, into memory: their names are keys and never paths, and what a member or
 * all of them may come to is bounded, as anyone may have packed them. Stored, deflate and zstd.
 */
import zlib from "node:zlib";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { LINE_LIMIT_BYTES } from "./jsonl.ts";
import { hasZstd, NO_ZSTD, unpackZstd } from "./zstd.ts";

export interface Zip {
  /** Names in the order of the directory; of two members of one name the later one holds. */
  names: readonly string[];
  /** Bytes of a member as the directory says; 0 where there is none. */
  sizeOf(name: string): number;
  read(name: string): Promise<Unpacked>;
  close(): void;
}

export type Unpacked = { bytes: Buffer } | { reason: string };

interface ZipLimits {
  members: number;
  memberBytes: number;
  totalBytes: number;
}

const LIMITS: ZipLimits = { members: 100_000, memberBytes: LINE_LIMIT_BYTES, totalBytes: 4 * 2 ** 30 };

const STORED = 0;
const DEFLATE = 8;
const ZSTD = 93;
/** Node has it from 20.15 on. */
const checksum = zlib.crc32 as typeof zlib.crc32 | undefined;
const SHOWN_NAME_CHARACTERS = 200;

/** Opens a zip file; where its directory cannot be read, says why. `limits` are for tests. */
export async function openZip(path: string, limits = LIMITS): Promise<Zip | { reason: string }> {
  let zip: ZipFile | null = null;
  try {
    zip = await openPromise(path, { autoClose: false, decodeStrings: false, validateEntrySizes: false });
    zip.on("error", () => {}); // of closing the file; those of reading reach who reads
    const members = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) {
      if (members.size === limits.members) throw new Error(`it has more than ${limits.members} members`);
      members.set(entry.fileNameRaw.toString("utf8"), entry);
    }
    return zipOf(zip, members, limits);
  } catch (error) {
    zip?.close();
    return { reason: `its zip directory cannot be read: ${(error as Error).message}` };
  }
}

/** A member's name as a report shows it. */
export function shownName(name: string): string {
  return name.slice(0, SHOWN_NAME_CHARACTERS).toWellFormed();
}

function zipOf(zip: ZipFile, members: ReadonlyMap<string, Entry>, limits: ZipLimits): Zip {
  let unpackedBytes = 0;
  return {
    names: [...members.keys()],
    sizeOf: (name) => members.get(name)?.uncompressedSize ?? 0,
    async read(name) {
      const entry = members.get(name);
      if (entry === undefined) return { reason: `it has no member ${shownName(name)}` };
      const fault = faultOf(entry, limits);
      if (fault !== null) return { reason: fault };
      if (unpackedBytes + entry.uncompressedSize > limits.totalBytes) {
        return { reason: `the members before it come to ${limits.totalBytes} bytes already` };
      }
      try {
        const bytes = unpack(entry, await packedBytes(zip, entry), limits.memberBytes);
        unpackedBytes += bytes.length;
        return { bytes };
      } catch (error) {
        unpackedBytes += limits.memberBytes; // that much may have been unpacked for nothing
        return { reason: `it cannot be unpacked: ${(error as Error).message}` };
      }
    },
    close: () => zip.close(),
  };
}

function faultOf(entry: Entry, { memberBytes }: ZipLimits): string | null {
  const sizeBytes = Math.max(entry.uncompressedSize, entry.compressedSize);
  if (sizeBytes > memberBytes) return `it has ${sizeBytes} bytes, more than ${memberBytes}`;
  if (entry.isEncrypted()) return "it is encrypted";
  if (![STORED, DEFLATE, ZSTD].includes(entry.compressionMethod)) {
    return `its compression (zip method ${entry.compressionMethod}) is not known`;
  }
  if (entry.compressionMethod === ZSTD && !hasZstd()) {
    return NO_ZSTD;
  }
  return null;
}

async function packedBytes(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await zip.openReadStreamPromise(entry, { decodeFileData: false })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Throws: where the bytes are not what the directory says of them, or more than the limit. */
function unpack(entry: Entry, packed: Buffer, mostBytes: number): Buffer {
  const bytes =
    entry.compressionMethod === DEFLATE
      ? zlib.inflateRawSync(packed, { maxOutputLength: mostBytes })
      : entry.compressionMethod === ZSTD
        ? unpackZstd(packed, mostBytes)
        : packed;
  if (bytes.length !== entry.uncompressedSize) {
    throw new Error(`it has ${bytes.length} bytes, and the directory says ${entry.uncompressedSize}`);
  }
  if (checksum !== undefined && checksum(bytes) !== entry.crc32) throw new Error("its checksum does not match");
  return bytes;
}
