/** What reports ask of the lake, as rows that were read by their schemas. */
import { expect, test } from "vitest";
import { hashText } from "../../src/foundation/hashing.ts";
import { withLake } from "../../src/store/lake.ts";
import {
  readBeforeAfter,
  readCompleteness,
  readDiversity,
  readModelsWithAdapter,
  readThirds,
} from "../../src/store/run-figures.ts";
import { sampleRunId, withHome, writeSampleRun } from "./sample-run.ts";

test("a run is told in thirds of its attempts, which are fewer where it has fewer", () =>
  withHome(async (home) => {
    const long = await writeSampleRun(home, { items: 5, attemptsPerItem: 2, passFraction: 1 });
    const short = await writeSampleRun(home, { number: 2, items: 1, attemptsPerItem: 2, passFraction: 0 });
    const thirds = (run: string) => withLake(home, (lake) => readThirds(lake, run));
    expect(await thirds(long.run)).toEqual([
      { attempts: 4, passed: 4 },
      { attempts: 3, passed: 3 },
      { attempts: 3, passed: 3 },
    ]);
    expect(await thirds(short.run)).toEqual([
      { attempts: 1, passed: 0 },
      { attempts: 1, passed: 0 },
    ]);
    expect(await thirds(sampleRunId(3))).toEqual([]);
  }));

test("two runs are told side by side at the items that both have, by their first attempts", () =>
  withHome(async (home) => {
    const before = await writeSampleRun(home, { items: 3, passFraction: 0 });
    const after = await writeSampleRun(home, { number: 2, items: 2, passFraction: 1 });
    const items = await withLake(home, (lake) => readBeforeAfter(lake, { before: before.run, after: after.run }));
    const answered = { before: expect.stringContaining("SELECT"), after: expect.stringContaining("SELECT") };
    expect(items).toEqual([
      { task: expect.stringContaining("t0"), ...answered, beforePassed: false, afterPassed: true },
      { task: expect.stringContaining("t1"), ...answered, beforePassed: false, afterPassed: true },
    ]);
  }));

test("models that were served with an adapter are told from others", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { model: "plain" });
    await writeSampleRun(home, { number: 2, model: "trained", adapterHash: hashText("adapter") });
    expect(await withLake(home, readModelsWithAdapter)).toEqual(new Set(["trained"]));
  }));

test("answers that passed are counted as different ones, and there is no share where none passed", () =>
  withHome(async (home) => {
    const passed = await writeSampleRun(home, { items: 3, passFraction: 1 });
    const failed = await writeSampleRun(home, { number: 2, passFraction: 0 });
    await withLake(home, async (lake) => {
      expect(await readDiversity(lake, [passed.run])).toBe(1);
      expect(await readDiversity(lake, [failed.run])).toBeNull();
    });
  }));

test("a run's records are told role by role, with every part as a fraction", () =>
  withHome(async (home) => {
    const { run } = await writeSampleRun(home, { items: 2, attemptsPerItem: 2 });
    const [worker, ...others] = await withLake(home, (lake) => readCompleteness(lake, run));
    expect(worker).toMatchObject({ role: "worker", turns: 4, full_prompt: 1, token_ids: 0, outcome: 1 });
    expect(others).toEqual([]);
  }));
