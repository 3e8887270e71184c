import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import { readLines } from "../../src/foundation/jsonl.ts";
import { random } from "../../src/foundation/random.ts";
import type { Home } from "../../src/store/home.ts";
import { reopenRunLog } from "../../src/store/run-log.ts";
import { verifyHome } from "../../src/store/verify.ts";
import { sampleRunId, withHome } from "./sample-run.ts";

const KILLS = process.env.TRACEMILL_LONG ? 200 : 10;
const run = sampleRunId(1);

/** Lets a process append for a while after its first event, kills it, and returns the last event that it told. */
async function appendUntilKilled(home: Home, kill: number): Promise<{ seq: number; head: Hash }> {
  const script = join(import.meta.dirname, "appending-process.ts");
  const child = spawn(process.execPath, [script, home.path, run, String(kill)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let told = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    told = told.slice(-4096) + text;
  });
  await once(child.stdout, "data");
  await setTimeout(random("kill", kill).integer(0, 60));
  child.kill("SIGKILL");
  await once(child, "close");
  const [seq = "", head = ""] = told.split("\n").at(-2)?.split(" ") ?? [];
  return { seq: Number(seq), head: head as Hash };
}

test(
  `whatever a process was told to be written is there after SIGKILL (${KILLS} kills at random moments)`,
  () =>
    withHome(async (home) => {
      for (let kill = 0; kill < KILLS; kill++) {
        const last = await appendUntilKilled(home, kill);
        const heads = new Map<number, Hash>();
        for (const line of readLines(home.runLog(run))) {
          if (line.isComplete && line.bytes !== null) heads.set(line.number - 1, hashText(line.bytes));
        }
        expect(heads.get(last.seq)).toBe(last.head);
        const report = await verifyHome(home);
        expect(report.isSound).toBe(true);
        expect(report.logs[1]).toMatchObject({ log: run, state: report.hasTornTail ? "torn" : "open" });
      }
      const { log } = reopenRunLog(home, { run, clock: systemClock });
      log.append({ type: "run_finished", data: { items: 0, attempts: 0, passed: 0, failures: 0 } });
      log.close();
      expect((await verifyHome(home)).logs[1]).toMatchObject({ state: "open", events: log.events });
    }),
  KILLS * 10_000,
);
