import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { exportDataset } from "../../src/commands/export.ts";
import { systemClock as clock } from "../../src/foundation/clock.ts";
import { shortHash } from "../../src/foundation/hashing.ts";
import type { RunId } from "../../src/records/ids.ts";
import { placeOf, possiblePromotion, promote, revoke } from "../../src/registry/index.ts";
import { writeRun } from "../curate/written-run.ts";
import { putAdapter, putDecision, SQL, sayRevoked, withChain } from "./setting.ts";

test.each(["adapter", "dataset"] as const)(
  "a lineage of which one %s is gone is refused where it may be what is revoked, unless someone overrides the gate",
  (kind) =>
    withChain(async ({ home, runs, datasetHash, adapterHash: parent }) => {
      const own = await exportDataset({ ...SQL, runs: [runs[1]?.run as RunId] }, { home, clock });
      const adapterHash = await putAdapter(home, own.datasetHash, { name: "sql-v2", parent });
      await putDecision(home, { adapterHash, run: runs.at(-1)?.run as RunId, skill: "sql", number: 2 });
      rmSync(kind === "adapter" ? home.adapterFolder(parent) : home.datasetFolder(datasetHash), { recursive: true });
      const at = (name: string, reason: { override?: string } = {}) =>
        promote(home, { adapter: "sql-v2", place: placeOf(name), clock, ...reason });
      await at("sql");
      sayRevoked(home, "run", runs[0]?.run ?? "");
      await expect(at("sql/worker")).rejects.toMatchObject({
        code: "LINEAGE_GONE",
        details: { got: `no ${kind} ${shortHash(kind === "adapter" ? parent : datasetHash)}` },
      });
      expect(await at("sql/worker", { override: "reviewed by hand" })).toMatchObject({ adapterHash });
    }),
);

test.each([
  ["run", (run: string) => run],
  ["attempt", (run: string) => `${run}/sql:moon/x/1`],
  ["verifier", () => "judge@1"],
] as const)(
  "a decision from what a revoked %s came to promotes nobody, unless someone overrides the gate",
  (kind, of) =>
    withChain(async ({ home, datasetHash }) => {
      const verdicts = [{ verifier: { id: "judge", version: "1" } }];
      const { run } = await writeRun(home, { number: 9, attempts: [{ item: "moon/x", verdicts }] });
      const adapterHash = await putAdapter(home, datasetHash, { name: "sql-v2" });
      const comparisonHash = await putDecision(home, { adapterHash, run, skill: "sql", number: 2 });
      const place = placeOf("sql");
      expect(await possiblePromotion(home, { adapter: "sql-v2", place })).toMatchObject({ comparisonHash });
      const report = await revoke(home, { target: of(run), reason: "it was wrong", clock });
      expect(report.decisions).toMatchObject([{ comparisonHash, adapterHash }]);
      await expect(promote(home, { adapter: "sql-v2", place, clock })).rejects.toMatchObject({
        code: "DECISION_REVOKED",
        details: {
          got: `the ${kind} ${of(run)} (it was wrong)`,
          fix: "tracemill validate --skill sql --candidate sql-v2 --against base --seed 3",
        },
      });
      expect(await promote(home, { adapter: "sql-v2", place, override: "reviewed", clock })).toMatchObject({
        adapterHash,
      });
    }),
);
