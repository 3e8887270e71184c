/**
 * Runs as a whole: reading a log, sealing it, and listing what is there. A run counts as sealed when the ledger names
 * its head; from then on its log never changes.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import { readLastLine, readLines } from "../foundation/jsonl.ts";
import { unknownName } from "../foundation/nearest.ts";
import { type LoggedEvent, loggedEventSchema, type RunStarted } from "../records/events.ts";
import { type RunId, runIdSchema } from "../records/ids.ts";
import { chainBroken, checkChain, linkOf } from "./chain.ts";
import type { Home } from "./home.ts";
import { appendEntries, type SealedRun, sealedRuns } from "./ledger.ts";

const EVENTS_PER_TURN = 256;

/** Where an imported run comes from. */
const sourceSchema = z.object({
  format: z.string(),
  /** Tells this source apart from any other. */
  hash: z.string(),
  nativeId: z.string(),
  /** Other names of the same run. */
  aliases: z.array(z.string()).default([]),
  facts: z
    .object({
      /** The recorded run that it was joined with. */
      recorded: z.string().optional().catch(undefined),
    })
    .default({}),
});

export type RunSource = z.infer<typeof sourceSchema>;

export interface RunSummary {
  run: RunId;
  skill: string;
  split: RunStarted["split"];
  memory: RunStarted["memory"];
  isSealed: boolean;
  /** Null until the run is sealed. */
  head: Hash | null;
  models: RunStarted["models"];
  comparison: RunStarted["comparison"];
  /** Probability with which retrieved tips were left out by a draw; 0 where nothing was drawn. */
  tipDropout: number;
  /** The command that made it: `run`, `record`, `import`; null where the log does not say. */
  command: string | null;
  /** Of a run that the proxy recorded: the server behind it. */
  upstream: string | null;
  /** Another program's own name for it. */
  label: string | null;
  /** Of an imported run; null for every other one. */
  source: RunSource | null;
  startedAt: string;
  /** Whole lines of the log. */
  events: number;
}

/**
 * Reads the events of a run in order, in constant memory; a torn last line is left out.
 * Does not check the chain: that is what `verify`, reopening and the lake do.
 * Throws: `UNKNOWN_RUN`, `LOG_BROKEN` at a line that is not an event.
 */
export async function* readRunLog(home: Home, run: RunId): AsyncGenerator<LoggedEvent> {
  const path = home.runLog(run);
  if (!runIds(home).includes(run)) throw unknownName("run", run, runIds(home));
  for (const line of readLines(path)) {
    if (!line.isComplete) return;
    const event = eventOf(line.bytes);
    if (event === null) throw chainBroken(path, { line: line.number, reason: "it is not an event" });
    yield event;
    if (line.number % EVENTS_PER_TURN === 0) await setImmediate(); // lets timers and signals in
  }
}

/**
 * Seals a finished run: checks its whole chain and tells the ledger its head. Sealing a sealed run returns its head.
 * Throws: `UNKNOWN_RUN`, `LOG_BROKEN`, `RUN_NOT_FINISHED`.
 */
export async function sealRun(home: Home, run: RunId, clock: Clock): Promise<Hash> {
  const sealed = sealedRuns(home).get(run);
  if (sealed !== undefined) return sealed.head;
  const path = home.runLog(run);
  if (!runIds(home).includes(run)) throw unknownName("run", run, runIds(home));
  const first = firstEvent(home, run);
  const check = checkChain(path, {});
  if (check.broken !== null) throw chainBroken(path, check.broken);
  if (first === null || check.torn !== null || check.lastType !== "run_finished") {
    throw new Refusal({
      code: "RUN_NOT_FINISHED",
      message: `The run ${run} has not finished.`,
      expected: "a log whose last event is run_finished",
      got:
        first === null ? "no run_started" : check.torn !== null ? "a torn last line" : `last event: ${check.lastType}`,
      where: path,
      fix: `resume it: tracemill run --resume ${run}`,
    });
  }
  const { head, events } = check;
  sealWritten(home, [{ run, head, events, skill: first.data.skill.id }], clock);
  return head;
}

/**
 * Seals finished runs that are not sealed, by what is known of all the lines of each; by a writer also, without reading them
 * again: what was changed in a file since it wrote that shows as a broken log.
 * Throws: as `appendEntries`.
 */
export function sealWritten(home: Home, runs: readonly SealedRun[], clock: Clock): void {
  const entries = runs.map((data) => ({ type: "run_sealed" as const, data }));
  appendEntries(home, entries, clock);
}

/** When the last whole line of a run's log was written; null where it has none. Units: ms since 1970. */
export function lastEventMs(home: Home, run: RunId): number | null {
  const event = eventOf(readLastLine(home.runLog(run)).bytes);
  return event === null ? null : Date.parse(event.at);
}

/** Lists the runs whose log has begun, oldest first. */
export async function listRuns(home: Home): Promise<RunSummary[]> {
  const sealed = sealedRuns(home);
  return runIds(home).flatMap((run) => {
    const first = firstEvent(home, run);
    if (first === null) return [];
    const { skill, split, memory, models, comparison, config } = first.data;
    const seal = sealed.get(run);
    return {
      run,
      skill: skill.id,
      split,
      memory,
      isSealed: seal !== undefined,
      head: seal?.head ?? null,
      models,
      comparison,
      tipDropout: typeof config.tipDropout === "number" ? config.tipDropout : 0,
      command: typeof config.command === "string" ? config.command : null,
      upstream: config.command === "record" && typeof config.upstream === "string" ? config.upstream : null,
      label: typeof config.label === "string" ? config.label : null,
      source: sourceSchema.safeParse(config.source).data ?? null,
      startedAt: first.at,
      events: seal?.events ?? (linkOf(readLastLine(home.runLog(run)).bytes)?.seq ?? -1) + 1,
    };
  });
}

/** Lists the sealed runs whose log is gone, in the order of their sealing. */
export function runsWithoutLog(home: Home): SealedRun[] {
  return [...sealedRuns(home).values()].filter(({ run }) => !existsSync(home.runLog(run)));
}

/** The ids of all runs that have a folder, oldest first. */
export function runIds(home: Home): RunId[] {
  const names = readdirIfThere(join(home.path, "runs"));
  return names.filter((name): name is RunId => runIdSchema.safeParse(name).success).sort();
}

function firstEvent(home: Home, run: RunId): (LoggedEvent & { type: "run_started" }) | null {
  for (const line of readLines(home.runLog(run))) {
    const event = line.isComplete ? eventOf(line.bytes) : null;
    return event?.type === "run_started" ? event : null;
  }
  return null;
}

function eventOf(bytes: Buffer | null): LoggedEvent | null {
  try {
    return loggedEventSchema.parse(JSON.parse((bytes ?? "").toString("utf8")));
  } catch {
    return null; // the caller knows the line
  }
}

function readdirIfThere(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
