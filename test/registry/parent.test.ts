import { describe, expect, it } from "vitest";
import type { Hash } from "../../src/foundation/hashing.ts";
import type { LineageNode } from "../../src/records/lineage.ts";
import { down, up } from "../../src/registry/graph.ts";
import { lineageOf, revoke } from "../../src/registry/index.ts";
import { type Chain, putAdapter, sayRevoked, TIP, withChain, withGraph } from "./setting.ts";

interface Family extends Chain {
  child: Hash;
  grandchild: Hash;
}

const OTHER_DATASET = "0".repeat(64) as Hash;

/** The chain with an adapter that went on from its own, on a dataset that is gone, and one that went on from that. */
function withFamily<T>(use: (family: Family) => Promise<T>): Promise<T> {
  return withChain(async (chain) => {
    const { home, adapterHash } = chain;
    const child = await putAdapter(home, OTHER_DATASET, { name: "sql-v2", parent: adapterHash });
    const grandchild = await putAdapter(home, OTHER_DATASET, { name: "sql-v3", parent: child });
    return use({ ...chain, child, grandchild });
  });
}

async function all<T>(things: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of things) found.push(one);
  return found;
}

function flat(nodes: readonly LineageNode[]): string[] {
  return nodes.flatMap((node) => [node.id, ...flat(node.nodes)]);
}

describe("an adapter that went on from another", () => {
  it("is below it as that is above", () =>
    withFamily(({ home, adapterHash, child, comparisonHash }) =>
      withGraph(home, async (graph) => {
        expect(await all(up(graph, { kind: "adapter", id: child }))).toEqual([
          { kind: "dataset", id: OTHER_DATASET },
          { kind: "adapter", id: adapterHash },
        ]);
        expect(await all(down(graph, { kind: "adapter", id: adapterHash }))).toEqual([
          { kind: "adapter", id: child },
          { kind: "decision", id: comparisonHash },
        ]);
      }),
    ));

  it("leads up to the runs of the first one, and down from them to the last", () =>
    withFamily(async ({ home, runs, datasetHash, adapterHash, child, grandchild, comparisonHash }) => {
      const of = await lineageOf(home, "sql-v3");
      expect(flat(of.up).slice(0, 5)).toEqual([OTHER_DATASET, child, OTHER_DATASET, adapterHash, datasetHash]);
      expect(flat(of.up)).toContain(runs[0]?.run);
      const from = await lineageOf(home, runs[0]?.run ?? "");
      expect(flat(from.down)).toEqual([datasetHash, adapterHash, child, grandchild, comparisonHash]);
      const parent = await lineageOf(home, "sql-v1");
      expect(flat(parent.down)).toEqual([child, grandchild, comparisonHash]);
    }));

  it("is tainted as soon as the first one is, and a revocation names it", () =>
    withFamily(async ({ home, clock, adapterHash, child, grandchild }) => {
      expect((await lineageOf(home, "sql-v3")).node.mark).toBeNull();
      const planned = await revoke(home, { target: TIP, reason: "wrong", isDryRun: true, clock });
      expect(planned.adapters.map((one) => one.adapterHash)).toEqual([adapterHash, child, grandchild]);
      sayRevoked(home, "tip", TIP);
      for (const name of ["sql-v1", "sql-v2", "sql-v3"]) {
        expect((await lineageOf(home, name)).node.mark).toEqual({ kind: "tainted", isCertain: true });
      }
    }));
});
