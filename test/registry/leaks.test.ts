import { expect, test } from "vitest";
import { leaksOf } from "../../src/registry/leaks.ts";
import { putAdapter, withChain, withGraph } from "./setting.ts";

const families = (...names: string[]) => new Set(names);

test("an adapter has seen the families of its rows, and those of no other skill", () =>
  withChain(async ({ home, adapterHash }) => {
    await withGraph(home, async (graph) => {
      const dataset = graph.datasets[0];
      const [{ family } = { family: "" }] = dataset?.byFamily ?? [];
      expect(family).not.toBe("");
      const leaks = await leaksOf(graph, adapterHash, [{ skill: "sql", families: families(family, "nowhere") }]);
      expect(leaks).toEqual([`${family} of sql (dataset ${dataset?.datasetHash.slice(0, 12)})`]);
      expect(await leaksOf(graph, adapterHash, [{ skill: "cron", families: families(family) }])).toEqual([]);
      expect(await leaksOf(graph, adapterHash, [{ skill: "sql", families: families("nowhere") }])).toEqual([]);
    });
  }));

test("what it went on from has been seen too, and where that is gone nothing is known", () =>
  withChain(async ({ home, adapterHash, datasetHash }) => {
    const child = await putAdapter(home, datasetHash, { name: "child", parent: adapterHash, skills: ["cron"] });
    const orphan = await putAdapter(home, datasetHash, {
      name: "orphan",
      parent: "0".repeat(64) as typeof datasetHash,
    });
    await withGraph(home, async (graph) => {
      const family = graph.datasets[0]?.byFamily[0]?.family ?? "";
      const judged = [{ skill: "sql", families: families(family) }];
      expect(await leaksOf(graph, child, judged)).toHaveLength(1);
      expect(await leaksOf(graph, orphan, judged)).toBeNull();
      expect(await leaksOf({ ...graph, datasets: [] }, adapterHash, judged)).toBeNull();
    });
  }));
