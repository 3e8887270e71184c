/** A rule that labels, as a thing that rows were made from and that may turn out to be bad. */
import { expect, it } from "vitest";
import { rebuildDataset } from "../../src/commands/dataset.ts";
import { exportDataset } from "../../src/commands/export.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { lineageOf } from "../../src/registry/index.ts";
import { revoke } from "../../src/registry/revoke.ts";
import { readRowLineage } from "../../src/store/row-lineage.ts";
import { writeRoleRun } from "../curate/role-run.ts";
import { withHome } from "../store/sample-run.ts";

const AUDITORS = { skills: ["sql"], role: "auditor" as const, base: "none" };

/** A dataset of two right opinions: of one nothing but the verdict is known, of the other that the pass was a no-op. */
const withOpinions = (use: (place: Awaited<ReturnType<typeof exported>>) => Promise<void>) =>
  withHome(async (home) => {
    await writeRoleRun(home, { items: ["plain/a", "noop/a"] }, (writer) => {
      for (const item of ["plain/a", "noop/a"]) {
        const isRight = item === "plain/a";
        writer.turn("worker", item, 1);
        const turn = writer.turn("auditor", item, 1, { answer: isRight ? "yes" : "no" });
        const opinion = { signalType: "judgment" as const, verifier: { id: "auditor", version: "m" } };
        writer.verdict(item, 1, { ...opinion, passed: isRight, value: Number(isRight), evidence: { turn, why: null } });
        writer.verdict(item, 1, isRight ? {} : { before: { value: 1, passed: true } });
      }
    });
    await use(await exported(home));
  });

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
