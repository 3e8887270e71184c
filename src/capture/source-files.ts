/**
 * The files that an import reads: found below a path, and told apart by how they begin.
 */
import { lstatSync, readdirSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { counted } from "../foundation/counted.ts";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { Rejected } from "./foreign.ts";
import type { FileStart, Importer } from "./importer.ts";
import { parseBytes, readHead, rejected } from "./reading/json.ts";

const HEAD_BYTES = 64 << 10;
const NEWLINE = 10;
const BRACE = 0x7b;
/** How files of gzip, zstd, xz and bzip2 begin. */
const PACKED = ["1f8b", "28b52ffd", "fd377a58", "425a68"].map((start) => Buffer.from(start, "hex"));
/** What such a file is counted as beside those of other formats. */
const COMPRESSED = "compressed";
const LINES_NAME = /\.(jsonl|ndjson)$/;
const MOST_FILES = 100_000;
const IMPORTERS = join(import.meta.dirname, "importers");
/** Formats by another name that people know them by. */
const ALIASES: Readonly<Record<string, string>> = { atif: "harbor" };

export interface FoundFiles {
  format: string;
  importer: Importer;
  files: string[];
  /** Files below the path that are of another format. */
  passedOver: string[];
  /** How many of them are of each other format that can be told, and how many are compressed. */
  others: Record<string, number>;
  /** Those of them that may be of this one: named as JSON lines, and of no format that could be told. */
  untold: Rejected[];
}

/** Every importer by its format's name. */
export async function loadImporters(): Promise<Map<string, Importer>> {
  const ids = await extensionIds(IMPORTERS);
  return new Map(
    await Promise.all(ids.map(async (id) => [id, await loadExtension<Importer>(IMPORTERS, "format", id)] as const)),
  );
}

/**
 * Finds the files of a format below a path; `auto` takes the format that most of them are of.
 * Throws: `NO_SUCH_PATH`, `UNKNOWN_FORMAT`, `FORMAT_NOT_CLEAR`, `NOTHING_TO_IMPORT`, `PACKED_FILE`, `TOO_MANY_FILES`.
 */
export async function findFiles(path: string | null, format: string): Promise<FoundFiles> {
  const importers = await loadImporters();
  const named = importers.get(ALIASES[format] ?? format);
  if (named === undefined && format !== "auto") {
    throw unknownName("format", format, ["auto", ...importers.keys(), ...Object.keys(ALIASES)]);
  }
  const all = path === null ? [] : filesBelow(path);
  const isOne = all.length === 1 && all[0] === path;
  const starts = all.map((file) => fileStart(file, path as string));
  const formatsOf = (start: FileStart) => [...importers].flatMap(([id, one]) => (one.detects(start) ? [id] : []));
  if (isOne && isPacked(starts[0] as FileStart) && formatsOf(starts[0] as FileStart).length === 0) {
    throw packedFile(path as string);
  }
  if (named !== undefined && (isOne || path === null)) {
    return { format: ALIASES[format] ?? format, importer: named, files: all, passedOver: [], others: {}, untold: [] };
  }
  if (all.length === 0) throw nothingToImport(path as string, null);
  const [chosen, importer] = named ? [ALIASES[format] ?? format, named] : likeliest(importers, starts, path as string);
  const isOf = starts.map((start) => importer.detects(start));
  const files = all.filter((_, i) => isOf[i]);
  if (files.length === 0) throw nothingToImport(path as string, chosen);
  const untold = all.filter(
    (_, i) => isBroken(starts[i] as FileStart) && formatsOf(starts[i] as FileStart).length === 0,
  );
  const others: Record<string, number> = {};
  for (const start of starts.filter((_, i) => !isOf[i])) {
    const [other = isPacked(start) ? COMPRESSED : null] = formatsOf(start);
    if (other !== null) others[other] = (others[other] ?? 0) + 1;
  }
  return {
    ...{ format: chosen, importer, files, passedOver: all.filter((_, i) => !isOf[i]), others },
    untold: untold.map((file) =>
      rejected(`${file}:1`, "it is not JSON, and without it the file's format cannot be told"),
    ),
  };
}

function likeliest(importers: Map<string, Importer>, starts: FileStart[], path: string): [string, Importer] {
  const counts = [...importers]
    .map(([format, importer]) => ({
      format,
      importer,
      files: starts.filter((start) => importer.detects(start)).length,
    }))
    .filter(({ files }) => files > 0)
    .sort((a, b) => b.files - a.files);
  const [first, second] = counts;
  if (first !== undefined && first.files !== second?.files) return [first.format, first.importer];
  throw new Refusal({
    code: "FORMAT_NOT_CLEAR",
    message: "Which format this is cannot be told from how the files begin.",
    expected: `files of one of ${[...importers.keys()].join(", ")}`,
    got: counts.map(({ format, files }) => `${format} (${counted(files, "file")})`).join(", ") || "none of these",
    where: path,
    fix: "name it: --format FORMAT",
  });
}

function fileStart(file: string, root: string): FileStart {
  const head = readHead(file, HEAD_BYTES);
  return { name: relative(root, file) || basename(file), head, value: firstValue(head) };
}

/** The first line where it is a value, or a whole document; behind a line that is neither, the first one that is an object. */
function firstValue(head: Buffer): unknown {
  for (const bytes of [firstLine(head), head, ...objectLines(head)]) {
    const read = parseBytes(bytes);
    if ("value" in read) return read.value;
  }
  return undefined;
}

/** All of the head where no line ends in it. */
function firstLine(head: Buffer): Buffer {
  const end = head.indexOf(NEWLINE);
  return end === -1 ? head : head.subarray(0, end);
}

/** Lines that begin as an object does: those within a document that is spread over lines are indented, or end in a comma. */
function* objectLines(head: Buffer): Generator<Buffer> {
  for (let end = head.indexOf(NEWLINE); end !== -1; ) {
    const from = end + 1;
    end = head.indexOf(NEWLINE, from);
    if (head[from] === BRACE) yield head.subarray(from, end === -1 ? head.length : end);
  }
}

/** Whether a file that is named as JSON lines begins with a line that is none, as far as its head tells. */
function isBroken({ name, head }: FileStart): boolean {
  const line = firstLine(head);
  const isWhole = line.length < head.length || head.length < HEAD_BYTES;
  return LINES_NAME.test(name) && isWhole && line.length > 0 && !("value" in parseBytes(line));
}

function isPacked({ head }: FileStart): boolean {
  return PACKED.some((start) => head.subarray(0, start.length).equals(start));
}

function filesBelow(path: string): string[] {
  const files: string[] = [];
  const look = (at: string) => {
    // A link may lead anywhere, and to itself; the one that was named is meant.
    const found = at === path ? statSync(at) : lstatSync(at);
    if (found.isFile()) files.push(at);
    else if (found.isDirectory()) for (const name of readdirSync(at).sort()) look(join(at, name));
    else if (at === path) throw notAFile(path);
    if (files.length > MOST_FILES) throw tooManyFiles(path);
  };
  try {
    look(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Refusal({
      code: "NO_SUCH_PATH",
      message: "There is nothing to import.",
      expected: "a file or folder",
      where: path,
    });
  }
  return files;
}

function tooManyFiles(path: string): Refusal {
  return new Refusal({
    code: "TOO_MANY_FILES",
    message: "There are too many files to import at once.",
    expected: `at most ${MOST_FILES}`,
    where: path,
    fix: "import its folders one by one",
  });
}

/** Of a folder with files, whose format none is of; null where it has none at all. */
function nothingToImport(path: string, format: string | null): Refusal {
  return new Refusal({
    code: "NOTHING_TO_IMPORT",
    message: `There is no file${format === null ? "" : ` of the format ${format}`} here.`,
    expected: "files as their program wrote them",
    where: path,
    ...(format !== null && { fix: "name one file to have it read whatever it begins with" }),
  });
}

function notAFile(path: string): Refusal {
  return new Refusal({
    code: "NOTHING_TO_IMPORT",
    message: "This is neither a file nor a folder.",
    expected: "what can be read more than once",
    where: path,
    fix: "write what comes through it to a file, and import that",
  });
}

function packedFile(path: string): Refusal {
  return new Refusal({
    code: "PACKED_FILE",
    message: "This file is compressed.",
    expected: "a file as its program wrote it",
    where: path,
    fix: "unpack it, and import what was in it",
  });
}
