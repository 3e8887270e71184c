/**
 * What gemma-forge's memory database holds, run by run, whichever of its forms it is read from. Rows are kept as they come; a
 * database of all runs of its authors has some ten thousand, so that they are held in memory. Events, which are far more, are
 * not: of these it is known where they lie, and they are read when it is their run's turn.
 */
import type { Rejected } from "../foreign.ts";
import { rejected } from "../reading/json.ts";
import { countIn, isObject, type JsonObject, textIn, timeIn } from "../reading/shapes.ts";
import { tipOf } from "./tip-of.ts";

/** The tables that are read, each with its rows' key of the run. */
export const TABLES: Readonly<Record<string, string>> = {
  runs: "id",
  work_items: "run_id",
  attempts: "run_id",
  tips: "source_run_id",
  lessons_current: "source_run_id",
  bans: "run_id",
};

/** The table that is read only when it is a run's turn. */
export const EVENTS = "run_events";

export interface StoreRow {
  where: string;
  table: string;
  row: JsonObject;
}

/** Events of one run that lie together. */
export interface StoreEvents {
  where: string;
  run: string;
  count: number;
  read(): Iterable<StoreRow | Rejected> | AsyncIterable<StoreRow | Rejected>;
}

export interface StoreRun {
  id: string;
  where: string;
  skill: string | null;
  startedAt: Date | null;
  config: JsonObject;
  workItems: JsonObject[];
  attempts: JsonObject[];
  tips: JsonObject[];
  lessons: { id: unknown; lesson: string }[];
  /** Patterns that it had banned at its end, those of earlier runs among them. */
  bans: string[];
  /** Of runs whose log was copied into the database. */
  events: StoreEvents[];
}

export interface MemoryStore {
  /** What of the row cannot be used; null where all can. */
  add(row: StoreRow | StoreEvents): Rejected | null;
  /** By the time of their start. */
  runs(): StoreRun[];
  /** The run that began with a log: a moment after it. */
  startedWith(startedAt: Date | null): StoreRun | null;
}

/** A run is entered in the database right after its log is opened; two runs never start within this time. */
const MOST_DELAY_MS = 5000;

/** Opens an empty store, to which rows are added as they are read. */
export function openMemoryStore(): MemoryStore {
  const runs = new Map<string, StoreRun>();

  function runOf(id: string, where: string): StoreRun {
    const known = runs.get(id);
    if (known !== undefined) return known;
    const rows = { workItems: [], attempts: [], tips: [], lessons: [], bans: [], events: [] };
    const run: StoreRun = { id, where, skill: null, startedAt: null, config: {}, ...rows };
    runs.set(id, run);
    return run;
  }

  return {
    add(given) {
      if ("run" in given) {
        runOf(given.run, given.where).events.push(given);
        return null;
      }
      const { table, row, where } = given;
      const id = textIn(row[TABLES[table] ?? ""]);
      if (table === "lessons_current" || table === "bans") {
        if (id !== null) noteMemory(runOf(id, where), { table, row });
        return null;
      }
      const fault = id === null ? "it names no run" : faultOf(table, row);
      if (id === null || fault !== null) return rejected(where, fault ?? "");
      const run = runOf(id, where);
      if (table === "runs") {
        Object.assign(run, { where, skill: textIn(row.skill), startedAt: timeIn(row.started_at) });
        if (isObject(row.config)) run.config = row.config;
      } else if (table === "work_items") run.workItems.push(row);
      else if (table === "attempts") run.attempts.push(row);
      else if (table === "tips") run.tips.push(row);
      const isLost = table === "work_items" && row.outcome === "completed" && !isFromOne(row.attempts);
      return isLost ? rejected(where, "it was completed, and its `attempts` do not say by which one") : null;
    },
    runs: () => [...runs.values()].sort((a, b) => (a.startedAt?.getTime() ?? 0) - (b.startedAt?.getTime() ?? 0)),
    startedWith(startedAt) {
      const after = (run: StoreRun) => (run.startedAt?.getTime() ?? Number.NaN) - (startedAt?.getTime() ?? Number.NaN);
      return [...runs.values()].find((run) => after(run) >= 0 && after(run) < MOST_DELAY_MS) ?? null;
    },
  };
}

/** What only prompts are made of: a row that says nothing is no loss. */
function noteMemory(run: StoreRun, { table, row }: Omit<StoreRow, "where">): void {
  const lesson = textIn(row.lesson);
  const pattern = textIn(row.pattern);
  if (table === "lessons_current" && lesson !== null) run.lessons.push({ id: row.id, lesson });
  else if (table === "bans" && pattern !== null) run.bans.push(pattern);
}

/** Why a row says nothing that a run could hold; null where it does. */
function faultOf(table: string, row: JsonObject): string | null {
  const isAtItem = table === "work_items" || table === "attempts";
  if (isAtItem && textIn(row.item_id) === null) return "it names no item";
  if (table === "attempts" && !isFromOne(row.attempt_num)) return "its `attempt_num` is no number from 1";
  if (table !== "tips") return null;
  if (textIn(row.source_rule_id) === null) return "the tip names no rule";
  return tipOf(row, "") === null ? "the tip has no text, or a kind that is none" : null;
}

function isFromOne(value: unknown): boolean {
  return (countIn(value) ?? 0) >= 1;
}
