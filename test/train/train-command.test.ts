import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import type { Context } from "../../src/commands/command.ts";
import command, { trainOn } from "../../src/commands/train.ts";
import { steppingClock } from "../../src/foundation/clock.ts";
import { withHome } from "../store/sample-run.ts";
import { addTinyBase, CONFIG, writeDataset } from "./sample-training.ts";

it("shows loss and speed while it trains, and sums up in the end", () =>
  withHome(async (home) => {
    const { datasetHash } = await writeDataset(home, await addTinyBase(home));
    const stderr = new PassThrough();
    const context = {
      ...{ home, stdout: process.stdout, stderr: stderr as unknown as NodeJS.WriteStream, isJson: false },
      clock: steppingClock(new Date("2026-11-01T12:00:00Z"), 11_000),
      signal: new AbortController().signal,
    } satisfies Context;
    const input = { ...CONFIG, dataset: datasetHash.slice(0, 8), base: "tiny", name: "shop-v1" };
    const adapter = await trainOn(input, context);
    const shown = String(stderr.read()).split("\n");
    expect(shown).toContain("train: loading the base");
    const steps = shown.filter((line) => line.startsWith("train ["));
    expect(steps).toHaveLength(4);
    expect(steps[3]).toMatch(/^train \[#{16}\] 4\/4 {2}.*loss \d\.\d{4}, \d+ tokens\/s$/);
    const text = command.print?.(adapter, command.input.parse(input)) ?? "";
    expect(text).toContain(`Adapter shop-v1 of tiny, rank 4`);
    expect(text).toContain(adapter.adapterHash);
    expect(text).toMatch(/loss +\d\.\d{3} -> \d\.\d{3} in 4 steps, 80 tokens under the loss\n +validation +\d/);
  }));
