/**
 * The samples of an `.eval` file by their members: one JSON document each, or in logs of version 3 a folder of chunks,
 * whose sequences of messages, events and attachments are put together again.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { sumOf } from "../../foundation/sums.ts";
import type { Zip } from "../../foundation/zip.ts";
import { MOST_DOCUMENT_BYTES, parseBytes, type Read } from "../reading/json.ts";
import { countIn, type JsonObject, objectIn } from "../reading/shapes.ts";

export interface SampleMembers {
  /** The document's name, or the folder's with its slash. */
  name: string;
  /** Of a folder; null for a document. */
  chunks: Chunk[] | null;
}

interface Chunk {
  name: string;
  sequence: string;
  /** The place of its first one in the sequence. */
  start: number;
}

/** An id may itself hold slashes. */
const DOCUMENT = /^samples\/.*_epoch_\d+\.json$/s;
const SHELL = /^(samples\/.*_epoch_\d+\/)sample\.json$/s;
const CHUNK = /^(samples\/.*_epoch_\d+\/)(messages|events|attachments)\/(\d{1,15})\.json$/s;
const MOST_MESSAGES = 1_000_000;

/** The samples, in the order of the directory. */
export function samplesOf(names: readonly string[]): SampleMembers[] {
  const chunks = new Map<string, Chunk[]>();
  for (const name of names) {
    const [, folder = "", sequence = "", start] = CHUNK.exec(name) ?? [];
    if (start === undefined) continue;
    const list = chunks.get(folder) ?? [];
    chunks.set(folder, list);
    list.push({ name, sequence, start: Number(start) });
  }
  return names.flatMap((name): SampleMembers[] => {
    const folder = SHELL.exec(name)?.[1];
    if (folder !== undefined) return [{ name: folder, chunks: chunks.get(folder) ?? [] }];
    return DOCUMENT.test(name) ? [{ name, chunks: null }] : [];
  });
}

/** Reads a sample as one document. The chunks of one together may be as large as a document. */
export async function readSample(zip: Zip, { name, chunks }: SampleMembers): Promise<Read> {
  if (chunks === null) return readMember(zip, name);
  const sizeBytes = sumOf(chunks, (chunk) => zip.sizeOf(chunk.name));
  if (sizeBytes > MOST_DOCUMENT_BYTES) return { reason: `it has ${sizeBytes} bytes, more than ${MOST_DOCUMENT_BYTES}` };
  const shell = await readMember(zip, `${name}sample.json`);
  if ("reason" in shell) return shell;
  const sequences = await readSequences(zip, chunks);
  if ("reason" in sequences) return sequences;
  const about = `${name}metadata.json`;
  const metadata = zip.sizeOf(about) > 0 ? await readMember(zip, about) : { value: {} };
  return "reason" in metadata ? metadata : sampleOf(objectIn(shell.value), sequences, metadata.value);
}

/** Reads a member as one JSON value. */
export async function readMember(zip: Zip, name: string): Promise<Read> {
  const unpacked = await zip.read(name);
  return "reason" in unpacked ? unpacked : parseBytes(unpacked.bytes);
}

interface Sequences {
  messages: Json[];
  events: Json[];
  attachments: Json[];
}

async function readSequences(zip: Zip, chunks: readonly Chunk[]): Promise<Sequences | { reason: string }> {
  const sequences: Sequences = { messages: [], events: [], attachments: [] };
  for (const { name, sequence, start } of chunks.toSorted((a, b) => a.start - b.start)) {
    const items = sequences[sequence as keyof Sequences];
    const read = await readMember(zip, name);
    if ("reason" in read) return read;
    if (!Array.isArray(read.value) || start !== items.length) return { reason: `its ${sequence} are not whole` };
    for (const item of read.value) items.push(item);
  }
  return sequences;
}

function sampleOf(shell: JsonObject, { messages, events, attachments }: Sequences, metadata: Json): Read {
  const conversation: Json[] = [];
  for (const ref of Array.isArray(shell.message_refs) ? shell.message_refs : []) {
    const [from, to] = Array.isArray(ref) ? ref.map(countIn) : [];
    for (const message of messages.slice(from ?? 0, to ?? 0)) conversation.push(message);
    if (conversation.length > MOST_MESSAGES) return { reason: `it has more than ${MOST_MESSAGES} messages` };
  }
  return { value: { ...shell, events, attachments, metadata, messages: conversation, events_data: { messages } } };
}
