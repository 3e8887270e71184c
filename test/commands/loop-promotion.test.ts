import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { promotePassed, workersPlace } from "../../src/commands/loop-rounds.ts";
import type { RunId } from "../../src/records/ids.ts";
import { placeOf, promote, readChampions, readPlaceEvents } from "../../src/registry/index.ts";
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
