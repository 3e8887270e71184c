import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeJsonAtomic } from "../../src/foundation/files.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import type { LineageNode } from "../../src/records/lineage.ts";
import { lineageOf, placeOf, promote, rollback } from "../../src/registry/index.ts";
import { appendLedger, sealedRuns } from "../../src/store/ledger.ts";
import { readRowLineage } from "../../src/store/row-lineage.ts";
import { writeRun } from "../curate/written-run.ts";
import { sampleVerdict } from "../store/sample-run.ts";
import { type Chain, putAdapter, sayRevoked, TIP, withChain, withGraph } from "./setting.ts";

/** Each node of a tree as `kind id`, parents first. */
function flat(nodes: readonly LineageNode[]): string[] {
  return nodes.flatMap((node) => [`${node.kind} ${node.id}`, ...flat(node.nodes)]);
}

function find(nodes: readonly LineageNode[], kind: string): LineageNode | undefined {
  return (
    nodes.find((node) => node.kind === kind) ??
    find(
      nodes.flatMap((node) => node.nodes),
      kind,
    )
  );
}

/** The id of the row that a turn became. */
async function rowOf({ home }: Chain, turn: string): Promise<string> {
  return withGraph(home, async (graph) => {
    for (const dataset of graph.datasets) {
      for await (const row of readRowLineage(home, dataset, [turn])) return row.id;
    }
    return "";
  });
}

describe("the lineage of a row", () => {
  it("leads to its turn, attempt, verdict and run with their places in the log, and down to the decision", () =>
    withChain(async (chain) => {
      const { home, runs, datasetHash, adapterHash, comparisonHash } = chain;
      const [{ run, turns } = { run: "", turns: [""] }] = runs;
      const turn = turns[0] ?? "";
      const { node, up, down } = await lineageOf(home, await rowOf(chain, turn));
      expect(node).toMatchObject({ kind: "row", mark: null });
      const attempt = turn.split("#", 1)[0];
      expect(flat(up)).toEqual([
        ...[`turn ${turn}`, `attempt ${attempt}`, "verdict sql-result-set@1", `run ${run}`],
        ...[`tip ${TIP}`, `tip ${TIP}`, "verifier sql-result-set@1"],
      ]);
      expect(find(up, "run")?.facts).toEqual({ skill: "sql", head: sealedRuns(home).get(run as never)?.head });
      expect(find(up, "turn")?.facts).toMatchObject({ role: "worker", seq: 5 });
      expect(find(up, "verdict")?.facts).toMatchObject({ passed: true, log: "run", seq: 7 });
      expect(flat(down)).toEqual([`dataset ${datasetHash}`, `adapter ${adapterHash}`, `decision ${comparisonHash}`]);
    }));

  it("tells every verdict on its attempt, those of the ledger too, and which verifier is revoked", () =>
    withChain(async (chain) => {
      const { home, clock, runs } = chain;
      const { run, turns } = runs[1] as never as { run: never; turns: string[] };
      const verdict = { ...sampleVerdict(true), verifier: { id: "other", version: "2" } };
      const attempt = turns[0]?.split("#", 1)[0] as never;
      appendLedger(home, { type: "verdict_given", data: { run, attempt, origin: "reverify", verdict } }, clock);
      sayRevoked(home, "verifier", "other@1", "a bug");
      const { up } = await lineageOf(home, await rowOf(chain, turns[0] ?? ""));
      const verdicts = up
        .flatMap(({ nodes }) => nodes)
        .flatMap(({ nodes }) => nodes.filter(({ kind }) => kind === "verdict"));
      expect(verdicts.map(({ id, facts, mark }) => [id, facts.log, mark])).toEqual([
        ["other@1", "run", { kind: "revoked", reason: "a bug" }],
        ["other@2", "ledger", null],
      ]);
    }));

  it("is still told where the log and the lake are gone, as far as the dataset knows", () =>
    withChain(async (chain) => {
      const { home, runs } = chain;
      const [{ run, turns } = { run: "", turns: [""] }] = runs;
      const row = await rowOf(chain, turns[1] ?? "");
      await rm(home.runFolder(run), { recursive: true });
      await rm(home.lake, { recursive: true });
      const { up, down } = await lineageOf(home, row);
      expect(find(up, "turn")).toMatchObject({ id: turns[1], facts: { state: "gone" } });
      expect(find(up, "run")?.id).toBe(run);
      expect(down).toHaveLength(1);
    }));
});

