/** A rule that labels, as a thing that rows were made from and that may turn out to be bad. */
import { expect, it } from "vitest";
import { rebuildDataset } from "../../src/commands/dataset.ts";
import { exportDataset } from "../../src/commands/export.ts";
import revokeCommand from "../../src/commands/revoke.ts";
import { refuseTainted } from "../../src/commands/taint.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { lineageOf, placeOf, promote, taintedDatasets } from "../../src/registry/index.ts";
import { revoke } from "../../src/registry/revoke.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { writeBaseManifest } from "../../src/store/manifests.ts";
import { readRowLineage } from "../../src/store/row-lineage.ts";
import { writeRoleRun } from "../curate/role-run.ts";
import { sampleBase } from "../dataset/sample-selection.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { sampleRunId, withHome } from "../store/sample-run.ts";
import { putAdapter, sayRevoked, withGraph } from "./setting.ts";

const AUDITORS = { skills: ["sql"], role: "auditor" as const, base: "none" };

/**
 * A dataset of two right opinions: of one nothing but the verdict is known, of the other that the pass was a no-op. On a third
 * attempt of the run nobody had any.
 */
const withOpinions = (use: (place: Awaited<ReturnType<typeof exported>>) => Promise<void>) =>
  withHome(async (home) => {
    await writeRoleRun(home, { items: ["plain/a", "noop/a", "unheard/a"] }, (writer) => {
      for (const item of ["plain/a", "noop/a"]) {
        const isRight = item === "plain/a";
        writer.turn("worker", item, 1);
        const turn = writer.turn("auditor", item, 1, { answer: isRight ? "yes" : "no" });
        const opinion = { signalType: "judgment" as const, verifier: { id: "auditor", version: "m" } };
        writer.verdict(item, 1, { ...opinion, passed: isRight, value: Number(isRight), evidence: { turn, why: null } });
        writer.verdict(item, 1, isRight ? {} : { before: { value: 1, passed: true } });
      }
      writer.turn("worker", "unheard/a", 1);
      writer.verdict("unheard/a", 1);
    });
    await use(await exported(home));
  });

const UNHEARD = `${sampleRunId(1)}/sql:unheard/a/1`;
const OF_RUNS = { isCertain: false };

async function exported(home: Parameters<typeof readRowLineage>[0]) {
  const place = { home, clock: systemClock };
  return { ...place, dataset: await exportDataset(AUDITORS, place) };
}

it("leads to the datasets with rows that it labelled", () =>
  withOpinions(async ({ home, dataset: { datasetHash } }) => {
    const { node, down } = await lineageOf(home, "verdict-alone@1");
    expect(node).toMatchObject({ kind: "verifier", id: "verdict-alone@1", mark: null });
    expect(down).toMatchObject([{ kind: "dataset", id: datasetHash, facts: { rows: 1 } }]);
    const unknown = lineageOf(home, "verdict-alone@2");
    await expect(unknown).rejects.toMatchObject({ code: "UNKNOWN_VERIFIER" });
  }));

it("taints these where it is revoked, and labels nothing from then on", () =>
  withOpinions(async ({ home, clock, dataset: { datasetHash, manifest } }) => {
    const { datasets } = await revoke(home, { target: "verdict-alone@1", reason: "it learned to agree", clock });
    expect(datasets).toEqual([{ datasetHash, rows: 1, of: 2, isCertain: true }]);
    const next = await rebuildDataset({ dataset: datasetHash }, { home, clock });
    const labelledBy: string[] = [];
    for await (const row of readRowLineage(home, next.manifest)) labelledBy.push(...row.verifiers);
    expect(labelledBy).toEqual(["noop-pass@1"]);
    expect(next.refusals).toContainEqual(expect.objectContaining({ reason: "revoked", count: 1 }));
    expect(next.manifest.inputs.ledgerHead).not.toEqual(manifest.inputs.ledgerHead);
  }));

it("may rest on what is revoked later of the runs, and not on what was revoked before", () =>
  withOpinions(async ({ home, clock, dataset: { datasetHash } }) => {
    sayRevoked(home, "attempt", UNHEARD);
    const others = await exportDataset({ ...AUDITORS, maxPerItem: 3 }, { home, clock });
    const next = await rebuildDataset({ dataset: datasetHash }, { home, clock });
    expect(next.counts.trainRows).toBe(2);
    const tainted = await withGraph(home, taintedDatasets);
    expect([...tainted]).toEqual([[datasetHash, OF_RUNS]]);
    await expect(refuseTainted(home, { dataset: datasetHash })).rejects.toMatchObject({ code: "TAINTED_DATASET" });
    for (const dataset of [others.datasetHash, next.datasetHash]) await refuseTainted(home, { dataset });
    expect((await revoke(home, { target: UNHEARD, reason: "again", clock })).datasets).toMatchObject([{ datasetHash }]);
  }));

it("is told of once in the lineage: by its rows where it has any, else as one that may rest on the thing", () =>
  withOpinions(async ({ home, clock, dataset: { datasetHash } }) => {
    const usedBy = async (name: string) =>
      (await lineageOf(home, name)).down.map(({ id, facts: { rows, perhaps } }) => ({ id, rows, perhaps }));
    const held = { id: datasetHash, rows: 2, perhaps: undefined };
    const perhaps = { id: datasetHash, rows: 0, perhaps: "by its labels" };
    expect(await usedBy(sampleRunId(1))).toEqual([held]);
    expect(await usedBy(UNHEARD)).toEqual([perhaps]);
    sayRevoked(home, "attempt", UNHEARD);
    await rebuildDataset({ dataset: datasetHash }, { home, clock });
    expect(await usedBy(UNHEARD)).toEqual([perhaps]);
  }));

