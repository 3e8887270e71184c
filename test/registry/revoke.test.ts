import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rebuildDataset } from "../../src/commands/dataset.ts";
import { exportDataset } from "../../src/commands/export.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { placeOf, promote, taintedDatasets, taintOf, taintOfLineage } from "../../src/registry/index.ts";
import { revoke } from "../../src/registry/revoke.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { readDatasetManifest } from "../../src/store/manifests.ts";
import { verifyHome } from "../../src/store/verify.ts";
import { writeRun } from "../curate/written-run.ts";
import { sampleVerdict } from "../store/sample-run.ts";
import { type Chain, revokedEntries, SQL, sayRevoked, TIP, withChain, withGraph, withRuns } from "./setting.ts";

const because = "the database was empty";

/** Of each kind what can be revoked, and how many rows of the chain's dataset are of it. */
const TARGETS: [string, (chain: Chain) => string, number][] = [
  ["run", ({ runs }) => runs[0]?.run ?? "", 3],
  ["attempt", ({ runs }) => runs[0]?.turns[1]?.split("#", 1)[0] ?? "", 1],
  ["tip", () => TIP, 1],
  ["verifier", () => "other@1", 1],
  ["dataset", ({ datasetHash }) => datasetHash, 5],
];

describe("a revocation", () => {
  it.each(TARGETS)("of a %s names the rows, the adapter and the decision that it touches", (kind, targetOf, rows) =>
    withChain(async (chain) => {
      const { home, clock, datasetHash, adapterHash, comparisonHash } = chain;
      const target = targetOf(chain);
      const planned = await revoke(home, { target, reason: because, isDryRun: true, clock });
      expect(await revokedEntries(home)).toEqual([]);
      const report = await revoke(home, { target, reason: because, clock });
      expect(report).toEqual({ ...planned, isDryRun: false });
      expect(report).toMatchObject({
        ...{ kind, target, wasRevoked: false },
        datasets: [{ datasetHash, rows, of: 5, isCertain: true }],
        adapters: [{ adapterHash, name: "sql-v1", datasetHash }],
        decisions: [{ comparisonHash, adapterHash, verdict: "better" }],
      });
      expect(await revokedEntries(home)).toEqual([{ kind, target, reason: because }]);
    }),
  );

  it("perhaps touches a dataset whose labels are a role's rule, which looks at attempts beyond the rows' own", () =>
    withChain(async ({ home, datasetHash, runs }) => {
      const dataset = await readDatasetManifest(home, datasetHash);
      const other = { kind: "attempt" as const, target: `${runs[0]?.run}/sql:shop/other/1`, reason: because };
      await withGraph(home, async (graph) => {
        expect(await taintOf(graph, dataset, [other])).toBeNull();
        const judged = await taintOf(graph, { ...dataset, rules: ["selected-solved", "verdict"] }, [other]);
        expect(judged).toEqual({ by: [{ ...other, rows: 0 }], rows: 0, isCertain: false });
      });
    }));

  it("of a dataset taints it and what was trained on it, and neither its successor nor its rows elsewhere", () =>
    withChain(async ({ home, clock, datasetHash, adapterHash }) => {
      await revoke(home, { target: datasetHash.slice(0, 12), reason: because, clock });
      expect(await revokedEntries(home)).toEqual([{ kind: "dataset", target: datasetHash, reason: because }]);
      const { datasetHash: next, replaces } = await rebuildDataset({ dataset: datasetHash }, { home, clock });
      expect([replaces, next === datasetHash]).toEqual([datasetHash, false]);
      const old = await readDatasetManifest(home, datasetHash);
      await withGraph(home, async (graph) => {
        expect(await taintedDatasets(graph)).toEqual(new Map([[datasetHash, { isCertain: true }]]));
        expect(await taintOf(graph, await readDatasetManifest(home, next))).toBeNull();
        const by = [{ kind: "dataset", target: datasetHash, reason: because, rows: 5 }];
        expect(await taintOfLineage(graph, adapterHash)).toEqual({
          tainted: [{ datasetHash, by, isCertain: true }],
          gone: [],
        });
        const [gone] = (await taintOfLineage({ ...graph, datasets: [] }, adapterHash)).tainted;
        expect(gone).toMatchObject({ datasetHash, by: [{ kind: "dataset", rows: null }] });
        expect(await taintOf(graph, { ...old, datasetHash: next, files: [] })).toBeNull();
      });
      const promotion = promote(home, { adapter: "sql-v1", place: placeOf("sql"), override: "yes", clock });
      await expect(promotion).rejects.toMatchObject({ code: "TAINTED_ADAPTER" });
    }));

  it("is said once: the second one tells the first reason and writes nothing", () =>
    withChain(async ({ home, clock }) => {
      await revoke(home, { target: TIP, reason: because, clock });
      const again = await revoke(home, { target: TIP, reason: "another reason", clock });
      expect(again).toMatchObject({ wasRevoked: true, reason: because });
      expect(again.datasets).toHaveLength(1);
      expect(await revokedEntries(home)).toHaveLength(1);
    }));

  it("touches the decisions that a run was an arm of, and nothing where nothing was made of it", () =>
    withChain(async ({ home, clock, comparisonHash }) => {
      const { run, turns } = await writeRun(home, { number: 9, attempts: [{ item: "shop/z" }] });
      const attempt = turns[0]?.split("#", 1)[0] ?? "";
      const none = await revoke(home, { target: attempt, reason: because, clock });
      expect([none.datasets, none.adapters, none.decisions]).toEqual([[], [], []]);
      expect((await revoke(home, { target: run, reason: because, clock })).decisions).toEqual([]);
      const arm = (await revoke(home, { target: "20261101-120003-0000", reason: because, clock })).decisions;
      expect(arm.map((one) => one.comparisonHash)).toEqual([comparisonHash]);
    }));

  it.each([
    ["an unknown run", "20261101-120001-0001", "UNKNOWN_RUN", /did you mean "20261101-120001-0000"/],
    ["an unknown attempt", "20261101-120001-0000/sql:shop/a/7", "UNKNOWN_ATTEMPT", /sql:shop\/a\/1"/],
    ["an attempt of an unknown run", "20261101-120011-0000/sql:shop/a/1", "UNKNOWN_ATTEMPT", undefined],
    ["an unknown tip", "tip-0123456789abcdee", "UNKNOWN_TIP", /tip-0123456789abcdef/],
    ["an unknown verifier", "other@2", "UNKNOWN_VERIFIER", /"other@1"/],
    [
      "a turn",
      "20261101-120001-0000/sql:shop/a/1#1",
      "NOT_REVOCABLE",
      /lineage '20261101-120001-0000\/sql:shop\/a\/1#1'$/,
    ],
    ["an item, whose attempts are", "sql:shop/a", "NOT_REVOCABLE", /lineage 'sql:shop\/a'$/],
    ["an adapter", "sql-v1", "NOT_REVOCABLE", /lineage/],
    ["what has the form of nothing", "'; DROP TABLE x; --", "UNKNOWN_NAME", undefined],
    ["a text of a million characters", `a${"/".repeat(1e6)}@${"#".repeat(1e3)}`, "UNKNOWN_VERIFIER", undefined],
    ["a NUL and a lone surrogate", "tip\u0000\ud800", "UNKNOWN_NAME", undefined],
  ])("of %s is refused, with the nearest ones, and nothing is written", (_, target, code, fix) =>
    withChain(async ({ home, clock }) => {
      const refusal = await revoke(home, { target, reason: because, clock }).catch((error) => error);
      expect(refusal).toMatchObject({ name: "Refusal", code });
      if (fix !== undefined) expect(refusal.details.fix).toMatch(fix);
      expect(refusal.message.length).toBeLessThan(500);
      expect(await revokedEntries(home)).toEqual([]);
    }),
  );

  it("without a reason is refused", () =>
    withChain(async ({ home, clock }) => {
      await expect(revoke(home, { target: TIP, reason: " \n", clock })).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    }));

  it("of an attempt whose run is not sealed is refused with that", () =>
    withRuns(async ({ home, clock }) => {
      const { turns } = await writeRun(home, { number: 4, isUnfinished: true, attempts: [{ item: "shop/x" }] });
      const target = turns[0]?.split("#", 1)[0] ?? "";
      await expect(revoke(home, { target, reason: because, clock })).rejects.toMatchObject({
        code: "UNKNOWN_ATTEMPT",
        details: { where: expect.stringContaining("not sealed") },
      });
    }));
});

describe("taint", () => {
  it("is found out from what the rows were made of, and each dataset is judged by its own", () =>
    withChain(async ({ home, clock, runs, datasetHash }) => {
      const other = await exportDataset({ ...SQL, runs: [runs[1]?.run ?? ""] }, { home, clock });
      sayRevoked(home, "run", runs[0]?.run ?? "");
      sayRevoked(home, "tip", TIP);
      await withGraph(home, async (graph) => {
        expect([...(await taintedDatasets(graph))]).toEqual([[datasetHash, { isCertain: true }]]);
        const [whole, part] = graph.datasets.map((dataset) => taintOf(graph, dataset));
        expect(await whole).toMatchObject({
          rows: 3,
          by: [
            { kind: "run", rows: 3 },
            { kind: "tip", rows: 1 },
          ],
        });
        expect(await part).toBeNull();
        expect(graph.datasets[1]?.datasetHash).toBe(other.datasetHash);
      });
    }));

  it("is told of many revocations as of each alone", () =>
    withChain(({ home, runs }) =>
      withGraph(home, async (graph) => {
        const [dataset] = graph.datasets;
        const absent = Array.from({ length: 20 }, (_, n) => ({
          kind: "verifier" as const,
          target: `v@${n}`,
          reason: "r",
        }));
        const by = [...absent, { kind: "run" as const, target: runs[1]?.run ?? "", reason: "r" }];
        expect(await taintOf(graph, dataset as never, by)).toMatchObject({ rows: 1, by: [{ kind: "run" }] });
        expect(await taintOf(graph, dataset as never, absent)).toBeNull();
      }),
    ));

  it("is refused to be told of a dataset whose rows were edited", () =>
    withChain(async ({ home, clock, datasetHash }) => {
      const path = join(home.datasetFolder(datasetHash), "rows.jsonl");
      const lines = (await readFile(path, "utf8")).split("\n");
      await writeFile(path, lines.filter((line) => !line.includes(TIP)).join("\n"));
      const asked = { target: TIP, reason: because, clock };
      const planning = revoke(home, { ...asked, isDryRun: true });
      await expect(planning).rejects.toMatchObject({ message: expect.not.stringContaining("revoked") });
      const message = expect.stringContaining(`The tip ${TIP} is revoked, but`);
      await expect(revoke(home, asked)).rejects.toMatchObject({ code: "DATASET_CHANGED", message });
      expect(await revokedEntries(home)).toHaveLength(1);
      await writeFile(path, `${TIP} ${lines.join("\n")}`);
      await expect(revoke(home, { target: TIP, reason: because, clock })).rejects.toMatchObject({
        code: "DATASET_CHANGED",
        details: { where: `${path}:1` },
      });
      expect(await revokedEntries(home)).toHaveLength(1);
    }));
});

describe("an export after a revocation", () => {
  it("is without the run, says so, and has another hash, while one of other runs keeps its own", () =>
    withRuns(async ({ home, clock, runs }) => {
      const [first, second] = runs.map(({ run }) => run);
      const before = await exportDataset(SQL, { home, clock });
      const ofSecond = await exportDataset({ ...SQL, runs: [second ?? ""] }, { home, clock });
      sayRevoked(home, "run", first ?? "");
      sayRevoked(home, "tip", TIP);
      const after = await exportDataset(SQL, { home, clock });
      expect([before.counts.trainRows, after.counts.trainRows]).toEqual([4, 1]);
      expect(after.refusals).toContainEqual(expect.objectContaining({ reason: "revoked", count: 3 }));
      expect(after.datasetHash).not.toBe(before.datasetHash);
      const again = await exportDataset({ ...SQL, runs: [second ?? ""] }, { home, clock });
      expect(again.datasetHash).toBe(ofSecond.datasetHash);
    }));

  it("has another hash where a tip or a verifier had a part in its runs, and the same where it had none", () =>
    withRuns(async ({ home, clock, runs }) => {
      const hashOf = async (n: number) =>
        (await exportDataset({ ...SQL, runs: [runs[n]?.run ?? ""] }, { home, clock })).datasetHash;
      const [first, second] = [await hashOf(0), await hashOf(1)];
      sayRevoked(home, "tip", TIP);
      expect(await hashOf(1)).toBe(second);
      const tipless = await hashOf(0);
      expect(tipless).not.toBe(first);
      sayRevoked(home, "verifier", "other@1");
      expect(await hashOf(0)).toBe(tipless);
      await expect(hashOf(1)).rejects.toMatchObject({ code: "EMPTY_SELECTION" });
    }));

  it("takes an attempt back once another version of the verifier has judged it", () =>
    withRuns(async ({ home, clock, runs }) => {
      const { run, turns } = runs[1] as never as { run: never; turns: string[] };
      const options = { ...SQL, runs: [run as string] };
      sayRevoked(home, "verifier", "other@1");
      await expect(exportDataset(options, { home, clock })).rejects.toMatchObject({ code: "EMPTY_SELECTION" });
      const verdict = { ...sampleVerdict(true), verifier: { id: "other", version: "2" } };
      const attempt = turns[0]?.split("#", 1)[0] as never;
      appendLedger(home, { type: "verdict_given", data: { run, attempt, origin: "reverify", verdict } }, clock);
      const { counts, folder } = await exportDataset(options, { home, clock });
      expect(counts.trainRows).toBe(1);
      expect(await readFile(join(folder, "rows.jsonl"), "utf8")).toContain('"verifiers":["other@2"]');
    }));
});

describe("a rebuilt dataset", () => {
  it("is the old one without what is revoked, names it, and is not tainted", () =>
    withChain(async ({ home, clock, datasetHash }) => {
      sayRevoked(home, "tip", TIP);
      const made = await rebuildDataset({ dataset: datasetHash.slice(0, 8) }, { home, clock });
      expect(made).toMatchObject({ replaces: datasetHash, rowsBefore: 5, taint: { rows: 1 } });
      const [old, successor] = await Promise.all(
        [datasetHash, made.datasetHash].map((hash) => readDatasetManifest(home, hash)),
      );
      expect(successor).toMatchObject({ replaces: datasetHash, settings: old?.settings, filter: old?.filter });
      expect(made.counts.trainRows + made.counts.validationRows).toBe(4);
      const again = await rebuildDataset({ dataset: datasetHash }, { home, clock });
      expect(again.datasetHash).toBe(made.datasetHash);
      await expect(rebuildDataset({ dataset: made.datasetHash }, { home, clock })).rejects.toMatchObject({
        code: "NOT_TAINTED",
      });
    }));

  it("is refused where nothing is revoked, unless it is forced, and where nothing is left", () =>
    withChain(async ({ home, clock, runs, datasetHash }) => {
      await expect(rebuildDataset({ dataset: datasetHash }, { home, clock })).rejects.toMatchObject({
        code: "NOT_TAINTED",
        details: { fix: expect.stringContaining("--force") },
      });
      const forced = await rebuildDataset({ dataset: datasetHash, isForced: true }, { home, clock });
      expect(forced).toMatchObject({ taint: null, counts: { trainRows: 4 } });
      for (const { run } of runs) sayRevoked(home, "run", run);
      await expect(rebuildDataset({ dataset: datasetHash }, { home, clock })).rejects.toMatchObject({
        code: "EMPTY_SELECTION",
        details: {
          got: expect.stringContaining("revoked 5"),
          fix: expect.stringMatching(/tracemill export --skills sql$/),
        },
      });
    }));
});

describe("a process that is killed while it revokes", () => {
  it(
    "has revoked once or not at all, and the same command finishes the work",
    () =>
      withChain(async ({ home, clock }) => {
        for (const delayMs of [0, 300, 600, 900, 1200]) {
          const words = ["revoke", TIP, "--reason", because, "--json", "--home", home.path];
          const child = spawn(process.execPath, [join(PACKAGE_FOLDER, "src", "cli.ts"), ...words], { stdio: "ignore" });
          const timer = setTimeout(() => child.kill("SIGKILL"), delayMs);
          await once(child, "close");
          clearTimeout(timer);
          expect((await verifyHome(home)).isSound).toBe(true);
          expect((await revokedEntries(home)).length).toBeLessThanOrEqual(1);
        }
        const report = await revoke(home, { target: TIP, reason: because, clock });
        expect(report.datasets).toHaveLength(1);
        expect(await revokedEntries(home)).toEqual([{ kind: "tip", target: TIP, reason: because }]);
      }),
    60_000,
  );
});
