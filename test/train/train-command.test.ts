import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Context } from "../../src/commands/command.ts";
import command, { trainOn } from "../../src/commands/train.ts";
import { steppingClock } from "../../src/foundation/clock.ts";
import type { Home } from "../../src/store/home.ts";
import { listAdapters } from "../../src/store/manifests.ts";
import { withHome } from "../store/sample-run.ts";
import { addTinyBase, SETTINGS, writeDataset } from "./sample-training.ts";

function contextOf(home: Home) {
  const stderr = new PassThrough();
  const context = {
    ...{ home, stdout: process.stdout, stderr: stderr as unknown as NodeJS.WriteStream, isJson: false },
    clock: steppingClock(new Date("2026-11-01T12:00:00Z"), 11_000),
    signal: new AbortController().signal,
  } satisfies Context;
  return { context, stderr };
}

it("shows loss and speed while it trains, and sums up in the end", () =>
  withHome(async (home) => {
    const { datasetHash } = await writeDataset(home, await addTinyBase(home));
    const { context, stderr } = contextOf(home);
    const input = { ...SETTINGS, dataset: datasetHash.slice(0, 8), base: "tiny", name: "shop-v1" };
    const adapter = await trainOn(input, context);
    const shown = String(stderr.read()).split("\n");
    expect(shown).toContain("train: loading the base");
    const steps = shown.filter((line) => line.startsWith("train ["));
    expect(steps.map((line) => line.match(/\d\/4/)?.[0])).toEqual(["1/4", "2/4", "2/4", "3/4", "4/4", "4/4"]);
    const pace = String.raw`lr \d\.\de[+-]\d, norm \d[.\d]*, \d+ tokens`;
    expect(steps[0]).toMatch(new RegExp(String.raw`loss \d\.\d{4}, ${pace}`));
    const validated = new RegExp(String.raw`loss \d\.\d{4}, val \d\.\d{4}, kl \d\.\d{3}, ${pace}`);
    for (const line of steps.slice(2)) expect(line).toMatch(validated);
    expect(steps[5]).toMatch(/^train \[#{16}\] 4\/4 {2}.* tokens\/s, \d+\.\d GiB$/);
    const parsed = command.input.parse({ ...input, dataset: [input.dataset] });
    const text = command.print?.(adapter, parsed) ?? "";
    expect(text).toContain(`Adapter shop-v1 of tiny, rank 4`);
    expect(text).toContain(adapter.adapterHash);
    expect(text).toMatch(/loss +\d\.\d{3} -> \d\.\d{3} in 4 steps, 80 tokens under the loss\n +validation +\d/);
    const shortened = { ...adapter, droppedRows: 3, droppedValidationRows: 1 };
    expect(command.print?.(shortened, parsed)).toContain("of more than 64 tokens: 3 to train on, 1 to validate on");
  }));

it("tells every figure of steps and validations with --json, also where there are no validation rows", () =>
  withHome(async (home) => {
    const base = await addTinyBase(home);
    const { context, stderr } = contextOf(home);
    for (const [validation, measured] of [
      [2, ["klToBase", "loss"]],
      [0, ["klToBase"]],
    ] as const) {
      // biome-ignore format: one line a table
      const { datasetHash } = await writeDataset(home, base, { validation });
      await trainOn({ ...SETTINGS, dataset: datasetHash, base: "tiny", epochs: 1 }, { ...context, isJson: true });
      const lines = String(stderr.read()).trim().split("\n").map((line) => JSON.parse(line)); // biome-ignore format: one line
      const told = lines.filter(({ event }) => event === "progress");
      expect(told.map(({ step, validation }) => [step, validation !== undefined])).toEqual([
        [1, false],
        [2, false],
        [2, true],
      ]);
      expect(told[0]).toMatchObject({ loss: expect.any(Number), gradNorm: expect.any(Number) });
      expect(Object.keys(told[2].validation).sort()).toEqual(measured);
    }
  }));

it("refuses GPUs that are named for a training, which would take others", () =>
  withHome(async (home) => {
    const { context } = contextOf(home);
    const given = command.input.parse({ ...SETTINGS, dataset: ["3f2a"], base: "tiny", gpus: "4xL4" });
    await expect(command.run(given, context)).rejects.toMatchObject({
      ...{ code: "BAD_ARGUMENT", details: { fix: expect.stringContaining("CUDA_VISIBLE_DEVICES") } },
    });
  }));

describe("an adapter for each role", () => {
  it("is trained on that role's dataset and named after it", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const roles = ["worker", "reflector"];
      const dataset: string[] = [];
      for (const role of roles) dataset.push((await writeDataset(home, base, { role })).datasetHash);
      const { context, stderr } = contextOf(home);
      const input = { ...SETTINGS, dataset, base: "tiny", name: "shop", perRole: true, epochs: 1 };
      const parsed = command.input.parse(input);
      const made = await command.run(parsed, context);
      expect(made).toMatchObject([
        { name: "shop-worker", role: "worker", datasetHash: dataset[0] },
        { name: "shop-reflector", role: "reflector", datasetHash: dataset[1] },
      ]);
      const shown = String(stderr.read());
      for (const role of roles) expect(shown).toMatch(new RegExp(`^train ${role} \\[`, "m"));
      expect(command.print?.(made, parsed)).toMatch(/^Adapter shop-worker [\s\S]*^Adapter shop-reflector /m);
    }));

  it("can be planned, and written for another trainer, one role at a time", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const dataset: string[] = [];
      for (const role of ["worker", "reflector"]) dataset.push((await writeDataset(home, base, { role })).datasetHash);
      const { context } = contextOf(home);
      const parse = (given: object) =>
        command.input.parse({ ...SETTINGS, dataset, base: "tiny", perRole: true, ...given });
      const planned = parse({ plan: true, gpus: "1xL4" });
      const plans = await command.run(planned, context);
      expect(plans).toMatchObject([{ fits: true }, { fits: true }]);
      const text = command.print?.(plans, planned) ?? "";
      for (const hash of dataset) expect(text).toContain(`Dataset ${hash}\nPlan for sft on tiny`);
      expect(command.exitCode?.(plans)).toBe(0);
      const tight = parse({ plan: true, gpus: "1xL4", maxTokens: 12 });
      expect(command.exitCode?.(await command.run(tight, context))).toBe(2);

      const folder = join(home.path, "elsewhere");
      const written = await command.run(parse({ backend: "axolotl", writeConfig: folder }), context);
      expect(written).toMatchObject([{ folder: join(folder, "worker") }, { folder: join(folder, "reflector") }]);
      expect(await readdir(join(folder, "reflector"))).toContain("axolotl.yaml");
      const both = command.run(parse({ backend: "axolotl", writeConfig: folder, plan: true }), context);
      await expect(both).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    }));

  it("is refused before the first one is trained, where a later one cannot be", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const { datasetHash: worker } = await writeDataset(home, base);
      const { datasetHash: pairs } = await writeDataset(home, base, { role: "reflector", tier: "preference-pairs" });
      const { datasetHash: again } = await writeDataset(home, base, { train: 4 });
      const { context } = contextOf(home);
      const run = (dataset: string[], perRole: boolean) =>
        command.run(command.input.parse({ ...SETTINGS, dataset, base: "tiny", perRole }), context);
      await expect(run([worker, pairs], true)).rejects.toMatchObject({ code: "DATASET_OF_ANOTHER_TIER" });
      await expect(run([worker, again], true)).rejects.toMatchObject({ code: "ROLE_TWICE" });
      await expect(run([worker, pairs], false)).rejects.toMatchObject({
        ...{
          code: "SEVERAL_DATASETS",
          details: { fix: expect.stringMatching(/--per-role; for one adapter of all roles, .* --role all/) },
        },
      });
      expect(await listAdapters(home)).toEqual([]);
    }));
});