it("is told as what may be tainted wherever it is not known to be", () =>
  withOpinions(async ({ home, clock, dataset: { datasetHash } }) => {
    await putAdapter(home, datasetHash);
    const report = await revoke(home, { target: UNHEARD, reason: "it was bad", clock });
    expect(report).toMatchObject({
      datasets: [{ datasetHash, rows: 0, of: 2, ...OF_RUNS }],
      adapters: [{ name: "sql-v1", ...OF_RUNS }],
    });
    const told = revokeCommand.print?.(report, {} as never);
    expect(told).toMatch(/perhaps, as its labels may rest on other attempts of its runs.*\n.*, perhaps tainted$/m);
    await expect(refuseTainted(home, { dataset: datasetHash })).rejects.toMatchObject({
      message: expect.stringContaining("may rest on what was revoked"),
      details: { got: expect.stringMatching(/^it does not say what all their labels rest on, .*unheard.*it was bad/) },
    });
    expect((await tracemill(home, "datasets")).stdout).toMatch(/ {2}PERHAPS TAINTED$/);
    expect((await tracemill(home, "status")).stdout).toMatch(
      /[0-9a-f]{12} PERHAPS TAINTED {2}[\s\S]*[0-9a-f]{12} PERHAPS TAINTED {2}/,
    );
    expect((await tracemill(home, "lineage", UNHEARD)).stdout).toMatch(
      /rows 0, perhaps by its labels, .*PERHAPS TAINTED$/m,
    );
  }));

it("leads promote, a training that goes on and validate to say that the adapter may have been trained on what is revoked", () =>
  withOpinions(async ({ home, clock, dataset: { datasetHash } }) => {
    await writeBaseManifest(home, (await sampleBase()).base);
    await putAdapter(home, datasetHash);
    sayRevoked(home, "attempt", UNHEARD);
    const promotion = promote(home, { adapter: "sql-v1", place: placeOf("sql"), override: "yes", clock });
    await expect(promotion).rejects.toMatchObject({
      ...{ code: "TAINTED_ADAPTER", message: "The adapter sql-v1 may have been trained on what is revoked." },
    });
    const clean = await exportDataset({ ...AUDITORS, maxPerItem: 3 }, { home, clock });
    await expect(refuseTainted(home, { dataset: clean.datasetHash, from: "sql-v1" })).rejects.toMatchObject({
      ...{ code: "TAINTED_PARENT", message: expect.stringMatching(/may have learned .* would be perhaps tainted too/) },
      details: { got: expect.stringContaining("the perhaps tainted dataset") },
    });
    const words = ["--skill", "sql", "--limit", "20", "--candidate", "sql-v1", "--general", "none", "--json"];
    const { stdout } = await tracemill(home, "validate", ...words);
    expect(JSON.parse(stdout).axes).toContainEqual(
      expect.objectContaining({
        ...{ axis: "dataset", outcome: "failed" },
        reason: `It may have been trained on what is revoked: the attempt ${UNHEARD} (it was bad).`,
      }),
    );
  }));

it("may rest on what was revoked before where the export was told to take that too", () =>
  withOpinions(async ({ home, clock }) => {
    sayRevoked(home, "attempt", UNHEARD);
    const { datasetHash } = await exportDataset({ ...AUDITORS, without: "revoked" }, { home, clock });
    expect((await withGraph(home, taintedDatasets)).get(datasetHash)).toEqual(OF_RUNS);
  }));

it("may rest on what a run holds of another one, where that is said after the export", () =>
  withOpinions(async ({ home, clock, dataset: { datasetHash } }) => {
    const [run, replaced] = [sampleRunId(1), sampleRunId(2)];
    sayRevoked(home, "attempt", UNHEARD.replace(run, replaced));
    const before = await exportDataset(AUDITORS, { home, clock });
    expect(before.datasetHash).toBe(datasetHash);
    appendLedger(home, { type: "run_replaced", data: { run, replaced } }, clock);
    const after = await exportDataset(AUDITORS, { home, clock });
    expect([...(await withGraph(home, taintedDatasets))]).toEqual([[datasetHash, OF_RUNS]]);
    expect(after.datasetHash).not.toBe(datasetHash);
  }));

it.each([
  ["run", sampleRunId(1)],
  ["attempt", UNHEARD],
] as const)(
  "does not rest on the %s that it left out, also where another run is said to cover that later",
  (kind, target) =>
    withOpinions(async ({ home, clock }) => {
      await writeRoleRun(home, { number: 2, items: ["plain/b"] }, (writer) => {
        const turn = writer.turn("auditor", "plain/b", 1, { answer: "yes" });
        const opinion = { signalType: "judgment" as const, verifier: { id: "auditor", version: "m" } };
        writer.verdict("plain/b", 1, { ...opinion, evidence: { turn, why: null } });
        writer.verdict("plain/b", 1);
      });
      sayRevoked(home, kind, target);
      const { datasetHash, manifest } = await exportDataset(AUDITORS, { home, clock });
      expect(manifest.inputs.runs.map(({ run }) => run)).toContain(sampleRunId(1));
      appendLedger(home, { type: "run_replaced", data: { run: sampleRunId(3), replaced: sampleRunId(1) } }, clock);
      expect((await withGraph(home, taintedDatasets)).get(datasetHash)).toBeUndefined();
    }),
);
