import { expect, test } from "vitest";
import { exportDataset } from "../../src/commands/export.ts";
import { warnOfTaint } from "../../src/commands/taint.ts";
import { lineageOf, promote, revoke } from "../../src/registry/index.ts";
import { writeRun } from "../curate/written-run.ts";
import { type Chain, putAdapter, putDecision, SQL, sayRevoked, TIP, withChain } from "./setting.ts";

/** A dataset of two rows, one of them written by the chain's adapter, and an adapter of it. */
async function withPupil(chain: Chain) {
  const { home, adapterHash } = chain;
  const attempts = [
    { item: "cave/a", query: "SELECT 7", adapterHash },
    { item: "cave/b", query: "SELECT 8" },
  ];
  const { run } = await writeRun(home, { number: 4, attempts });
  const { datasetHash } = await exportDataset({ ...SQL, runs: [run] }, chain);
  return { run, taughtOn: datasetHash, pupil: await putAdapter(home, datasetHash, { name: "pupil" }) };
}

test("the adapter that wrote rows is above their dataset, and the dataset below it", () =>
  withChain(async (chain) => {
    const { taughtOn } = await withPupil(chain);
    const { up } = await lineageOf(chain.home, taughtOn);
    expect(up.filter(({ kind }) => kind === "adapter")).toMatchObject([{ id: chain.adapterHash, facts: { wrote: 1 } }]);
    const { down } = await lineageOf(chain.home, "sql-v1");
    expect(down.filter(({ kind }) => kind === "dataset")).toMatchObject([{ id: taughtOn, facts: { wrote: 1 } }]);
  }));

test("an adapter of rows that a tainted one wrote is told of, and refused nothing", () =>
  withChain(async (chain) => {
    const { home, clock, adapterHash } = chain;
    const { run, pupil } = await withPupil(chain);
    expect((await lineageOf(home, "pupil")).node.mark).toBeNull();
    const report = await revoke(home, { target: TIP, reason: "wrong", isDryRun: true, clock });
    expect(report.adapters.map((one) => one.adapterHash)).toEqual([adapterHash]);
    expect(report.written).toEqual([{ adapterHash: pupil, name: "pupil", writer: adapterHash }]);
    sayRevoked(home, "tip", TIP);
    expect((await lineageOf(home, "pupil")).node.mark).toEqual({ kind: "written-by", adapterHash });
    let told = "";
    const stderr = { write: (text: string) => (told += text) };
    await warnOfTaint(["pupil"], { home, clock, stderr } as never);
    expect(told).toContain(
      `the adapter pupil learned from rows that ${adapterHash.slice(0, 12)} wrote, which is tainted`,
    );
    await putDecision(home, { adapterHash: pupil, run, skill: "sql", number: 2 });
    const place = { skill: "sql", role: null };
    expect(await promote(home, { adapter: "pupil", place, clock })).toMatchObject({
      adapterHash: pupil,
      override: null,
    });
  }));
