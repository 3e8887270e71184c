import { describe, expect, it } from "vitest";
import { writeJsonAtomic } from "../../src/foundation/files.ts";
import { hashJson } from "../../src/foundation/hashing.ts";
import { random } from "../../src/foundation/random.ts";
import type { Thing } from "../../src/records/lineage.ts";
import { down, type Graph, rowsMadeFrom, up } from "../../src/registry/graph.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { readDatasetManifest } from "../../src/store/manifests.ts";
import type { RunDraft } from "../curate/written-run.ts";
import { withChain, withGraph } from "./setting.ts";

const keyOf = ({ kind, id }: Thing) => `${kind} ${id}`;

/** Everything that is reached from a thing, step by step, without the thing. */
async function reached(graph: Graph, from: Thing, step: typeof up): Promise<Map<string, Thing>> {
  const found = new Map<string, Thing>();
  const waiting = [from];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for await (const one of step(graph, next)) {
      if (found.has(keyOf(one))) continue;
      found.set(keyOf(one), one);
      waiting.push(one);
    }
  }
  return found;
}

/** Runs whose attempts, tips and verifiers a seed decides. */
function drawnRuns(seed: number): RunDraft[] {
  const draw = random("lineage", seed);
  return [1, 2, 3].map((number) => ({
    number,
    attempts: Array.from({ length: draw.integer(2, 4) }, (_, n) => ({
      item: `${["shop", "zoo"][draw.integer(0, 1)]}/${number}${n}`,
      query: `SELECT ${number}${n}`,
      ...(draw.integer(0, 1) === 1 && { tip: "A lesson. " }),
      verdicts: [{ verifier: { id: "check", version: String(draw.integer(1, 2)) } }],
    })),
  }));
}

describe("the graph of what was made from what", () => {
  it.each([1, 2, 3])("has a thing above another exactly where that is below it, runs drawn by seed %i", (seed) =>
    withChain(
      ({ home, datasetHash, adapterHash, comparisonHash }) =>
        withGraph(home, async (graph) => {
          const decision = { kind: "decision" as const, id: comparisonHash };
          const all = await reached(graph, decision, up);
          all.set(keyOf(decision), decision);
          expect([...all.keys()]).toEqual(expect.arrayContaining([`adapter ${adapterHash}`, `dataset ${datasetHash}`]));
          expect(new Set([...all.values()].map(({ kind }) => kind)).size).toBe(9);
          const above = new Map<string, Set<string>>();
          const below = new Map<string, Set<string>>();
          for (const [key, one] of all) {
            above.set(key, new Set((await reached(graph, one, up)).keys()));
            below.set(key, new Set((await reached(graph, one, down)).keys()));
          }
          for (const a of all.keys()) {
            for (const b of all.keys()) {
              expect(above.get(b)?.has(a), `${a} above ${b}`).toBe(below.get(a)?.has(b));
            }
          }
        }),
      drawnRuns(seed),
    ),
  );

  it("finds the same rows in one pass as by walking down step by step", () =>
    withChain(({ home }) =>
      withGraph(home, async (graph) => {
        const things = [
          ...(await reached(graph, { kind: "dataset", id: graph.datasets[0]?.datasetHash ?? "" }, up)).values(),
        ];
        expect(things.map(({ kind }) => kind)).toEqual(
          expect.arrayContaining(["run", "attempt", "turn", "tip", "verifier"]),
        );
        for (const one of things.filter(({ kind }) => kind !== "row")) {
          const walked = [...(await reached(graph, one, down)).values()].filter(({ kind }) => kind === "row");
          const scanned = new Set<string>();
          for await (const { row } of rowsMadeFrom(graph, [one])) scanned.add(row.id);
          expect([...scanned].sort(), keyOf(one)).toEqual(walked.map(({ id }) => id).sort());
        }
      }),
    ));

  it("hangs a joined run's rows on the recorded run, too", () =>
    withChain(async ({ home, runs, datasetHash, clock }) => {
      const [joined, recorded] = [runs[0]?.run ?? "", runs[1]?.run ?? ""] as [never, never];
      appendLedger(home, { type: "run_joined", data: { run: joined, recorded } }, clock);
      await withGraph(home, async (graph) => {
        const below = await reached(graph, { kind: "run", id: recorded }, down);
        expect([...below.keys()]).toEqual(expect.arrayContaining([`run ${joined}`, `dataset ${datasetHash}`]));
        let rows = 0;
        for await (const _ of rowsMadeFrom(graph, [{ kind: "run", id: recorded }])) rows += 1;
        expect(rows).toBe(4);
      });
    }));

  it("hangs a dataset of an earlier version on its runs alone", () =>
    withChain(async ({ home, runs, datasetHash }) => {
      const { datasetHash: _, ...manifest } = await readDatasetManifest(home, datasetHash);
      const older = { ...manifest, files: manifest.files.filter(({ path }) => path !== "rows.jsonl") };
      const oldHash = hashJson(older);
      await writeJsonAtomic(`${home.datasetFolder(oldHash)}/manifest.json`, { datasetHash: oldHash, ...older });
      await withGraph(home, async (graph) => {
        const above = await reached(graph, { kind: "dataset", id: oldHash }, up);
        expect([...above.keys()]).toEqual(runs.map(({ run }) => `run ${run}`));
        for (const { run } of runs) {
          expect((await reached(graph, { kind: "run", id: run }, down)).has(`dataset ${oldHash}`)).toBe(true);
        }
      });
    }));
});
