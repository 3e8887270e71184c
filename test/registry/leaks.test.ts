import { expect, test } from "vitest";
import { exportDataset } from "../../src/commands/export.ts";
import type { Hash } from "../../src/foundation/hashing.ts";
import { shortHash } from "../../src/foundation/hashing.ts";
import { leaksOf } from "../../src/registry/leaks.ts";
import type { RunDraft } from "../curate/written-run.ts";
import { writeRun } from "../curate/written-run.ts";
import { type Chain, putAdapter, RUNS, SQL, withChain, withGraph } from "./setting.ts";

const families = (...names: string[]) => new Set(names);
const judging = (...names: string[]) => [{ skill: "sql", split: "test" as const, families: families(...names) }];

/** The runs of every test, the first of which has learnt the tip that stands in a prompt of it. */
const [first, ...others] = RUNS as [RunDraft, ...RunDraft[]];
const KNOWN: RunDraft[] = [{ ...first, savesTip: "shop" }, ...others];

const GONE = "0".repeat(64) as Hash;

test("an adapter has seen the families of its rows, and those of no other skill", () =>
  withChain(async ({ home, adapterHash }) => {
    await withGraph(home, async (graph) => {
      const dataset = graph.datasets[0];
      const [{ family } = { family: "" }] = dataset?.byFamily ?? [];
      expect(family).not.toBe("");
      const leaks = await leaksOf(graph, adapterHash, judging(family, "nowhere"));
      expect(leaks).toEqual([`${family} of sql (dataset ${dataset?.datasetHash.slice(0, 12)})`]);
      expect(await leaksOf(graph, adapterHash, [{ skill: "cron", split: "test", families: families(family) }])).toEqual(
        [],
      );
      expect(await leaksOf(graph, adapterHash, judging("nowhere"))).toEqual([]);
    });
  }, KNOWN));

test("rows that only watched its training are seen, but for a comparison on the validation split", () =>
  withChain(async ({ home, adapterHash, datasetHash }) => {
    await withGraph(home, async (graph) => {
      const [dataset] = graph.datasets;
      const partsOf = (name: string) =>
        dataset?.byFamily.filter(({ family }) => family === name).map(({ part }) => part);
      expect([partsOf("moon"), partsOf("shop")]).toEqual([["validation"], ["train"]]);
      const on = (split: "test" | "validation") =>
        leaksOf(graph, adapterHash, [{ skill: "sql", split, families: families("moon", "shop") }]);
      const [moon, shop] = ["moon", "shop"].map((family) => `${family} of sql (dataset ${shortHash(datasetHash)})`);
      expect(await on("test")).toEqual([moon, shop]);
      expect(await on("validation")).toEqual([shop]);
    });
  }, KNOWN));

test("what it went on from has been seen too, and where that is gone nobody knows of more", () =>
  withChain(async ({ home, adapterHash, datasetHash }) => {
    const child = await putAdapter(home, datasetHash, { name: "child", parent: adapterHash, skills: ["cron"] });
    const orphan = await putAdapter(home, datasetHash, { name: "orphan", parent: GONE });
    await withGraph(home, async (graph) => {
      const family = graph.datasets[0]?.byFamily[0]?.family ?? "";
      expect(await leaksOf(graph, child, judging(family))).toHaveLength(1);
      expect(await leaksOf(graph, orphan, judging("nowhere"))).toBeNull();
      expect(await leaksOf(graph, orphan, judging(family))).toHaveLength(1);
      expect(await leaksOf({ ...graph, datasets: [] }, adapterHash, judging(family))).toBeNull();
    });
  }, KNOWN));

test("a tip is of the family that it was learnt in, and one that the lake does not know is of any", () =>
  withChain(
    async ({ home, adapterHash }) => {
      await withGraph(home, async (graph) => {
        expect(await leaksOf(graph, adapterHash, judging("forest"))).toHaveLength(1);
        expect(await leaksOf(graph, adapterHash, judging("nowhere"))).toEqual([]);
      });
    },
    [{ ...first, savesTip: "forest" }, ...others],
  ));

test("a family is found again whose name lost a secret in the dataset, and is told from one that only reads alike", () =>
  withChain(
    async ({ home, adapterHash }) => {
      await withGraph(home, async (graph) => {
        const [dataset] = graph.datasets;
        expect(dataset?.byFamily.map(({ family }) => family)).toEqual(["/home/<USER_1>/sums"]);
        const leaks = await leaksOf(graph, adapterHash, judging("/home/alice/sums", "/home/robert/sums"));
        expect(leaks).toEqual([`/home/alice/sums of sql (dataset ${shortHash(dataset?.datasetHash ?? "")})`]);
        expect(await leaksOf(graph, adapterHash, judging("/home/robert/sums", "/home/alice/other"))).toEqual([]);
        const unsaid = graph.datasets.map((one) => ({ ...one, files: [] }));
        expect(await leaksOf({ ...graph, datasets: unsaid }, adapterHash, judging("/home/alice/sums"))).toBeNull();
      });
    },
    [{ attempts: [{ item: "sums/a", family: "/home/alice/sums" }] }],
  ));

test("a tip in a prompt that no run here has learnt leaves it open what was seen", () =>
  withChain(({ home, adapterHash }) =>
    withGraph(home, async (graph) => {
      expect(await leaksOf(graph, adapterHash, judging("nowhere"))).toBeNull();
    }),
  ));

/** A run whose one answer an adapter, or a model of that name, wrote; a dataset of it, and an adapter of that. */
async function taught(place: Chain, writer: { adapterHash?: Hash; model?: string }, number = 4) {
  const attempts = [{ item: `cave/${number}`, query: `SELECT ${number}`, ...writer }];
  const { run } = await writeRun(place.home, { number, attempts });
  const { datasetHash } = await exportDataset({ ...SQL, runs: [run] }, place);
  return putAdapter(place.home, datasetHash, { name: `pupil-${number}` });
}

test("what the adapters have seen that wrote its rows may have come down to it", () =>
  withChain(async (chain) => {
    const { home, adapterHash, datasetHash } = chain;
    const pupil = await taught(chain, { adapterHash });
    const itsPupil = await taught(chain, { adapterHash: pupil }, 5);
    const named = await taught(chain, { model: "sql-v1" }, 6);
    const leak = `shop of sql (dataset ${shortHash(datasetHash)} of sql-v1, which wrote rows)`;
    await withGraph(home, async (graph) => {
      for (const one of [pupil, itsPupil, named]) {
        expect(await leaksOf(graph, one, judging("shop"))).toEqual([leak]);
        expect(await leaksOf(graph, one, judging("nowhere"))).toEqual([]);
      }
    });
  }, KNOWN));

test("of a writer that is gone, and of a run that is, nobody knows what they have seen", () =>
  withChain(async (chain) => {
    const pupil = await taught(chain, { adapterHash: GONE });
    await withGraph(chain.home, async (graph) => {
      expect(await leaksOf(graph, pupil, judging("nowhere"))).toBeNull();
      const lost = graph.datasets.map((one) => ({
        ...one,
        inputs: {
          ...one.inputs,
          runs: one.inputs.runs.map((run) => ({ ...run, run: "20200101-000000-0000" as never })),
        },
      }));
      expect(await leaksOf({ ...graph, datasets: lost }, chain.adapterHash, judging("nowhere"))).toBeNull();
    });
  }, KNOWN));
