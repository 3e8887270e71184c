/**
 * Each format's sample in a folder of its own, with the forms beside it that no text file holds: made here, as some of them
 * need a newer Node than tracemill itself.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import zlib from "node:zlib";
import { openDatabase, sqlText } from "../../../src/store/duckdb.ts";
import { SAMPLES } from "./setting.ts";
import { HAS_ZSTD } from "./zip-files.ts";

const FORMS: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  async "openai-chat"(folder) {
    const database = await openDatabase({ memoryLimitMb: 128, threads: 1, spillFolder: "" });
    const rows = `SELECT id, messages, reward FROM (VALUES
      ('p-1', [{role: 'user', content: '3?'}, {role: 'assistant', content: '6'}], 1.0),
      ('p-2', [{role: 'user', content: '4?'}, {role: 'assistant', content: '9'}], 0.0)) t(id, messages, reward)`;
    await database.run(`COPY (${rows}) TO ${sqlText(join(folder, "train.parquet"))} (FORMAT parquet)`);
    database.close();
  },

  async codex(folder) {
    if (!HAS_ZSTD) return skipped("zstd");
    const day = join(folder, "sessions/2026/03/04");
    const file = join(day, "rollout-2026-03-04T09-05-00-0199a213-0000-7000-8000-0000000000b2.jsonl");
    writeFileSync(`${file}.zst`, zlib.zstdCompressSync(readFileSync(file)));
    rmSync(file);
  },

  async "gemma-forge"(folder) {
    const sqlite = await import("node:sqlite").catch(() => null);
    if (sqlite === null) return skipped("SQLite");
    const database = new sqlite.DatabaseSync(join(folder, "forge.db"));
    database.exec(`
      CREATE TABLE runs (id TEXT, skill TEXT, started_at TEXT, config TEXT);
      CREATE TABLE work_items (run_id TEXT, item_id TEXT, title TEXT, category TEXT, outcome TEXT, attempts INT);
      CREATE TABLE attempts (run_id TEXT, item_id TEXT, attempt_num INT, approach TEXT, failure_mode TEXT);
      INSERT INTO runs VALUES ('1f2e3d4c-5b6', 'stig', '2026-04-13T07:00:00', '{"loop":{}}');
      INSERT INTO work_items VALUES ('1f2e3d4c-5b6', 'content_rule_umask', 'Umask', 'accounts', 'escalated', 1);
      INSERT INTO attempts VALUES ('1f2e3d4c-5b6', 'content_rule_umask', 1, 'set umask', 'health=True rule=False');`);
    database.close();
  },
};

/** A copy of a format's sample with all forms that this Node can write. */
export async function sampleWithForms(format: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-sample-"));
  cpSync(join(SAMPLES, format), folder, { recursive: true });
  await FORMS[format]?.(folder);
  return folder;
}

function skipped(what: string): void {
  console.log(`skipped: a sample with ${what}, which this Node (${process.version}) does not have`);
}
