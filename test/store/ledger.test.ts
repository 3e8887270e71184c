import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaNode } from "execa";
import { expect, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { hashText, ZERO_HASH } from "../../src/foundation/hashing.ts";
import { attemptId, type ItemId, type RunId } from "../../src/records/ids.ts";
import type { LedgerEntry, LoggedEntry } from "../../src/records/ledger-entries.ts";
import type { Home } from "../../src/store/home.ts";
import {
  appendLedger,
  coveredRuns,
  coverings,
  ledgerHead,
  otherIdsOf,
  readLedger,
  revocations,
} from "../../src/store/ledger.ts";
import { verifyHome } from "../../src/store/verify.ts";
import { withHome } from "./sample-run.ts";

const base = (name: string): LedgerEntry => ({ type: "base_registered", data: { name, baseHash: hashText(name) } });

async function entriesOf(home: Home): Promise<LoggedEntry[]> {
  const entries: LoggedEntry[] = [];
  for await (const entry of readLedger(home)) entries.push(entry);
  return entries;
}

test("entries read back in order, and the head is the hash of the last line", () =>
  withHome(async (home) => {
    expect(await ledgerHead(home)).toBe(ZERO_HASH);
    appendLedger(home, base("one"), systemClock);
    const head = appendLedger(home, base("two"), systemClock);
    expect((await entriesOf(home)).map(({ data }) => data)).toEqual([base("one").data, base("two").data]);
    expect(await ledgerHead(home)).toBe(head);
    expect(hashText(readFileSync(home.ledger, "utf8").trimEnd().split("\n").at(-1) as string)).toBe(head);
    expect(existsSync(`${home.ledger}.lock`)).toBe(false);
  }));

test("several processes that append at once make one chain with every entry", () =>
  withHome(async (home) => {
    const script = join(import.meta.dirname, "ledger-process.ts");
    await Promise.all(["a", "b", "c"].map((name) => execaNode(script, [home.path, name, "20"])));
    const names = (await entriesOf(home)).map(({ data }) => (data as { name: string }).name);
    const expected = ["a", "b", "c"].flatMap((name) => Array.from({ length: 20 }, (_, i) => `${name}-${i}`));
    expect([...names].sort()).toEqual(expected.sort());
    expect((await verifyHome(home)).isSound).toBe(true);
  }));

test("a torn last line is not read, and the next append cuts it off", () =>
  withHome(async (home) => {
    appendLedger(home, base("one"), systemClock);
    appendFileSync(home.ledger, '{"at":"2026');
    expect(await entriesOf(home)).toHaveLength(1);
    appendLedger(home, base("two"), systemClock);
    expect(await entriesOf(home)).toHaveLength(2);
  }));

test("a changed ledger is refused with the line", () =>
  withHome(async (home) => {
    for (const name of ["one", "two", "three"]) appendLedger(home, base(name), systemClock);
    writeFileSync(home.ledger, readFileSync(home.ledger, "utf8").replace("two", "TWO"));
    await expect(entriesOf(home)).rejects.toThrow(
      expect.objectContaining({
        code: "LEDGER_BROKEN",
        details: expect.objectContaining({ where: `${home.ledger}:3` }),
      }),
    );
  }));

test("a run that is covered stands again once it is said to cover in its turn, and what is revoked stays so in all", () =>
  withHome(async (home) => {
    const [a, b, c, recorded] = [1, 2, 3, 4].map((n) => `20261101-12000${n}-0000`) as [RunId, RunId, RunId, RunId];
    const say = (entry: LedgerEntry) => appendLedger(home, entry, systemClock);
    const replace = (run: RunId, replaced: RunId) => say({ type: "run_replaced", data: { run, replaced } });
    say({ type: "run_joined", data: { run: a, recorded } });
    replace(b, a);
    replace(c, b);
    const covered = () => Object.fromEntries(coveredRuns(home));
    expect(covered()).toEqual({ [recorded]: c, [a]: c, [b]: c });
    const attempt = { kind: "attempt", id: attemptId(a, "sql:x" as ItemId, 2) };
    const held = [b, c].map((run) => attemptId(run, "sql:x" as ItemId, 2));
    expect(otherIdsOf(coverings(home), attempt)).toEqual(held);
    replace(a, c);
    expect(covered()).toEqual({ [recorded]: a, [b]: a, [c]: a });
    expect(otherIdsOf(coverings(home), attempt)).toEqual(held);
    expect(otherIdsOf(coverings(home), { kind: "run", id: recorded })).toEqual([a, b, c]);
    expect(otherIdsOf(coverings(home), { kind: "attempt", id: attemptId(recorded, "sql:x" as ItemId, 2) })).toEqual([]);
    say({ type: "revoked", data: { kind: "run", target: c, reason: "it is bad" } });
    expect(revocations(home).map(({ target }) => target)).toEqual([c, a, b]);
  }));
