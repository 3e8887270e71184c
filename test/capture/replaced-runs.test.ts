/** A source that grows between two imports: what the later run holds is not counted twice, and nothing said of it is lost. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFamilyRule } from "../../src/capture/index.ts";
import { giveOutcome, giveVerdicts, runCalled } from "../../src/capture/late-verdicts.ts";
import { readOutcome } from "../../src/capture/outcome.ts";
import { chosenRuns } from "../../src/commands/chosen-runs.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { type AttemptId, attemptId, type ItemId, type RunId } from "../../src/records/ids.ts";
import { revoke } from "../../src/registry/index.ts";
import { openLake } from "../../src/store/lake.ts";
import { appendLedger, coveredRuns, lateVerdicts, revocations } from "../../src/store/ledger.ts";
import { listRuns } from "../../src/store/runs.ts";
import { folder, freshFolders, home, importInto } from "./importers/setting.ts";

const PLUM = { id: "plum", reward: 1, ...talk("Which plums are ripe?", "All of them.") };
const PEAR = { id: "pear", reward: 0, ...talk("Which pears are ripe?", "None.") };
const FIG = { id: "fig", reward: 1, ...talk("Which figs are ripe?", "Two.") };

function talk(question: string, answer: string) {
  return {
    messages: [
      { role: "user", content: question },
      { role: "assistant", content: answer },
    ],
  };
}

async function importRows(rows: readonly object[], below = "rows"): Promise<{ run: RunId; replaced: RunId[] }> {
  const file = join(folder, below, "night.jsonl");
  mkdirSync(join(folder, below), { recursive: true });
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const { imported, replaced } = await importInto(home, file, { skill: "fruit" });
  return { run: imported[0]?.run as RunId, replaced: replaced.map((one) => one.replaced) };
}

const VERDICT = {
  ...{ before: null, value: 1, passed: true, confidence: 1, signalType: "binary", failureMode: null },
  ...{ verifier: { id: "gardener", version: "1" }, flags: [], evidence: {} },
} as never;

/** Whether the lake has each attempt at the item as passed. */
async function passedIn(item: string): Promise<Record<string, boolean | null>> {
  const lake = await openLake(home);
  const rows = await lake.query("SELECT run, eval_passed FROM fruit.attempts WHERE item = $item", {
    item: `fruit:${item}`,
  });
  lake.close();
  return Object.fromEntries(rows.map(({ run, eval_passed }) => [run, eval_passed]));
}

/** By what each run of a table is covered, as plain SQL says it. */
async function coveredIn(table: string): Promise<Record<string, string | null>> {
  const lake = await openLake(home);
  const rows = await lake.query(`SELECT DISTINCT run, covered_by FROM fruit.${table}`);
  lake.close();
  return Object.fromEntries(rows.map(({ run, covered_by }) => [run, covered_by]));
}

const attemptOf = (run: RunId, item: string) => attemptId(run, `fruit:${item}` as ItemId, 1);