describe("the lineage of what is not a row", () => {
  it("leads from a run to its datasets with their rows counted, and on to the decision", () =>
    withChain(async ({ home, runs, datasetHash, adapterHash, comparisonHash }) => {
      const { up, down } = await lineageOf(home, runs[0]?.run ?? "");
      expect(up).toEqual([]);
      expect(flat(down)).toEqual([`dataset ${datasetHash}`, `adapter ${adapterHash}`, `decision ${comparisonHash}`]);
      expect(down[0]?.facts).toMatchObject({ rows: 3, parts: "3 train", trainRows: 4, validationRows: 1 });
      const arm = await lineageOf(home, runs[2]?.run ?? "");
      expect(arm.down.map(({ kind, facts }) => [kind, facts.parts ?? facts.arm])).toEqual([
        ["dataset", "1 validation"],
        ["decision", "candidate"],
      ]);
    }));

  it("leads from an adapter, by its name, to the runs with their heads, verifiers and tips", () =>
    withChain(async ({ home, runs, datasetHash }) => {
      const { node, up, down } = await lineageOf(home, "sql-v1");
      expect(node).toMatchObject({ kind: "adapter", facts: { name: "sql-v1" } });
      expect(up.map(({ id }) => id)).toEqual([datasetHash]);
      const told = up[0]?.nodes.map(({ kind, id, facts }) => [kind, id, facts.rows]);
      expect(told).toEqual([
        ...[3, 1, 1].map((rows, i) => ["run", runs[i]?.run, rows]),
        ["verifier", "sql-result-set@1", 4],
        ["verifier", "other@1", 1],
        ["tip", TIP, 1],
      ]);
      const heads = sealedRuns(home);
      expect(find(up, "run")?.facts.head).toBe(heads.get(runs[0]?.run as never)?.head);
      expect(down.map(({ kind }) => kind)).toEqual(["decision"]);
    }));

  it("leads from a decision, by its comparison, to the adapter and to the attempts of each arm", () =>
    withChain(async ({ home, runs, adapterHash, comparisonHash }) => {
      const { node, up, down } = await lineageOf(home, comparisonHash.slice(0, 12));
      expect(node).toMatchObject({ kind: "decision", id: comparisonHash, facts: { verdict: "better" } });
      expect(up.map(({ kind, id }) => [kind, id])).toEqual([
        ["adapter", adapterHash],
        ["run", runs[2]?.run],
      ]);
      expect(up[1]?.facts).toMatchObject({ arm: "candidate", passed: 1, of: 1 });
      expect(flat(up[1]?.nodes ?? [])).toEqual([`attempt ${runs[2]?.turns[0]?.split("#", 1)[0]}`]);
      expect(down).toEqual([]);
    }));

  it("leads from an attempt to the decisions on its run, and from an item to its attempts and on to these", () =>
    withChain(async ({ home, runs, datasetHash, adapterHash, comparisonHash }) => {
      const attempt = runs[2]?.turns[0]?.split("#", 1)[0] ?? "";
      const below = [`dataset ${datasetHash}`, `adapter ${adapterHash}`, `decision ${comparisonHash}`];
      const { down } = await lineageOf(home, attempt);
      expect(flat(down)).toEqual([...below, `decision ${comparisonHash}`]);
      expect(down.at(-1)?.facts.arm).toBe("candidate");

      const item = await lineageOf(home, "sql:moon/f");
      expect([item.node.kind, item.up]).toEqual(["item", []]);
      expect(item.down.map(({ kind }) => kind)).toEqual(["dataset", "attempt", "decision"]);
      expect(item.down[1]).toMatchObject({ id: attempt, facts: { attempts: 1 }, nodes: [{ kind: "row" }] });
      const trained = await lineageOf(home, "sql:shop/a");
      expect(trained.down.map(({ kind }) => kind)).toEqual(["dataset", "attempt"]);
    }));

  it("takes what has an @ for an item where there is no such verifier", () =>
    withChain(async ({ home }) => {
      await writeRun(home, { number: 9, attempts: [{ item: "shop/z@2" }] });
      expect((await lineageOf(home, "sql:shop/z@2")).node).toMatchObject({ kind: "item", id: "sql:shop/z@2" });
      expect((await lineageOf(home, "other@1")).node.kind).toBe("verifier");
    }));

  it("tells nothing of a decision that was edited or laid there", () =>
    withChain(async ({ home, runs, adapterHash, comparisonHash }) => {
      const path = join(home.comparisonFolder(comparisonHash), "decision.json");
      const decision = JSON.parse(await readFile(path, "utf8"));
      await writeJsonAtomic(path, { ...decision, verdict: "worse" });
      const laid = { ...decision, comparisonHash: hashText("laid there") };
      await writeJsonAtomic(join(home.comparisonFolder(laid.comparisonHash), "decision.json"), laid);
      const { down } = await lineageOf(home, adapterHash);
      const state = "not the one that the ledger names";
      expect(down.map(({ id, facts }) => [id, facts])).toEqual([[comparisonHash, { state }]]);
      const edited = await lineageOf(home, comparisonHash);
      expect([edited.node.facts, flat(edited.up)[0]]).toEqual([{ state }, `adapter ${adapterHash}`]);
      expect(edited.up).toHaveLength(1);
      const arm = await lineageOf(home, runs[2]?.run ?? "");
      expect(arm.down.map(({ kind }) => kind)).toEqual(["dataset"]);
    }));

  it("leads from an adapter to the places where it was promoted and not rolled back", () =>
    withChain(async ({ home, clock, datasetHash, adapterHash, comparisonHash }) => {
      const second = await putAdapter(home, datasetHash, { name: "sql-v2" });
      const put = (adapter: string, name: string) =>
        promote(home, { adapter, place: placeOf(name), override: "a test", clock });
      for (const name of ["sql", "sql/worker"]) await put(adapterHash, name);
      await put(second, "sql");
      const promotionsOf = async (name: string) => {
        const { down } = await lineageOf(home, name);
        return down.flatMap(({ kind, id, facts }) => (kind === "promotion" ? [[id, facts.isChampion]] : []));
      };
      expect(await promotionsOf("sql-v1")).toEqual([
        ["sql", false],
        ["sql/worker", true],
      ]);
      expect(await promotionsOf("sql-v2")).toEqual([["sql", true]]);
      await rollback(home, { place: placeOf("sql"), clock });
      expect(await promotionsOf("sql-v2")).toEqual([]);
      const { down } = await lineageOf(home, datasetHash.slice(0, 12));
      expect(flat(down).slice(0, 3)).toEqual([
        ...[`adapter ${adapterHash}`, `decision ${comparisonHash}`, "promotion sql"],
      ]);
      expect(find(down, "promotion")?.facts).toMatchObject({ comparisonHash: null, override: "a test" });
    }));

  it("leads from a tip to the attempts that it was rendered in and their rows", () =>
    withChain(async (chain) => {
      const { home, runs, datasetHash } = chain;
      const turn = runs[0]?.turns[0] ?? "";
      const { down } = await lineageOf(home, TIP);
      const row = await rowOf(chain, turn);
      expect(down[0]).toMatchObject({ kind: "dataset", id: datasetHash, facts: { rows: 1, first: [row] } });
      expect(flat(down.slice(1))).toEqual([`attempt ${turn.split("#", 1)[0]}`, `row ${row}`]);
    }));

  it("marks what is revoked, and what was made of it", () =>
    withChain(async ({ home, runs, datasetHash }) => {
      sayRevoked(home, "run", runs[0]?.run ?? "", "a bad day");
      const { node, down } = await lineageOf(home, runs[0]?.run ?? "");
      expect(node.mark).toEqual({ kind: "revoked", reason: "a bad day" });
      expect([down[0]?.mark, down[0]?.nodes[0]?.mark]).toEqual(Array(2).fill({ kind: "tainted", isCertain: true }));
      const dataset = await lineageOf(home, datasetHash.slice(0, 10));
      expect(dataset.up.map(({ mark }) => mark?.kind ?? null).slice(0, 2)).toEqual(["revoked", null]);
    }));

  it.each([
    ["row-0123456789abcdef", "UNKNOWN_ROW", undefined],
    ["sql-v2", "UNKNOWN_NAME", /"sql-v1"/],
    ["", "UNKNOWN_NAME", undefined],
    ["sql:shop/aa", "UNKNOWN_ITEM", /"sql:shop\/a"/],
    ["20261101-120001-0000/sql:shop/a/1#9", "UNKNOWN_TURN", /#1"/],
  ])("is refused of %j, which is not there", (name, code, fix) =>
    withChain(async ({ home }) => {
      const refusal = await lineageOf(home, name).catch((error) => error);
      expect(refusal).toMatchObject({ name: "Refusal", code });
      if (fix !== undefined) expect(refusal.details.fix).toMatch(fix);
    }),
  );
});
