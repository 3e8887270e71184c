/**
 * The contract of an importer: reads the files of one format and says what they hold, in the order in which it happened.
 * Every file of `importers/` is one; its file name is the format's. An importer knows nothing of logs and ids: what it
 * says is written by `import-run.ts`.
 */
import type { Json } from "../foundation/canonical-json.ts";
import type { Foreign, Rejected } from "./foreign.ts";
import type { Read } from "./reading/json.ts";

export interface Importer {
  /** Whose files these are, as the help says it. */
  summary: string;
  /** What the format cannot tell, one phrase each, for docs and reports. */
  lossy: readonly string[];
  /** Whether a file is of this format. Contract: pure, must not throw. */
  detects(file: FileStart): boolean;
  /**
   * Says what the files hold, run by run: a `run` first, then all that belongs to it.
   * Contract: holds no more than one document in memory; what it cannot read it says as `rejected`, and throws nothing
   * but refusals of the whole input.
   */
  read(input: ImportInput): AsyncIterable<Foreign> | Iterable<Foreign>;
}

/** How a file begins. */
export interface FileStart {
  /** Its path below what is imported, or its name. */
  name: string;
  /** Its first bytes; at most 64 kB. */
  head: Buffer;
  /** Its first JSON value, or the first of its lines that is one; undefined where there is none. */
  value: unknown;
}

export interface ImportInput {
  /** Paths of the files, those of one folder together and by name. */
  files: readonly string[];
  /** A database to read beside the files, or in place of them; null where none was named. */
  postgres: string | null;
  /** A file with the fixed words of a harness's prompts, which its logs do not hold; null where none was named. */
  words: string | null;
  /** Reads a file line by line, as JSON; what is none comes as `rejected`. */
  lines(path: string): Iterable<JsonLine | Rejected>;
  /** Reads a Parquet file row by row, each as an object; what cannot be read comes as `rejected`. */
  parquet(path: string): AsyncIterable<JsonLine | Rejected>;
  /** Reads a whole file as one JSON value. */
  document(path: string): Read;
}

export interface JsonLine {
  where: string;
  value: Json;
}
