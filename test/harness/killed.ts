/**
 * Runs the harness in processes of their own that are killed at random moments: most of them once they have asked their
 * endpoint something, so that the kill falls into a run at work, and a tenth on their way there.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { random } from "../../src/foundation/random.ts";
import type { RunResult } from "../../src/harness/index.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/runs.ts";
import { eventsOf } from "./setting.ts";

export interface Killing {
  home: Home;
  /** Takes the home's folder, the endpoint's URL and the run to resume, and prints the result as JSON. */
  script: string;
  url: string;
  kills: number;
  /** How often the endpoint was asked so far. */
  asked(): number;
  /** Most calls and time that a process has from its first call on. */
  most: { calls: number; ms: number };
  onKilled?(process: ChildProcess): Promise<void>;
}

const EARLY_FRACTION = 0.1;
const MOST_EARLY_MS = 1500;

/** Kills until the count is reached, going on with a new run where one came to its end; returns all of them, finished. */
export async function killedRuns(options: Killing): Promise<RunResult[]> {
  const { home, script, kills, asked, most, onKilled } = options;
  const draw = random("kills", script, kills);
  const results: RunResult[] = [];
  let run: RunId | undefined;
  for (let killed = 0; killed < kills; ) {
    const before = asked();
    const { process, ended } = startRun(options, run);
    if (draw.next() < EARLY_FRACTION) await sleep(draw.integer(0, MOST_EARLY_MS));
    else {
      const calls = draw.integer(1, most.calls);
      while (process.exitCode === null && asked() < before + calls) await sleep(1);
      await sleep(draw.integer(0, most.ms));
    }
    process.kill("SIGKILL");
    const output = await ended;
    if (process.signalCode === "SIGKILL") {
      killed++;
      await onKilled?.(process);
    } else if (process.exitCode !== 0) throw new Error(`${script} ended with ${process.exitCode}`);
    const over = new Set(results.map((result) => result.run));
    run ??= (await listRuns(home)).map((one) => one.run).find((one) => !over.has(one));
    if (run === undefined && asked() > before) throw new Error("a process that had asked its endpoint left no run");
    if (run === undefined || (await eventsOf(home, run)).at(-1)?.type !== "run_finished") continue;
    results.push(output === "" ? await finished(options, run) : JSON.parse(output));
    run = undefined;
  }
  if (run !== undefined) results.push(await finished(options, run));
  return results;
}

async function finished(options: Killing, run: RunId): Promise<RunResult> {
  return JSON.parse(await startRun(options, run).ended);
}

function startRun({ script, home, url }: Killing, resume?: RunId): { process: ChildProcess; ended: Promise<string> } {
  const args = [script, home.path, url, ...(resume === undefined ? [] : [resume])];
  const process_ = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  process_.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  return { process: process_, ended: new Promise((resolve) => process_.on("close", () => resolve(output))) };
}
