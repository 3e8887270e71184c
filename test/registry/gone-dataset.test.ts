/** A dataset whose folder was removed, while an adapter of it is here. */
import { rm } from "node:fs/promises";
import { expect, it } from "vitest";
import { lineageOf } from "../../src/registry/index.ts";
import { revoke } from "../../src/registry/revoke.ts";
import { withChain } from "./setting.ts";

it("has its lineage, and can be revoked with what was trained on it", () =>
  withChain(async ({ home, clock, datasetHash, adapterHash, comparisonHash }) => {
    await rm(home.datasetFolder(datasetHash), { recursive: true });
    expect(await lineageOf(home, datasetHash.slice(0, 8))).toMatchObject({
      node: { kind: "dataset", id: datasetHash, facts: { state: "gone" } },
      down: [{ kind: "adapter", id: adapterHash }],
    });
    const report = await revoke(home, { target: datasetHash, reason: "its rows were chosen by mistake", clock });
    expect(report).toMatchObject({
      ...{ kind: "dataset", target: datasetHash, datasets: [] },
      adapters: [{ adapterHash, datasetHash, isCertain: true }],
      decisions: [{ comparisonHash }],
    });
    expect((await lineageOf(home, adapterHash)).node.mark).toMatchObject({ kind: "tainted" });
  }));
