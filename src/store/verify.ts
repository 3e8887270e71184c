/**
 * Checks that nothing that was recorded has changed: the chain of the ledger and of every log, and that each sealed log
 * ends where the ledger says. Reads every byte once, in constant memory; changes nothing.
 */
import { existsSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { RunId } from "../records/ids.ts";
import { type BrokenLine, type ChainCheck, checkChain } from "./chain.ts";
import type { Home } from "./home.ts";
import { type SealedRun, sealedRuns } from "./ledger.ts";
import { runIds } from "./runs.ts";

/**
 * `open`: not sealed yet, so its last line has nothing to be checked against. `torn`: open, and a crash cut its last
 * line short, which resuming mends. `missing`: sealed, but the log is gone.
 */
export type LogState = "sealed" | "open" | "torn" | "broken" | "missing";

export interface LogReport {
  /** A run id, or `ledger`. */
  log: RunId | "ledger";
  path: string;
  state: LogState;
  events: number;
  broken: BrokenLine | null;
}

export interface VerifyReport {
  logs: LogReport[];
  /** False where a log is broken or missing. */
  isSound: boolean;
  hasTornTail: boolean;
}

/**
 * Verifies a home.
 * Units: `onProgress` gets how many of the run logs are done, from 0 on.
 */
export async function verifyHome(
  home: Home,
  options: { onProgress?: (done: number, total: number) => void } = {},
): Promise<VerifyReport> {
  const ledger = reportOf("ledger", home.ledger, checkChain(home.ledger, {}));
  const sealed = ledger.state === "broken" ? new Map<RunId, SealedRun>() : sealedRuns(home);
  const runs = [...new Set([...runIds(home), ...sealed.keys()])].sort();
  const logs = [ledger];
  options.onProgress?.(0, runs.length);
  for (const run of runs) {
    logs.push(verifyLog(home, run, sealed.get(run)));
    options.onProgress?.(logs.length - 1, runs.length);
    await setImmediate(); // lets signals in between two logs
  }
  return {
    logs,
    isSound: logs.every(({ state }) => state !== "broken" && state !== "missing"),
    hasTornTail: logs.some(({ state }) => state === "torn"),
  };
}

function verifyLog(home: Home, run: RunId, sealed: SealedRun | undefined): LogReport {
  const path = home.runLog(run);
  if (sealed === undefined) return reportOf(run, path, checkChain(path, {}));
  if (!existsSync(path)) return { log: run, path, state: "missing", events: 0, broken: null };
  const report = reportOf(run, path, checkChain(path, { sealed }));
  return report.state === "open" ? { ...report, state: "sealed" } : report;
}

function reportOf(log: LogReport["log"], path: string, { broken, torn, events }: ChainCheck): LogReport {
  const state = broken !== null ? "broken" : torn !== null ? "torn" : "open";
  return { log, path, state, events, broken };
}
