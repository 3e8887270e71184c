/**
 * Lineage: for one thing, what it was made from and what was made of it, as two trees. What there may be a million of (a
 * dataset's rows, a run's attempts) is counted on the way and named only where few are.
 */
import type { Lineage } from "../records/lineage.ts";
import type { Home } from "../store/home.ts";
import { openGraph } from "./graph.ts";
import { knownThing } from "./known.ts";
import { nodeOf } from "./lineage-nodes.ts";
import { madeFrom } from "./made-from.ts";
import { taintedDatasets, taintedWriters } from "./taint.ts";
import { usedBy } from "./used-by.ts";

/**
 * Walks both ways from a row, dataset, adapter, decision, run, item, attempt, turn, tip or verifier, named as a user names it.
 * Throws: as `knownThing`; `DATASET_CHANGED`.
 */
export async function lineageOf(home: Home, name: string): Promise<Lineage> {
  const graph = await openGraph(home);
  try {
    const thing = await knownThing(graph, name);
    const tainted = await taintedDatasets(graph);
    const marked = { graph, tainted, writers: await taintedWriters(graph, tainted) };
    const up = await madeFrom(marked, thing);
    const down = await usedBy(marked, thing);
    return { node: nodeOf(marked, thing), up, down };
  } finally {
    await graph.close();
  }
}
