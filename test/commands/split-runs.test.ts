/** Families that change between two runs of the same items: which of the runs keep an export from being made, and what lets it be. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readFamilyRule } from "../../src/capture/index.ts";
import { rebuildDataset } from "../../src/commands/dataset.ts";
import { exportDataset } from "../../src/commands/export.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { Hash } from "../../src/foundation/hashing.ts";
import type { RunId } from "../../src/records/ids.ts";
import { revoke } from "../../src/registry/index.ts";
import type { Home } from "../../src/store/home.ts";
import { importInto } from "../capture/importers/setting.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { withHome } from "../store/sample-run.ts";

/** So many that their own families lie in every split. */
const ROWS = Array.from({ length: 30 }, (_, i) => ({
  ...{ id: `plum-${i}`, tree: "young", reward: 1, model: "smollm2" },
  messages: [
    { role: "user", content: `How ripe is the plum at place ${i} of ${"the long row ".repeat(i + 1)}?` },
    { role: "assistant", content: `It has been ripe for ${i} days.` },
  ],
}));

async function imported(home: Home, name: string, familyBy: string | null): Promise<RunId> {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-import-"));
  try {
    const file = join(folder, `${name}.jsonl`);
    writeFileSync(file, ROWS.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const familyRule = familyBy === null ? null : readFamilyRule(familyBy);
    return (await importInto(home, file, { skill: "fruit", familyRule })).imported[0]?.run as RunId;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const exported = (home: Home, changes: { runs?: string[]; without?: string } = {}) =>
  exportDataset({ skills: ["fruit"], role: "worker", near: "off", ...changes }, { home, clock: systemClock });

const revokeIn = (home: Home, target: RunId | Hash) =>
  revoke(home, { target, reason: "its families are wrong", clock: systemClock });

it("an import by another rule for families is exported, and the one that it replaced is out of the way", () =>
  withHome(async (home) => {
    const plain = await imported(home, "night", null);
    const byTree = await imported(home, "night", "tree");
    const { runs, counts } = await exported(home);
    expect(runs).toEqual([byTree]);
    expect(counts.trainRows).toBeGreaterThan(0);
    await expect(exported(home, { runs: [plain, byTree] })).rejects.toMatchObject({
      code: "ITEM_IN_TWO_SPLITS",
      details: { fix: expect.stringMatching(new RegExp(`tracemill export --skill fruit .*leaves out ${plain}`)) },
    });
  }));

it("an import that a dataset was made of before it was replaced counts, until that dataset is revoked", () =>
  withHome(async (home) => {
    const plain = await imported(home, "night", null);
    const { datasetHash } = await exported(home);
    const byTree = await imported(home, "night", "tree");
    const refused = await exported(home).catch((error) => error);
    expect(refused).toMatchObject({ code: "ITEM_IN_TWO_SPLITS" });
    for (const run of [plain, byTree]) expect(refused.details.got).toContain(run);
    expect(refused.details.fix).toContain(`tracemill revoke ${byTree} --reason WHY`);
    expect(refused.details.fix).toContain(`tracemill revoke ${datasetHash.slice(0, 12)} --reason WHY`);
    expect(refused.details.fix).not.toContain(`tracemill revoke ${plain}`);
    await revokeIn(home, datasetHash);
    expect((await exported(home)).runs).toEqual([byTree]);
  }));

it("a dataset of an import that was replaced is not made again, and what says so leads to one that is", () =>
  withHome(async (home) => {
    const plain = await imported(home, "night", null);
    const { datasetHash } = await exported(home);
    const byTree = await imported(home, "night", "tree");
    const rebuilt = rebuildDataset({ dataset: datasetHash, isForced: true }, { home, clock: systemClock });
    const fix = [
      `tracemill revoke ${datasetHash.slice(0, 12)} --reason WHY`,
      `tracemill export --skill fruit (without --runs it leaves out ${plain})`,
    ].join(" and ");
    await expect(rebuilt).rejects.toMatchObject({ details: { fix: expect.stringContaining(fix) } });
    const words = ["--reason", "its families are wrong"];
    expect((await tracemill(home, "revoke", datasetHash.slice(0, 12), ...words)).exitCode).toBe(0);
    expect((await exported(home)).runs).toEqual([byTree]);
  }));

it("of two runs that stand, one has to be revoked, and counts again where revoked ones are asked for", () =>
  withHome(async (home) => {
    const plain = await imported(home, "one", null);
    const byTree = await imported(home, "other", "tree");
    await expect(exported(home)).rejects.toMatchObject({ code: "ITEM_IN_TWO_SPLITS" });
    await expect(exported(home, { runs: [byTree] })).rejects.toMatchObject({ code: "ITEM_IN_TWO_SPLITS" });
    await revokeIn(home, plain);
    expect((await exported(home)).counts.trainRows).toBeGreaterThan(0);
    await expect(exported(home, { without: "revoked" })).rejects.toMatchObject({ code: "ITEM_IN_TWO_SPLITS" });
  }));
