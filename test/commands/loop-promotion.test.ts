import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { loopRounds, promotePassed, workersPlace } from "../../src/commands/loop-rounds.ts";
import { collectingOf, FIRST_ROUND, loopSettings } from "../../src/commands/loop-settings.ts";
import type { RunId } from "../../src/records/ids.ts";
import { placeOf, promote, readChampions, readPlaceEvents, rollback } from "../../src/registry/index.ts";
import { readMadeDecision } from "../../src/store/comparisons.ts";
import { openJournal } from "../../src/store/journal.ts";
import { putAdapter, putDecision, sayRevoked, withChain } from "../registry/setting.ts";

const place = placeOf("sql");

test("a round's candidate that passed is promoted, or passed over where the champion changed by hand or it is tainted", () =>
  withChain(async ({ home, clock, runs, datasetHash, adapterHash }) => {
    const stderr = new PassThrough();
    const context = { home, clock, stderr: stderr as never, isJson: false };
    const run = runs.at(-1)?.run as RunId;
    await putDecision(home, { adapterHash, run, skill: "sql" });
    const later = await putAdapter(home, datasetHash, { name: "sql-v2" });
    await putDecision(home, { adapterHash: later, run, skill: "sql", number: 2 });
    await promote(home, { adapter: "sql-v2", place, override: "by hand", clock });

    expect(await promotePassed(adapterHash, place, context)).toBeNull();
    expect(String(stderr.read())).toMatch(/^The gate passed [0-9a-f]{12}, and it is not promoted: /);
    expect((await readChampions(home)).get("sql")?.adapterHash).toBe(later);

    await putDecision(home, { adapterHash, run, skill: "sql", number: 3, champion: later });
    expect(await promotePassed(adapterHash, place, context)).toBe(adapterHash);

    sayRevoked(home, "run", runs[0]?.run ?? "");
    expect(await promotePassed(later, place, context)).toBeNull();
    expect(await readPlaceEvents(home)).toHaveLength(2);
    await expect(promotePassed("nobody", place, context)).rejects.toMatchObject({ code: "UNKNOWN_ADAPTER" });
  }));

test("rounds are about the place at which the worker's champion stands, and about the skill's where none does", () =>
  withChain(async ({ home, clock, adapterHash }) => {
    const promoted = (name: string) =>
      promote(home, { adapter: adapterHash, place: placeOf(name), override: "by hand", clock });
    expect(await workersPlace(home, "sql")).toEqual({ skill: "sql", role: null });
    await promoted("sql");
    expect(await workersPlace(home, "sql")).toEqual({ skill: "sql", role: null });
    await promoted("sql/worker");
    expect(await workersPlace(home, "sql")).toEqual({ skill: "sql", role: "worker" });
    expect(await workersPlace(home, "cron")).toEqual({ skill: "cron", role: null });
  }));

test("the round after a rollback begins with what answers then, though the round before had promoted another", () =>
  withChain(async ({ home, clock, runs, datasetHash, adapterHash, comparisonHash }) => {
    const work = { base: "smollm2", seed: 1, target: "nowhere", serverArgs: "", startTimeout: "1m", sides: [] };
    const asked = { ...work, skill: "sql", learns: ["sql"], continues: false, round: FIRST_ROUND };
    const settings = loopSettings("tiny", asked);
    const done = async (journalOf: unknown, stages: Record<string, unknown>) => {
      const journal = await openJournal(home, journalOf, clock);
      for (const [name, result] of Object.entries(stages)) await journal.stage(name, async () => result);
    };
    const [collect, watch] = [runs[0], runs[2]];
    await done({ rounds: settings }, { "promote 1": adapterHash });
    await done(collectingOf(settings), { base: "b", collect, watch, export: datasetHash });
    await done(settings, { train: adapterHash, validate: await readMadeDecision(home, comparisonHash) });
    await promote(home, { adapter: adapterHash, place, override: "by the first round", clock });
    await rollback(home, { place, clock });

    const stderr = new PassThrough() as never;
    const context = { home, clock, stdout: stderr, stderr, isJson: true, signal: new AbortController().signal };
    const room = { pausesServers: false, attached: null };
    // The second round ends at its collecting, for want of a server.
    const going = loopRounds(settings, { most: 2, patience: 2, room }, context);
    await expect(going).rejects.toMatchObject({ code: "UNKNOWN_TARGET" });
    const { stages } = await openJournal(home, { rounds: settings }, clock);
    expect(stages["champion 2"]).toMatchObject({ result: null });
  }));
