/**
 * `tracemill revoke`, `lineage` and `dataset rebuild` as a user types them, and what other commands say of taint.
 */
import { rm } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Context } from "../../src/commands/command.ts";
import { exportDataset } from "../../src/commands/export.ts";
import { warnOfTaint } from "../../src/commands/taint.ts";
import { trainOn } from "../../src/commands/train.ts";
import { shortHash } from "../../src/foundation/hashing.ts";
import type { Home } from "../../src/store/home.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { putAdapter, revokedEntries, SQL, sayRevoked, TIP, withChain } from "../registry/setting.ts";

function contextOf(home: Home): { context: Context; told: () => string } {
  const stderr = new PassThrough();
  const { signal } = new AbortController();
  const stream = stderr as unknown as NodeJS.WriteStream;
  const context = { home, clock: () => new Date(), stdout: stream, stderr: stream, isJson: false, signal };
  return { context, told: () => String(stderr.read() ?? "") };
}

describe("tracemill revoke", () => {
  it(
    "lists what it touches, first without writing, then once",
    () =>
      withChain(async ({ home, runs, datasetHash, comparisonHash }) => {
        const run = runs[0]?.run ?? "";
        const words = ["revoke", run, "--reason", "the database was empty"];
        const planned = await tracemill(home, ...words, "--dry-run");
        expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
        expect(planned.stdout).toContain(`The run ${run} would be revoked: the database was empty`);
        expect(planned.stdout).toContain(`dataset ${shortHash(datasetHash)}: 3 of 5 rows; tracemill dataset rebuild`);
        expect(planned.stdout).toContain(`adapter sql-v1: trained on ${shortHash(datasetHash)}, tainted`);
        expect(planned.stdout).toContain(`decision ${shortHash(comparisonHash)}: better`);
        expect(await revokedEntries(home)).toEqual([]);
        const { stdout } = await tracemill(home, ...words, "--json");
        expect(JSON.parse(stdout)).toMatchObject({
          kind: "run",
          target: run,
          wasRevoked: false,
          datasets: [{ rows: 3 }],
        });
        expect((await tracemill(home, ...words)).stdout).toContain("is revoked already");
        expect(await revokedEntries(home)).toHaveLength(1);
      }),
    60_000,
  );

  it(
    "refuses a target that is not there with exit code 2, and needs a reason",
    () =>
      withChain(async ({ home }) => {
        const unknown = await tracemill(home, "revoke", "other@3", "--reason", "x");
        expect(unknown.exitCode).toBe(2);
        expect(unknown.stderr).toMatch(/^UNKNOWN_VERIFIER: [\s\S]*did you mean "other@1"/);
        const reasonless = await tracemill(home, "revoke", TIP);
        expect([reasonless.exitCode, reasonless.stderr]).toEqual([2, expect.stringContaining("--reason is missing")]);
      }),
    60_000,
  );
});

