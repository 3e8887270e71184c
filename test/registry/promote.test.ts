import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import rollbackCommand from "../../src/commands/rollback.ts";
import { systemClock as clock } from "../../src/foundation/clock.ts";
import { shortHash } from "../../src/foundation/hashing.ts";
import type { RunId } from "../../src/records/ids.ts";
import { championFor, placeOf, promote, readChampions, readPlaceEvents, rollback } from "../../src/registry/index.ts";
import { homeAt } from "../../src/store/home.ts";
import { withHome } from "../store/sample-run.ts";
import { type Chain, putAdapter, putDecision, sayRevoked, withChain } from "./setting.ts";

const SQL = placeOf("sql");

/** Says of an adapter that it was trained on the turns of another role than the worker's. */
function setRole({ home, adapterHash }: Pick<Chain, "home" | "adapterHash">, role: string): void {
  const file = join(home.adapterFolder(adapterHash), "manifest.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), role }));
}

/** An adapter that a comparison on `sql` found better. */
function withJudged(use: (chain: Chain) => Promise<void>): Promise<void> {
  return withChain(async (chain) => {
    const { home, adapterHash, runs } = chain;
    await putDecision(home, { adapterHash, run: runs.at(-1)?.run as RunId, skill: "sql" });
    await use(chain);
  });
}

/** A second adapter of the same dataset that a later comparison found better. */
async function successor({ home, datasetHash, runs, adapterHash: champion }: Chain) {
  const adapterHash = await putAdapter(home, datasetHash, { name: "sql-v2" });
  await putDecision(home, { adapterHash, run: runs.at(-1)?.run as RunId, skill: "sql", number: 2, champion });
  return adapterHash;
}

describe("a promotion", () => {
  test("makes the adapter champion by the decision that allows it, and is said once", () =>
    withJudged(async ({ home, adapterHash, comparisonHash }) => {
      const first = await promote(home, { adapter: "sql-v1", place: SQL, clock });
      expect(first).toMatchObject({ adapterHash, comparisonHash, override: null, before: null, wasChampion: false });
      const again = await promote(home, { adapter: shortHash(adapterHash), place: SQL, clock });
      expect(again).toMatchObject({ before: adapterHash, wasChampion: true });
      expect(await readPlaceEvents(home)).toHaveLength(1);
      expect((await readChampions(home)).get("sql")).toMatchObject({ adapterHash, comparisonHash });
    }));

  test("is refused where something else than what answers was beaten", () =>
    withJudged(async (chain) => {
      const { home, datasetHash, runs } = chain;
      await promote(home, { adapter: "sql-v1", place: SQL, clock });
      const adapterHash = await putAdapter(home, datasetHash, { name: "sql-v3" });
      await putDecision(home, { adapterHash, run: runs.at(-1)?.run as RunId, skill: "sql", number: 3 });
      await expect(promote(home, { adapter: "sql-v3", place: SQL, clock })).rejects.toMatchObject({
        code: "OTHER_QUESTION_DECIDED",
        details: { expected: `one against the champion ${shortHash(chain.adapterHash)}, on the test split` },
      });
      expect(await readPlaceEvents(home)).toHaveLength(1);
    }));

  test("is refused of what never beat the base, where nothing is promoted yet", () =>
    withJudged(async (chain) => {
      const { home } = chain;
      await successor(chain);
      await expect(promote(home, { adapter: "sql-v2", place: SQL, clock })).rejects.toMatchObject({
        code: "OTHER_QUESTION_DECIDED",
        details: { expected: "one against the base, on the test split", fix: expect.stringMatching(/--against base$/) },
      });
      expect(await readPlaceEvents(home)).toEqual([]);
    }));

  test("at a narrower place is refused where what answers there until then was not beaten", () =>
    withJudged(async (chain) => {
      const { home, datasetHash, adapterHash: champion, runs } = chain;
      const run = runs.at(-1)?.run as RunId;
      const both = await putAdapter(home, datasetHash, { name: "both", skills: ["cron", "sql"] });
      await promote(home, { adapter: "both", place: placeOf("default"), override: "a test", clock });
      await expect(promote(home, { adapter: "sql-v1", place: SQL, clock })).rejects.toMatchObject({
        code: "OTHER_QUESTION_DECIDED",
        details: { fix: expect.stringContaining(`--against champion --champion ${shortHash(both)}`) },
      });
      await putDecision(home, { adapterHash: champion, run, skill: "sql", number: 2, champion: both });
      expect(await promote(home, { adapter: "sql-v1", place: SQL, clock })).toMatchObject({ before: both });

      const adapterHash = await putAdapter(home, datasetHash, { name: "sql-v3" });
      await putDecision(home, { adapterHash, run, skill: "sql", number: 3 });
      const atRole = () => promote(home, { adapter: "sql-v3", place: placeOf("sql/worker"), clock });
      await expect(atRole()).rejects.toMatchObject({ code: "OTHER_QUESTION_DECIDED" });
      await putDecision(home, { adapterHash, run, skill: "sql", number: 4, champion });
      expect(await atRole()).toMatchObject({ before: champion });
    }));

  test("of what answers there already, as the champion of a wider place, asks nobody to beat itself", () =>
    withJudged(async ({ home, adapterHash, comparisonHash }) => {
      await promote(home, { adapter: "sql-v1", place: SQL, clock });
      const narrower = await promote(home, { adapter: "sql-v1", place: placeOf("sql/worker"), clock });
      expect(narrower).toMatchObject({ before: adapterHash, comparisonHash, wasChampion: false });
      expect(await readPlaceEvents(home)).toHaveLength(2);
    }));

  test("of a role goes before that of the skill, and that before the default", () =>
    withJudged(async (chain) => {
      const { home, adapterHash } = chain;
      const other = await successor(chain);
      await promote(home, { adapter: "sql-v1", place: SQL, clock });
      await promote(home, { adapter: "sql-v2", place: placeOf("sql/worker"), clock });
      const champions = await readChampions(home);
      expect(championFor(champions, { skill: "sql", role: "worker" })?.adapterHash).toBe(other);
      expect(championFor(champions, { skill: "sql", role: "reflector" })?.adapterHash).toBe(adapterHash);
      expect(championFor(champions, { skill: "cron", role: "worker" })).toBeNull();
    }));

  test("is refused for another skill, another role, and for all skills where one was trained", () =>
    withJudged(async ({ home }) => {
      const at = (name: string) => promote(home, { adapter: "sql-v1", place: placeOf(name), override: "yes", clock });
      await expect(at("cron")).rejects.toMatchObject({ code: "PLACE_OF_ANOTHER_SKILL" });
      await expect(at("default")).rejects.toMatchObject({ code: "PLACE_OF_ANOTHER_SKILL" });
      await expect(at("sql/reflector")).rejects.toMatchObject({ code: "PLACE_OF_ANOTHER_ROLE" });
      await expect(promote(home, { adapter: "sql-v9", place: SQL, clock })).rejects.toMatchObject({
        code: "UNKNOWN_ADAPTER",
      });
      expect(await readPlaceEvents(home)).toEqual([]);
    }));

  test("is for a role that is among those of the dataset", () =>
    withJudged(async (chain) => {
      const { home } = chain;
      for (const [role, place] of [
        ["all", "sql/reflector"],
        ["worker+reflector", "sql/worker"],
      ] as const) {
        setRole(chain, role);
        await promote(home, { adapter: "sql-v1", place: placeOf(place), override: "yes", clock });
      }
      const architect = promote(home, { adapter: "sql-v1", place: placeOf("sql/architect"), override: "yes", clock });
      await expect(architect).rejects.toMatchObject({ code: "PLACE_OF_ANOTHER_ROLE" });
    }));

  test("for another role than the worker's is not allowed by a comparison, which judges the worker", () =>
    withJudged(async (chain) => {
      const { home } = chain;
      const asReflector = (override: { override?: string } = {}) =>
        promote(home, { adapter: "sql-v1", place: placeOf("sql/reflector"), clock, ...override });
      for (const [role, fix] of [
        ["all", /^tracemill promote sql-v1 --for sql, .* --override "reason"$/],
        ["reflector", /^say why .* --override "reason"$/],
      ] as const) {
        setRole(chain, role);
        const details = { got: "sql/reflector", fix: expect.stringMatching(fix) };
        await expect(asReflector()).rejects.toMatchObject({ code: "NOT_DECIDED", details });
      }
      expect(await asReflector({ override: "reviewed" })).toMatchObject({ override: "reviewed", comparisonHash: null });
    }));

  test("for a whole skill is refused of an adapter that was not trained on its worker's turns", () =>
    withJudged(async (chain) => {
      setRole(chain, "architect");
      await expect(promote(chain.home, { adapter: "sql-v1", place: SQL, clock })).rejects.toMatchObject({
        code: "PLACE_OF_ANOTHER_ROLE",
        details: { fix: 'tracemill promote sql-v1 --for sql/architect --override "reason"' },
      });
      expect(await readPlaceEvents(chain.home)).toEqual([]);
    }));

  test("needs a decision, and the last one on the skill counts", () =>
    withJudged(async ({ home, datasetHash, adapterHash, runs }) => {
      const run = runs.at(-1)?.run as RunId;
      await putDecision(home, { adapterHash, run, verdict: "inconclusive", skill: "sql", number: 2 });
      await expect(promote(home, { adapter: "sql-v1", place: SQL, clock })).rejects.toMatchObject({
        code: "GATE_NOT_PASSED",
        details: { got: expect.stringContaining("inconclusive") },
      });
      await putAdapter(home, datasetHash, { name: "sql-v2" });
      const unjudged = promote(home, { adapter: "sql-v2", place: SQL, clock });
      await expect(unjudged).rejects.toMatchObject({ code: "NOT_DECIDED" });
    }));

  test("is refused where the decision was edited by hand, or is not one that was made", () =>
    withJudged(async ({ home, adapterHash, runs }) => {
      const run = runs.at(-1)?.run as RunId;
      const last = await putDecision(home, { adapterHash, run, verdict: "worse", skill: "sql", number: 2 });
      const path = join(home.comparisonFolder(last), "decision.json");
      const decision = readFileSync(path, "utf8");
      const promotion = () => promote(home, { adapter: "sql-v1", place: SQL, clock });
      writeFileSync(path, decision.replace('"hasPassed": false', '"hasPassed": true'));
      expect(readFileSync(path, "utf8")).not.toBe(decision);
      await expect(promotion()).rejects.toMatchObject({ code: "DECISION_CHANGED", details: { where: path } });
      rmSync(path);
      await expect(promotion()).rejects.toMatchObject({ code: "DECISION_CHANGED" });
      writeFileSync(path, decision);
      await expect(promotion()).rejects.toMatchObject({ code: "GATE_NOT_PASSED" });
    }));

  test("is refused where the plan was edited by hand", () =>
    withJudged(async ({ home, comparisonHash }) => {
      const path = join(home.comparisonFolder(comparisonHash), "plan.json");
      writeFileSync(path, readFileSync(path, "utf8").replace('"use": 1', '"use": 2'));
      const promotion = promote(home, { adapter: "sql-v1", place: SQL, clock });
      await expect(promotion).rejects.toMatchObject({ code: "PLAN_EDITED" });
    }));

  test("of a default needs a passing decision on every skill that was trained", () =>
    withJudged(async ({ home, datasetHash, runs }) => {
      const run = runs.at(-1)?.run as RunId;
      const adapterHash = await putAdapter(home, datasetHash, { name: "both", skills: ["cron", "sql"] });
      const attempt = () => promote(home, { adapter: "both", place: placeOf("default"), clock });
      await putDecision(home, { adapterHash, run, skill: "sql", number: 2 });
      await expect(attempt()).rejects.toMatchObject({ code: "NOT_DECIDED" });
      await putDecision(home, { adapterHash, run, skill: "cron", number: 3 });
      await attempt();
      expect(championFor(await readChampions(home), { skill: "stig", role: "worker" })?.adapterHash).toBe(adapterHash);
    }));

  test("can override the gate with a reason that is kept, and with no empty one", () =>
    withJudged(async ({ home, datasetHash }) => {
      await putAdapter(home, datasetHash, { name: "sql-v2" });
      const override = "reviewed by hand";
      await expect(promote(home, { adapter: "sql-v2", place: SQL, override: " ", clock })).rejects.toMatchObject({
        code: "BAD_ARGUMENT",
      });
      await promote(home, { adapter: "sql-v2", place: SQL, override, clock });
      expect((await readChampions(home)).get("sql")).toMatchObject({ override, comparisonHash: null });
    }));

  test("is refused for a tainted adapter, even where someone overrides the gate", () =>
    withJudged(async ({ home, runs }) => {
      sayRevoked(home, "run", runs[0]?.run ?? "", "the database was empty");
      await expect(promote(home, { adapter: "sql-v1", place: SQL, override: "yes", clock })).rejects.toMatchObject({
        code: "TAINTED_ADAPTER",
        details: { got: expect.stringContaining("the database was empty") },
      });
    }));

  test("is refused while another one is at it, and two at once leave one champion", () =>
    withJudged(async ({ home, datasetHash, runs }) => {
      const adapterHash = await putAdapter(home, datasetHash, { name: "sql-v2" });
      await putDecision(home, { adapterHash, run: runs.at(-1)?.run as RunId, skill: "sql", number: 2 });
      const both = await Promise.allSettled(
        ["sql-v1", "sql-v2"].map((adapter) => promote(home, { adapter, place: SQL, clock })),
      );
      expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(both.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "LOCKED" } });
      expect(await readPlaceEvents(home)).toHaveLength(1);
    }));
});

