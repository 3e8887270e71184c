/** Imports into a home of its own, and what it then holds. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type ImportOptions, type ImportReport, importFiles } from "../../../src/capture/import-files.ts";
import { systemClock } from "../../../src/foundation/clock.ts";
import { PACKAGE_FOLDER } from "../../../src/foundation/package-folder.ts";
import type { LoggedEvent } from "../../../src/records/events.ts";
import type { RecordedMessage } from "../../../src/records/message.ts";
import type { Home } from "../../../src/store/home.ts";
import { eventsOf, only, temporaryHome } from "../../harness/setting.ts";

export const SAMPLES = join(import.meta.dirname, "samples");

/** Real files of other programs, beside a developer's checkout; null where they are not there. */
export const FIXTURES: string | null = (() => {
  const folder = join(PACKAGE_FOLDER, "..", "shared", "fixtures");
  if (existsSync(folder)) return folder;
  console.log(`skipped: other programs' own files are not at ${folder}; the samples are of our making`);
  return null;
})();

/** Of the test that runs, in a file that asked for them by `freshFolders`. */
export let home: Home;
export let folder: string;

/** Gives each test a home, and a folder for files that it imports. */
export function freshFolders(): void {
  let remove: () => void;

  beforeEach(() => {
    ({ home, remove } = temporaryHome());
    folder = mkdtempSync(join(tmpdir(), "tracemill-import-"));
  });

  afterEach(() => {
    remove();
    rmSync(folder, { recursive: true });
  });
}

export function importInto(
  home: Home,
  path: string | null,
  changes: Partial<ImportOptions> = {},
): Promise<ImportReport> {
  return importFiles({
    ...{ path, format: "auto", skill: null, postgres: null, onto: null, words: null, familyRule: null },
    ...{ home, clock: systemClock, codeVersion: "test", signal: new AbortController().signal, ...changes },
  });
}

export interface ImportedTurn {
  attempt: string;
  role: string;
  messages: RecordedMessage[];
  response: RecordedMessage | null;
  missing: readonly string[];
}

/** The events of every imported run, and its turns with their texts. */
export async function imported(
  home: Home,
  report: ImportReport,
): Promise<{ events: LoggedEvent[]; turns: ImportedTurn[] }> {
  const events: LoggedEvent[] = [];
  for (const { run } of report.imported) events.push(...(await eventsOf(home, run)));
  const texts = new Map(only(events, "message").map(({ hash, message }) => [hash as string, message]));
  const turns = only(events, "turn").map(({ attempt, role, messages, response, missing = [] }) => ({
    attempt: attempt.slice(21),
    role,
    messages: messages.map((hash) => texts.get(hash) as RecordedMessage),
    response: response === null ? null : (texts.get(response) ?? null),
    missing,
  }));
  return { events, turns };
}

export type Imported = Awaited<ReturnType<typeof readImported>>;

/** Imports a path into the test's home, and reads what it became. */
export async function readImported(path: string, format = "auto") {
  const report = await importInto(home, path, { format });
  return { report, ...(await imported(home, report)) };
}

/** The same with files that are written into the test's folder, each a text or what becomes JSON. */
export async function readWritten(files: Record<string, unknown>, format = "auto"): Promise<Imported> {
  for (const [name, value] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
  }
  return readImported(folder, format);
}