describe("an import of a source that has grown", () => {
  freshFolders();

  it("replaces the earlier one, through any number of imports", async () => {
    const first = await importRows([PLUM]);
    const second = await importRows([PLUM, PEAR]);
    expect(second.replaced).toEqual([first.run]);
    const third = await importRows([PLUM, PEAR, FIG]);
    expect(third.replaced).toEqual([second.run]);
    const { runs } = await chosenRuns(home, ["fruit"]);
    expect(runs.map(({ run }) => run)).toEqual([third.run]);
    expect((await listRuns(home)).map(({ run }) => run).toSorted()).toEqual(
      [first.run, second.run, third.run].toSorted(),
    );
    for (const table of ["runs", "attempts", "turns", "examples"]) {
      expect(await coveredIn(table)).toEqual({ [first.run]: third.run, [second.run]: third.run, [third.run]: null });
    }
  });

  it("leaves alone what merely has its name: another night's rows, or other words", async () => {
    await importRows([PLUM, PEAR], "monday");
    expect((await importRows([PEAR, FIG], "tuesday")).replaced).toEqual([]);
    const changed = { ...PLUM, ...talk("Which plums are ripe?", "Half of them.") };
    const reworded = { ...PEAR, ...talk("Are pears ripe?", "None.") };
    expect((await importRows([changed, PEAR], "wednesday")).replaced).toEqual([]);
    expect((await importRows([PLUM, reworded, FIG], "thursday")).replaced).toEqual([]);
    expect((await chosenRuns(home, ["fruit"])).runs).toHaveLength(4);
  });

  it("is replaced itself where the fuller file was there before", async () => {
    const whole = await importRows([PLUM, PEAR]);
    const cut = await importRows([PLUM]);
    expect(cut.replaced).toEqual([cut.run]);
    expect([...coveredRuns(home)]).toEqual([[cut.run, whole.run]]);
  });

  it("is replaced itself where the earlier one has outcomes that it lacks, and not where it has others in their place", async () => {
    const judged = await importRows([PLUM, PEAR]);
    const { reward: _, ...unjudged } = PEAR;
    const later = await importRows([PLUM, unjudged]);
    expect(later.replaced).toEqual([later.run]);
    expect(await passedIn("pear")).toEqual({ [judged.run]: false, [later.run]: null });
    expect((await importRows([PLUM, { ...PEAR, reward: 1 }])).replaced).toEqual([judged.run]);
  });

  it("is told of by the next import, where the one that did it ended too early", async () => {
    const first = await importRows([PLUM]);
    const second = await importRows([PLUM, PEAR]);
    const lines = readFileSync(home.ledger, "utf8").trimEnd().split("\n");
    writeFileSync(home.ledger, `${lines.slice(0, -1).join("\n")}\n`);
    expect(coveredRuns(home).size).toBe(0);
    const again = await importInto(home, join(folder, "rows", "night.jsonl"), { skill: "fruit" });
    expect(again.replaced).toEqual([{ run: second.run, replaced: first.run, verdicts: 0 }]);
    expect((await importInto(home, join(folder, "rows", "night.jsonl"), { skill: "fruit" })).replaced).toEqual([]);
  });

  it("keeps the verdicts that were given to it later", async () => {
    const first = await importRows([PEAR]);
    const [run] = await listRuns(home);
    await giveVerdicts({ home, clock: systemClock }, run as never, {
      verdicts: [{ item: "pear", attempt: 1, verdict: VERDICT }],
      origin: "label",
    });
    const second = await importRows([PEAR, FIG]);
    expect(second.replaced).toEqual([first.run]);
    expect([...lateVerdicts(home)].map(({ attempt, origin }) => [attempt, origin])).toEqual([
      [attemptOf(first.run, "pear"), "label"],
      [attemptOf(second.run, "pear"), "label"],
    ]);
    expect(await passedIn("pear")).toMatchObject({ [second.run]: true });
  });

  it("stays without what was revoked of it, before and after", async () => {
    const first = await importRows([PLUM, PEAR]);
    const revokeNow = (target: AttemptId) =>
      revoke(home, { target, reason: "unripe", isDryRun: false, clock: systemClock } as never);
    await revokeNow(attemptOf(first.run, "plum"));
    const second = await importRows([PLUM, PEAR, FIG]);
    await revokeNow(attemptOf(first.run, "pear"));
    const revoked = revocations(home).map(({ target }) => target);
    expect(revoked).toContain(attemptOf(second.run, "plum"));
    expect(revoked).toContain(attemptOf(second.run, "pear"));
    expect(revoked).not.toContain(attemptOf(second.run, "fig"));
    appendLedger(home, { type: "revoked", data: { kind: "run", target: first.run, reason: "rotten" } }, systemClock);
    expect(revocations(home).map(({ target }) => target)).toContain(second.run);
  });

  it("is called by its source's name, and takes the outcomes of the ids that it replaced", async () => {
    const first = await importRows([PLUM, PEAR]);
    const second = await importRows([PLUM, PEAR, FIG]);
    expect((await runCalled(home, "night.jsonl")).run).toBe(second.run);
    expect((await runCalled(home, first.run)).run).toBe(first.run);
    for (const [run, item] of [
      ["night.jsonl", "pear"],
      [first.run, "plum"],
    ] as const) {
      const body = { run, item, value: item === "pear" ? 1 : 0, verifier: { id: "gardener", version: "1" } };
      const given = await giveOutcome({ home, clock: systemClock }, readOutcome(body));
      expect(given).toEqual({
        ...{ attempt: attemptOf(second.run, item), into: "ledger" },
        insteadOf: run === first.run ? first.run : null,
      });
    }
    expect(await passedIn("pear")).toMatchObject({ [second.run]: true });
    expect(await passedIn("plum")).toMatchObject({ [second.run]: false });
  });
});

