/** What is revoked in the views of the lake, and the one list of it. */
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { ZERO_HASH } from "../../src/foundation/hashing.ts";
import type { Revocation } from "../../src/records/ledger-entries.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger, revocations, revocationsAt } from "../../src/store/ledger.ts";
import { type RunDraft, TIP, writeRun } from "../curate/written-run.ts";
import { ask } from "./ask-lake.ts";
import { sampleVerdict, withHome } from "./sample-run.ts";

const by = (id: string, passed = true) => ({ verifier: { id, version: "1" }, passed, value: passed ? 1 : 0 });
const judged = (id: string, passed: boolean) => ({ ...by(id, passed), signalType: "judgment" as const });

const DRAFT: RunDraft = {
  number: 1,
  attempts: [
    { item: "shop/one", verdicts: [by("a")] },
    { item: "shop/two", verdicts: [by("a", false), by("b")] },
    { item: "shop/tip", tip: "A lesson. ", verdicts: [by("b")] },
    { item: "shop/heard", verdicts: [by("b"), judged("a", true), judged("c", false), judged("a", true)] },
  ],
};

function say(home: Home, kind: Revocation["kind"], target: string): void {
  appendLedger(home, { type: "revoked", data: { kind, target, reason: "it was bad" } }, systemClock);
}

/** The last word of each item that a view marks. */
async function marked(home: Home, view: string): Promise<string[]> {
  const rows = await ask(home, `SELECT item FROM ${view} WHERE is_revoked ORDER BY run, item`);
  return rows.map(({ item }) => String(item).slice("sql:shop/".length));
}

const ALL = ["heard", "one", "tip", "two"];

describe("the column is_revoked", () => {
  it("is false everywhere where nothing is revoked", () =>
    withHome(async (home) => {
      await writeRun(home, DRAFT);
      for (const view of ["attempts", "turns", "examples", "sql.examples"])
        expect(await marked(home, view)).toEqual([]);
      const plain = await ask(
        home,
        "SELECT sql FROM duckdb_views() WHERE schema_name = 'main' AND view_name = 'turns'",
      );
      expect(String(plain[0]?.sql)).not.toContain("ledger");
    }));

  it.each<[Revocation["kind"], string, string[], string[]]>([
    ["run", "20261101-120001-0000", ALL, ALL],
    ["attempt", "20261101-120001-0000/sql:shop/two/1", ["two"], ["two"]],
    ["verifier", "a@1", ["one"], ["one"]],
    ["verifier", "b@1", ["heard", "tip"], ["heard", "tip"]],
    ["tip", TIP, [], ["tip"]],
  ])("marks what a revoked %s (%s) is of", (kind, target, attempts, turns) =>
    withHome(async (home) => {
      await writeRun(home, DRAFT);
      await writeRun(home, { number: 2, attempts: [{ item: "shop/other", verdicts: [by("c")] }] });
      say(home, kind, target);
      expect(await marked(home, "attempts")).toEqual(attempts);
      expect(await marked(home, "turns")).toEqual(turns);
      expect(await marked(home, "examples")).toEqual(turns);
    }),
  );

  it("holds in a home without runs", () =>
    withHome(async (home) => {
      say(home, "run", "20261101-120001-0000");
      say(home, "tip", TIP);
      say(home, "verifier", "a@1");
      for (const view of ["attempts", "turns", "examples"]) expect(await marked(home, view)).toEqual([]);
    }));
});

describe("a verdict whose verifier is revoked", () => {
  const verdictsOf = (home: Home) => ask(home, "SELECT item, eval_passed, verifier_id FROM attempts ORDER BY item");

  it("gives way to the latest one before it, and where there is none to nothing", () =>
    withHome(async (home) => {
      await writeRun(home, DRAFT);
      say(home, "verifier", "b@1");
      expect((await verdictsOf(home)).map(({ eval_passed, verifier_id }) => [eval_passed, verifier_id])).toEqual([
        [null, null],
        [true, "a"],
        [null, null],
        [false, "a"],
      ]);
    }));

  it("gives way also where it was given late, and to one that was given late", () =>
    withHome(async (home) => {
      const { run, turns } = await writeRun(home, DRAFT);
      const give = (n: number, id: string) => {
        const verdict = { ...sampleVerdict(false), verifier: { id, version: "1" } };
        const attempt = turns[n]?.split("#", 1)[0] as never;
        appendLedger(home, { type: "verdict_given", data: { run, attempt, origin: "outcome", verdict } }, systemClock);
      };
      give(0, "b"); // decides, until b is revoked: then a of the log does
      give(1, "c"); // decides before and after
      give(1, "b");
      const before = (await verdictsOf(home)).map(({ verifier_id }) => verifier_id);
      say(home, "verifier", "b@1");
      const after = (await verdictsOf(home)).map(({ verifier_id }) => verifier_id);
      expect([before, after]).toEqual([
        ["b", "b", "b", "b"],
        [null, "a", null, "c"],
      ]);
      say(home, "verifier", "a@1");
      say(home, "verifier", "c@1");
      expect(await marked(home, "attempts")).toEqual(ALL);
    }));

  it("gives way among opinions too, which decide nothing", () =>
    withHome(async (home) => {
      await writeRun(home, DRAFT);
      const opinion = async () =>
        (await ask(home, "SELECT audit_passed FROM attempts WHERE item = 'sql:shop/heard'"))[0];
      expect(await opinion()).toEqual({ audit_passed: true });
      say(home, "verifier", "a@1");
      expect(await opinion()).toEqual({ audit_passed: false });
      say(home, "verifier", "c@1");
      expect(await opinion()).toEqual({ audit_passed: null });
      expect(await marked(home, "attempts")).toEqual(["one"]);
    }));
});

describe("the list of revocations", () => {
  it("names a target once, with the first reason, and a joined run with the recorded one", () =>
    withHome(async (home) => {
      const [run, recorded] = ["20261101-120001-0000", "20261101-120002-0000"] as never[];
      appendLedger(home, { type: "run_joined", data: { run: run as never, recorded: recorded as never } }, systemClock);
      for (const reason of ["first", "second"]) {
        appendLedger(home, { type: "revoked", data: { kind: "run", target: String(recorded), reason } }, systemClock);
      }
      expect(revocations(home)).toEqual([
        { kind: "run", target: recorded, reason: "first" },
        { kind: "run", target: run, reason: `holds the calls of ${recorded}: first` },
      ]);
    }));

  it("is known as it was at each line of the ledger", () =>
    withHome(async (home) => {
      const [run, recorded] = ["20261101-120001-0000", "20261101-120002-0000"] as never[];
      const heads = [
        appendLedger(
          home,
          { type: "revoked", data: { kind: "run", target: String(recorded), reason: "first" } },
          systemClock,
        ),
        appendLedger(
          home,
          { type: "run_joined", data: { run: run as never, recorded: recorded as never } },
          systemClock,
        ),
      ];
      say(home, "tip", "tip-0123456789abcdef");
      const known = revocationsAt(home, new Set([...heads, ZERO_HASH]));
      expect(heads.map((head) => known.get(head)?.map(({ target }) => target))).toEqual([[recorded], [recorded, run]]);
      expect(known.size).toBe(2);
    }));

  it("takes texts of any kind as texts", () =>
    withHome(async (home) => {
      await writeRun(home, DRAFT);
      const target = "it's @1'; DROP VIEW attempts; --";
      say(home, "verifier", target);
      expect(await marked(home, "attempts")).toEqual([]);
    }));
});
