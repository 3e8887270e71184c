/** What a second try at a comparison may take up of the first: only what the canary stood after. */
import { appendFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Canaries } from "../../src/commands/validate-canary.ts";
import { generalFolder, openSession } from "../../src/commands/validate-session.ts";
import type { Plan } from "../../src/records/comparison.ts";
import type { Home } from "../../src/store/home.ts";
import { writePlan } from "../../src/validate/index.ts";
import { withHome } from "../store/sample-run.ts";
import { clock, letters, sampleDraft, writeAdapter, writeArm } from "../validate/sample-comparison.ts";

const outcome = () => ({ passed: true });

const LIVE: Canaries = { isLive: true, notApplied: [] };
const NOT_LIVE: Canaries = { isLive: false, notApplied: ["champion"] };
const UNTOLD: Canaries = { isLive: null, notApplied: [] };

async function planned(home: Home): Promise<Plan> {
  const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
  return writePlan(home, sampleDraft(await letters("test", 3), 2, adapter), clock);
}

test("runs are taken up where the canary stood at their end, and left out where nobody asked it", () =>
  withHome(async (home) => {
    const plan = await planned(home);
    const first = await openSession(home, plan, clock);
    const { run: proven } = await writeArm(home, plan, { arm: "base", number: 1, outcome });
    await first.note(LIVE);
    const { run: unproven } = await writeArm(home, plan, { arm: "candidate", number: 2, outcome });
    expect([proven, unproven].map(first.isTakenUp)).toEqual([true, true]);
    first.close();

    const second = await openSession(home, plan, clock);
    expect(second.leftOut).toEqual([unproven]);
    expect([proven, unproven].map(second.isTakenUp)).toEqual([true, false]);
    await second.note(LIVE);
    second.close();
    const third = await openSession(home, plan, clock);
    expect(third.leftOut).toEqual([unproven]);
    third.close();
  }));

test.each<[string, Canaries[]]>([
  ["a canary that fails once, from then on", [NOT_LIVE, LIVE]],
  ["an endpoint that cannot tell", [UNTOLD]],
])("nothing is proven by %s", (_, said) =>
  withHome(async (home) => {
    const plan = await planned(home);
    const session = await openSession(home, plan, clock);
    const { run } = await writeArm(home, plan, { arm: "candidate", number: 1, outcome });
    for (const one of said) await session.note(one);
    expect(session.canaries()).toEqual(said[0]);
    session.close();
    const next = await openSession(home, plan, clock);
    expect(next.leftOut).toEqual([run]);
    next.close();
  }),
);

test("a run whose log went on after the canary is left out", () =>
  withHome(async (home) => {
    const plan = await planned(home);
    const session = await openSession(home, plan, clock);
    const { run } = await writeArm(home, plan, { arm: "candidate", number: 1, outcome, isOpen: true });
    await session.note(LIVE);
    session.close();
    const begun = await openSession(home, plan, clock);
    expect(begun.leftOut).toEqual([]);
    begun.close();
    const line = `{"at":"2026-11-02T08:00:00.000Z","data":{},"prev":"${"0".repeat(64)}","seq":99,"type":"failure"}\n`;
    await appendFile(home.runLog(run), line);
    const later = await openSession(home, plan, clock);
    expect(later.leftOut).toEqual([run]);
    later.close();
  }));

test("figures of general ability that no canary stood after are removed", () =>
  withHome(async (home) => {
    const plan = await planned(home);
    const folder = generalFolder(home, plan);
    const kept = async () => readdir(folder).catch(() => []);
    const session = await openSession(home, plan, clock);
    await mkdir(folder);
    await writeFile(join(folder, "scores.jsonl"), "1\n");
    await session.note(LIVE);
    session.close();
    (await openSession(home, plan, clock)).close();
    expect(await kept()).toEqual(["scores.jsonl"]);
    await appendFile(join(folder, "scores.jsonl"), "2\n");
    (await openSession(home, plan, clock)).close();
    expect(await kept()).toEqual([]);
  }));

test("a comparison that is run already is refused", () =>
  withHome(async (home) => {
    const plan = await planned(home);
    const session = await openSession(home, plan, clock);
    await expect(openSession(home, plan, clock)).rejects.toMatchObject({ code: "LOCKED" });
    session.close();
  }));