describe("a rollback", () => {
  test("brings the champion before back, then the base, and then there is nothing to take back", () =>
    withJudged(async (chain) => {
      const { home, adapterHash } = chain;
      const other = await successor(chain);
      await promote(home, { adapter: "sql-v1", place: SQL, clock });
      await promote(home, { adapter: "sql-v2", place: SQL, clock });
      expect(await rollback(home, { place: SQL, reason: "slow", clock })).toMatchObject({
        from: other,
        to: adapterHash,
      });
      expect((await readChampions(home)).get("sql")?.adapterHash).toBe(adapterHash);
      expect(await rollback(home, { place: SQL, clock })).toMatchObject({ from: adapterHash, to: null });
      expect((await readChampions(home)).get("sql")).toBeUndefined();
      await expect(rollback(home, { place: SQL, clock })).rejects.toMatchObject({ code: "NOTHING_PROMOTED" });
      expect((await readPlaceEvents(home, SQL)).map(({ type }) => type)).toEqual([
        ...["promoted", "promoted", "rolled_back", "rolled_back"],
      ]);
    }));

  test("in a home that is not there yet finds nothing to take back", () =>
    withHome(async (home) => {
      const missing = homeAt(join(home.path, "missing"));
      await expect(rollback(missing, { place: SQL, clock })).rejects.toMatchObject({ code: "NOTHING_PROMOTED" });
    }));

  test("goes to the base at once where it is told so", () =>
    withJudged(async (chain) => {
      const { home } = chain;
      await successor(chain);
      for (const adapter of ["sql-v1", "sql-v2"]) await promote(home, { adapter, place: SQL, clock });
      expect(await rollback(home, { place: SQL, toBase: true, clock })).toMatchObject({ to: null });
      expect(await readChampions(home)).toEqual(new Map());
    }));

  test("tells who answers then: the default's champion goes before the base", () =>
    withJudged(async (chain) => {
      const { home, datasetHash } = chain;
      const both = await putAdapter(home, datasetHash, { name: "both", skills: ["cron", "sql"] });
      await promote(home, { adapter: "both", place: placeOf("default"), override: "a test", clock });
      await promote(home, { adapter: "sql-v1", place: SQL, override: "a test", clock });
      const report = await rollback(home, { place: SQL, toBase: true, clock });
      expect(report).toMatchObject({ to: null, answeredBy: { skill: "default", adapterHash: both } });
      expect(rollbackCommand.print?.(report, {} as never)).toBe(
        `${shortHash(chain.adapterHash)} is no longer the champion of sql; ${shortHash(both)} answers there now, as the champion of default. For the base: tracemill rollback default --to-base`,
      );
      await expect(rollback(home, { place: SQL, clock })).rejects.toMatchObject({
        code: "NOTHING_PROMOTED",
        details: { message: "Nothing is promoted for sql; the champion of default answers there." },
      });
      const last = await rollback(home, { place: placeOf("default"), toBase: true, clock });
      expect(last.answeredBy).toBeNull();
      expect(rollbackCommand.print?.(last, {} as never)).toContain("the base answers again.");
    }));

  test("never brings a tainted champion back", () =>
    withJudged(async (chain) => {
      const { home, runs } = chain;
      await successor(chain);
      for (const adapter of ["sql-v1", "sql-v2"]) await promote(home, { adapter, place: SQL, clock });
      sayRevoked(home, "run", runs[0]?.run ?? "");
      await expect(rollback(home, { place: SQL, clock })).rejects.toMatchObject({
        ...{ code: "TAINTED_ADAPTER", details: { fix: "tracemill rollback sql --to-base" } },
      });
      expect(await rollback(home, { place: SQL, toBase: true, clock })).toMatchObject({ to: null });
    }));
});

test("a place is a skill, a role of one, or the default", () => {
  expect(placeOf("stig/worker")).toEqual({ skill: "stig", role: "worker" });
  expect(placeOf("default")).toEqual({ skill: "default", role: null });
  for (const name of ["", "Sql", "sql/", "default/worker", "a/b/c", "../x"]) {
    expect(() => placeOf(name)).toThrow(expect.objectContaining({ code: "BAD_PLACE" }));
  }
});

test("a promotion that is written half is none", () =>
  withJudged(async ({ home }) => {
    await promote(home, { adapter: "sql-v1", place: SQL, clock });
    writeFileSync(join(home.path, "ledger.jsonl"), '{"seq":99,"type":"promo', { flag: "a" });
    expect((await readChampions(home)).size).toBe(1);
  }));