describe("an import by another rule", () => {
  freshFolders();

  /** Of the same two rows each time. */
  async function importBy(rule: string | null) {
    const file = join(folder, "night.jsonl");
    writeFileSync(file, [PLUM, PEAR].map((row) => `${JSON.stringify({ ...row, tree: "old" })}\n`).join(""));
    const familyRule = rule === null ? null : readFamilyRule(rule);
    const { imported, known, leftOut, replaced } = await importInto(home, file, { skill: "fruit", familyRule });
    return { run: imported[0]?.run ?? (known[0] as RunId), leftOut, replaced };
  }
  const standing = async () => (await chosenRuns(home, ["fruit"])).runs.map(({ run }) => run);

  it("stands until another one is asked for, be it one that is here already", async () => {
    const plain = await importBy(null);
    const byTree = await importBy("tree");
    const byLetter = await importBy("/(.)/");
    expect(await standing()).toEqual([byLetter.run]);
    const back = await importBy(null);
    expect(back).toEqual({
      run: plain.run,
      leftOut: [],
      replaced: [{ run: plain.run, replaced: byLetter.run, verdicts: 0 }],
    });
    expect(await standing()).toEqual([plain.run]);
    expect(await importBy(null)).toMatchObject({ run: plain.run, replaced: [] });
    expect([...coveredRuns(home)].toSorted()).toEqual(
      [byTree.run, byLetter.run].map((run) => [run, plain.run]).toSorted(),
    );
  });

  it("hands on what was said meanwhile, once", async () => {
    const plain = await importBy(null);
    const say = (run: RunId, value: number) =>
      giveOutcome(
        { home, clock: systemClock },
        readOutcome({ run, item: "pear", value, verifier: { id: "gardener", version: "1" } }),
      );
    await say(plain.run, 1);
    const byTree = await importBy("tree");
    expect(byTree.replaced).toMatchObject([{ verdicts: 1 }]);
    await say(byTree.run, 0);
    await say(byTree.run, 1);
    expect((await importBy(null)).replaced).toMatchObject([{ verdicts: 2 }]);
    const said = [...lateVerdicts(home)].filter(({ run }) => run === plain.run);
    expect(said.map(({ verdict }) => verdict.value)).toEqual([1, 0, 1]);
  });

  it("takes back no revocation by standing again", async () => {
    const plain = await importBy(null);
    await revoke(home, { target: attemptOf(plain.run, "plum"), reason: "unripe", clock: systemClock });
    const byTree = await importBy("tree");
    const revoked = () => revocations(home).map(({ target }) => target);
    expect(revoked()).toContain(attemptOf(byTree.run, "plum"));
    await importBy(null);
    expect(revoked()).toEqual([attemptOf(plain.run, "plum"), attemptOf(byTree.run, "plum")]);
  });

  it("is said to be left out where the one that stands holds more than it", async () => {
    const file = join(folder, "grown.jsonl");
    const take = (rows: readonly object[]) => {
      writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      return importInto(home, file, { skill: "fruit" });
    };
    const run = (await take([PLUM])).imported[0]?.run;
    const coveredBy = (await take([PLUM, PEAR])).imported[0]?.run;
    expect(await take([PLUM])).toMatchObject({ known: [run], leftOut: [{ run, coveredBy }], replaced: [] });
  });
});
