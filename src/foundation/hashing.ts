/**
 * SHA-256 of texts, values and files, always as 64 lower-case hex digits.
 */
import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { canonicalJson } from "./canonical-json.ts";

export type Hash = string & { readonly brand: "Hash" };

export const ZERO_HASH = "0".repeat(64) as Hash;

/** Hashes a text as UTF-8, or bytes as they are. */
export function hashText(text: string | Uint8Array): Hash {
  return hash("sha256", text, "hex") as Hash;
}

/** Hashes what is added piece by piece, without holding it. */
export function runningHash(): { add(...pieces: (string | Uint8Array)[]): void; digest(): Hash } {
  const digest = createHash("sha256");
  return {
    add(...pieces) {
      for (const piece of pieces) digest.update(piece);
    },
    digest: () => digest.digest("hex") as Hash,
  };
}

/** Shortens a hash for people: 12 digits, which every command takes in place of the whole. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}

/** Hashes a value by its canonical JSON, so that key order and spacing do not matter. */
export function hashJson(value: unknown): Hash {
  return hashText(canonicalJson(value));
}

/**
 * Hashes a file without reading it into memory.
 * Units: `onProgress` gets the bytes hashed so far.
 */
export async function hashFile(path: string, onProgress?: (bytes: number) => void): Promise<Hash> {
  const digest = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    digest.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    onProgress?.(bytes);
  }
  return digest.digest("hex") as Hash;
}
