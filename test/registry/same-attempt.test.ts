/** An attempt that two imports of one source hold is one attempt, whichever of them names it. */
import { expect, it } from "vitest";
import { rebuildDataset } from "../../src/commands/dataset.ts";
import { exportDataset } from "../../src/commands/export.ts";
import type { AttemptId, RunId } from "../../src/records/ids.ts";
import { revoke } from "../../src/registry/revoke.ts";
import { appendLedger, coverings, otherIdsOf } from "../../src/store/ledger.ts";
import type { RunDraft } from "../curate/written-run.ts";
import { type Place, SQL, withRuns } from "./setting.ts";

const reason = "the database was empty";
const ATTEMPTS: RunDraft["attempts"] = [
  { item: "shop/a", query: "SELECT 1" },
  { item: "shop/b", query: "SELECT 2" },
];
/** The same source, grown by an attempt. */
const GROWN: RunDraft[] = [
  { number: 1, attempts: ATTEMPTS },
  { number: 2, attempts: [...ATTEMPTS, { item: "shop/c", query: "SELECT 3" }] },
];

/** Makes a dataset of the first run, then lets the second one stand for it. */
async function grown({ home, clock, runs }: Place) {
  const [first, second] = runs.map(({ run }) => run) as [RunId, RunId];
  const options = { ...SQL, runs: [first] };
  const { datasetHash } = await exportDataset(options, { home, clock });
  appendLedger(home, { type: "run_replaced", data: { run: second, replaced: first } }, clock);
  return { first, second, options, datasetHash };
}

it("is revoked in what was made of the earlier import, too, which its successor and later exports leave out", () =>
  withRuns(async (place) => {
    const { home, clock } = place;
    const { first, second, options, datasetHash } = await grown(place);
    const target = `${second}/sql:shop/a/1`;
    const { datasets } = await revoke(home, { target, reason, clock });
    expect(datasets).toEqual([{ datasetHash, rows: 1, of: 2, isCertain: true }]);
    const successor = await rebuildDataset({ dataset: datasetHash }, place);
    expect(successor.counts).toMatchObject({ trainRows: 1, items: 1 });
    const again = await exportDataset(options, place);
    expect(again.datasetHash).not.toBe(datasetHash);
    expect(again.refusals).toEqual([{ reason: "revoked", count: 1, examples: [`${first}/sql:shop/a/1#1`] }]);
  }, GROWN));

it("is not what the later import alone holds, nor revoked with all of that", () =>
  withRuns(async (place) => {
    const { home, clock } = place;
    const { second, options, datasetHash } = await grown(place);
    for (const target of [`${second}/sql:shop/c/1`, second]) {
      expect((await revoke(home, { target, reason, clock })).datasets).toEqual([]);
    }
    expect((await exportDataset(options, place)).datasetHash).toBe(datasetHash);
  }, GROWN));

it("is found by its native name where the imports are about two skills", () =>
  withRuns(async ({ home, clock, runs }) => {
    const [first, second] = runs.map(({ run }) => run) as [RunId, RunId];
    appendLedger(home, { type: "run_replaced", data: { run: second, replaced: first, skill: "shell" } }, clock);
    const ids = [`${first}/sql:shop/a/1`, `${second}/shell:shop/a/1`] as [AttemptId, AttemptId];
    const said = coverings(home);
    expect(ids.map((id) => otherIdsOf(said, { kind: "attempt", id }))).toEqual([[ids[1]], [ids[0]]]);
  }, GROWN));
