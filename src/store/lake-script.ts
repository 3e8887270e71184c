/**
 * `lake/views.sql`: the lake's tables and views as statements that any DuckDB reads, for whoever wants to ask it with a
 * program of their own. Paths are relative to the home folder, so that it may be moved.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../foundation/files.ts";
import type { Home } from "./home.ts";

const HEAD = `-- The lake as tables and views, for any DuckDB. Run it in the folder above this one, or name that folder first:
--   SET file_search_path = '/path/to/it';
-- Made anew whenever the lake is opened; what is changed here is lost.
`;

/** Writes the script where it is not there yet as it is now. */
export async function writeLakeScript(home: Home, statements: Iterable<string>): Promise<void> {
  const path = join(home.lake, "views.sql");
  const text = `${HEAD}${[...statements].map((statement) => `${statement};\n`).join("")}`;
  if (readOrNull(path) !== text) await writeFileAtomic(path, text);
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // not there yet
  }
}
