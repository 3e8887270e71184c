import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { buildLake, openLake } from "../../src/store/lake.ts";
import { writeBaseManifest } from "../../src/store/manifests.ts";
import { reopenRunLog } from "../../src/store/run-log.ts";
import { verifyHome } from "../../src/store/verify.ts";
import { sampleBase } from "../dataset/sample-selection.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";
import { sampleRunId, withHome, writeSampleRun } from "./sample-run.ts";

const run = sampleRunId(1);
const LIMIT_BLOCKS = 64;

/** `ulimit -f` counts blocks of 512 bytes in a POSIX shell, of 1024 in some; either way writing fails at the limit. */
const underLimit = (script: string, ...args: string[]) => underLimitOf(LIMIT_BLOCKS, script, ...args);

const underLimitOf = (blocks: number, script: string, ...args: string[]) =>
  execa("sh", [
    "-c",
    `ulimit -f ${blocks}; exec "$@"`,
    "sh",
    process.execPath,
    join(import.meta.dirname, script),
    ...args,
  ]);

test("a full disk is refused, keeps every event before it, and leaves no torn line", () =>
  withHome(async (home) => {
    const { stdout } = await underLimit("full-disk-process.ts", home.path, run);
    const met = JSON.parse(stdout) as {
      code: string;
      isRefusal: boolean;
      events: number;
      head: string;
      eventsAfter: number;
    };
    expect(met).toMatchObject({ code: "DISK_FULL", isRefusal: true, eventsAfter: met.events + 1 });

    const lines = readFileSync(home.runLog(run), "utf8").split("\n");
    expect(lines).toHaveLength(met.eventsAfter + 1);
    expect(hashText(lines[met.events - 1] as string)).toBe(met.head);
    expect((await verifyHome(home)).logs[1]).toMatchObject({ state: "open", events: met.eventsAfter });
  }));

test("a log that met a full disk goes on where it ended once there is room", () =>
  withHome(async (home) => {
    await underLimit("full-disk-process.ts", home.path, run);
    const fullBytes = statSync(home.runLog(run)).size;
    const { log, cutBytes } = reopenRunLog(home, { run, clock: systemClock });
    log.append({ type: "run_finished", data: { items: 0, attempts: 0, passed: 0, failures: 0 } });
    log.close();
    expect(cutBytes).toBe(0);
    expect(statSync(home.runLog(run)).size).toBeGreaterThan(fullBytes);
    expect((await verifyHome(home)).isSound).toBe(true);
  }));

test("a lake for which there is no room is refused and leaves nothing", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 60 });
    const { stdout } = await underLimit("full-disk-making-process.ts", "lake", home.path);
    expect(stdout).toBe("DISK_FULL");
    expect(readdirSync(home.lake)).toEqual([]);
    expect((await buildLake(home)).built).toEqual([run]);
  }));

test("a dataset for which there is no room is refused and leaves nothing", () =>
  withHome(async (home) => {
    const { base } = await sampleBase();
    await writeBaseManifest(home, { ...base, hfFolder: await smollm2Tokenizer(), contextTokens: 32_768 });
    await writeSampleRun(home, { items: 8, taskBytes: 20_000, passFraction: 1 });
    (await openLake(home)).close();
    const before = readdirSync(home.path, { recursive: true });
    const { stdout } = await underLimit("full-disk-making-process.ts", "export", home.path);
    expect(stdout).toBe("DISK_FULL");
    expect(readdirSync(home.path, { recursive: true })).toEqual(before);
  }));

test("a token table for which there is no room is refused, though its pieces had room", () =>
  withHome(async (home) => {
    const megabytes = 2 * 1024;
    const { stdout } = await underLimitOf(megabytes * 1.5, "full-disk-making-process.ts", "tokens", home.path);
    expect(stdout).toBe("DISK_FULL");
  }));