describe("what is tainted", () => {
  it(
    "is marked in datasets, status and lineage, and status says what mends it",
    () =>
      withChain(async ({ home, datasetHash }) => {
        expect((await tracemill(home, "status")).stdout).not.toContain("TAINTED");
        sayRevoked(home, "tip", TIP);
        expect((await tracemill(home, "datasets")).stdout).toMatch(/, for smollm2 {2}TAINTED$/m);
        const status = (await tracemill(home, "status")).stdout;
        expect(status.match(/[0-9a-f]{12} TAINTED/g)).toHaveLength(2);
        expect(status).toContain(`next: tracemill dataset rebuild ${shortHash(datasetHash)}`);
        const { stdout } = await tracemill(home, "lineage", "sql-v1");
        expect(stdout).toMatch(/^adapter .*TAINTED\n {2}made from\n {4}dataset .*TAINTED/);
        expect(stdout).toMatch(/tip tip-0123456789abcdef {2}rows 1 {2}REVOKED: it was bad/);
        const { node } = JSON.parse((await tracemill(home, "lineage", datasetHash, "--json")).stdout);
        expect(node.mark).toEqual({ kind: "tainted", isCertain: true });
      }),
    60_000,
  );

  it(
    "is not trained on, until it is rebuilt",
    () =>
      withChain(async ({ home, datasetHash }) => {
        sayRevoked(home, "tip", TIP);
        const { context } = contextOf(home);
        await expect(trainOn({ dataset: datasetHash, base: "smollm2" }, context)).rejects.toMatchObject({
          code: "TAINTED_DATASET",
          details: {
            got: `1 of 5 rows is of the tip ${TIP} (it was bad)`,
            fix: expect.stringContaining(`tracemill dataset rebuild ${shortHash(datasetHash)}`),
          },
        });
        const rebuilt = await tracemill(home, "dataset", "rebuild", shortHash(datasetHash));
        expect(rebuilt.stdout).toMatch(/^dataset [0-9a-f]{12} replaces [0-9a-f]{12}: 4 rows, where that has 5\n/);
        const successor = rebuilt.stdout.slice("dataset ".length, "dataset ".length + 12);
        await expect(trainOn({ dataset: successor, base: "absent" }, context)).rejects.toMatchObject({
          code: "UNKNOWN_BASE",
        });
        const again = await tracemill(home, "dataset", "rebuild", successor);
        expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining("NOT_TAINTED")]);
      }),
    60_000,
  );

  it("is warned of where an adapter of it is served or judged, as is a lineage that may hold one, and nothing else is", () =>
    withChain(async ({ home, clock, runs, datasetHash, adapterHash }) => {
      const { context, told } = contextOf(home);
      const { datasetHash: clean } = await exportDataset({ ...SQL, runs: [runs[1]?.run] as never }, { home, clock });
      await putAdapter(home, clean, { name: "clean" });
      await putAdapter(home, "0".repeat(64) as never, { name: "of-a-dataset-that-is-gone" });
      const names = [adapterHash, "of-a-dataset-that-is-gone", "clean"];
      await warnOfTaint(names, context);
      expect(told()).toBe("");
      sayRevoked(home, "tip", TIP);
      await warnOfTaint(names, context);
      const gone = "may have learned from what is revoked: the dataset 000000000000 of its lineage is gone.";
      expect(told().trimEnd().split("\n")).toEqual([
        expect.stringMatching(new RegExp(`^Warning: the adapter sql-v1 .* tainted dataset ${shortHash(datasetHash)}`)),
        `Warning: the adapter of-a-dataset-that-is-gone ${gone}`,
      ]);
    }));

  it("is a dataset that is revoked and gone since, and what was trained on it", () =>
    withChain(async ({ home, datasetHash }) => {
      const { context, told } = contextOf(home);
      sayRevoked(home, "dataset", datasetHash);
      await rm(home.datasetFolder(datasetHash), { recursive: true });
      await warnOfTaint(["sql-v1"], context);
      expect(told()).toContain(`was trained on the tainted dataset ${shortHash(datasetHash)};`);
    }));

  it("is passed on to the adapter that went on from another, which nothing may go on from", () =>
    withChain(async ({ home, datasetHash, adapterHash, runs }) => {
      const { context, told } = contextOf(home);
      const { datasetHash: clean } = await exportDataset(
        { ...SQL, runs: [runs[1]?.run, runs[2]?.run] as never },
        context,
      );
      await putAdapter(home, clean, { name: "sql-v2", parent: adapterHash });
      await warnOfTaint(["sql-v2"], context);
      expect(told()).toBe("");
      sayRevoked(home, "tip", TIP);
      await warnOfTaint(["sql-v2"], context);
      expect(told()).toMatch(
        /^Warning: the adapter sql-v2 goes on from sql-v1, which was trained on the tainted dataset/,
      );
      const goOn = trainOn({ dataset: clean, base: "smollm2", method: "sft", from: "sql-v2" }, context);
      await expect(goOn).rejects.toMatchObject({
        code: "TAINTED_PARENT",
        details: { fix: expect.stringContaining(`tracemill dataset rebuild ${shortHash(datasetHash)}`) },
      });
    }));
});
