/** Verdicts that are asked for once more, audited, and given in bulk. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { auditLabels } from "../../src/capture/label-audit.ts";
import { checkRepository, readLabels, verdictsInCheckouts } from "../../src/capture/label-run.ts";
import { giveVerdicts } from "../../src/capture/late-verdicts.ts";
import { type ReverifyOptions, reverify } from "../../src/capture/reverify.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import { type RunResult, runHarness } from "../../src/harness/index.ts";
import { type AttemptId, attemptParts } from "../../src/records/ids.ts";
import type { Skill } from "../../src/skills/contract.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { listRuns } from "../../src/store/runs.ts";
import { verifyHome } from "../../src/store/verify.ts";
import { type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import letters from "../fixtures/skills/letters/skill.ts";
import { coin, eventsOf, runOptions, temporaryHome } from "../harness/setting.ts";
import { sampleVerdict } from "../store/sample-run.ts";
import { importInto } from "./importers/setting.ts";

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  model = await startScriptedModel({ replies: coin });
});

afterEach(async () => {
  await model.close();
  remove();
});

/** A verifier of another version, which lets through what `passes` says. */
function changed(passes: (passed: boolean, text: string) => boolean, version = "2"): Skill {
  return {
    ...letters,
    manifest: { ...letters.manifest, verifier: { id: "letter-in-text", version } },
    async open(item, place) {
      const workspace = await letters.open(item, place);
      return {
        ...workspace,
        async verify(call, parsed) {
          const verdict = await workspace.verify(call, parsed);
          const passed = passes(verdict.passed, String(call?.arguments.text));
          const failureMode = passed ? null : "no-letter";
          return {
            ...verdict,
            passed,
            value: passed ? 1 : 0,
            failureMode,
            verifier: { id: "letter-in-text", version },
          };
        },
      };
    },
  };
}

const asked = (run: RunResult, changes: Partial<ReverifyOptions> = {}): ReverifyOptions => ({
  ...{ home, clock: systemClock, run: run.run, skill: letters, sampleFraction: 1, isOutdatedOnly: false },
  ...{ signal: new AbortController().signal, ...changes },
});

async function inLake(sql: string): Promise<unknown[]> {
  const lake = await openLake(home);
  try {
    return await lake.query(sql);
  } finally {
    lake.close();
  }
}

const JUDGED = "SELECT attempt, eval_passed, verifier_id, verifier_version FROM attempts ORDER BY attempt";
type Judgement = { attempt: AttemptId; eval_passed: boolean; verifier_id: string; verifier_version: string };

const ME = { id: "me", version: "1" };

function sayOutcome(attempt: AttemptId, passed: boolean, verifier = ME): void {
  const verdict = { ...sampleVerdict(passed), verifier };
  const data = { run: attemptParts(attempt).run, attempt, origin: "outcome" as const, verdict };
  appendLedger(home, { type: "verdict_given", data }, systemClock);
}

describe("a verifier that is asked once more", () => {
  it("agrees with itself, and its new verdicts stand in the ledger", async () => {
    const run = await runHarness(await runOptions({ home, url: model.url }));
    const report = await reverify(asked(run));
    const { bothPassed, bothFailed, passedThen, passedNow } = report.agreement;
    expect([bothPassed, bothPassed + bothFailed, passedThen, passedNow]).toEqual([run.passed, run.attempts, 0, 0]);
    expect(report).toMatchObject({ conflicts: [], left: [], verifier: { id: "letter-in-text", version: "1" } });
    expect(await inLake("SELECT count(*) AS n FROM ledger.verdicts")).toEqual([{ n: run.attempts }]);
    expect(await verifyHome(home)).toMatchObject({ isSound: true });
  });

  it("and contradicts itself leaves a conflict, which being asked again resolves", async () => {
    const run = await runHarness(await runOptions({ home, url: model.url }));
    const moody = changed(() => false, "1");
    const report = await reverify(asked(run, { skill: moody }));
    expect(report.conflicts).toHaveLength(run.passed);
    expect(run.passed).toBeGreaterThan(0);
    const judged = "SELECT count(eval_passed) AS told, count(*) AS attempts FROM attempts";
    expect(await inLake(judged)).toEqual([{ told: run.attempts - run.passed, attempts: run.attempts }]);
    await reverify(asked(run, { skill: moody }));
    expect(await inLake(judged)).toEqual([{ told: run.attempts, attempts: run.attempts }]);
  });

  it("in another version decides at once, and what it changed is counted as no conflict", async () => {
    const run = await runHarness(await runOptions({ home, url: model.url }));
    const stricter = changed(() => false);
    const report = await reverify(asked(run, { skill: stricter, isOutdatedOnly: true }));
    expect(run.passed).toBeGreaterThan(0);
    expect(report).toMatchObject({ conflicts: [], agreement: { passedThen: run.passed, passedNow: 0 } });
    const judged = "SELECT count(*) FILTER (eval_passed) AS passed, count(eval_passed) AS told FROM attempts";
    expect(await inLake(judged)).toEqual([{ passed: 0, told: run.attempts }]);
  });

  it("is asked about a share that its attempts' names draw, and about those of an older version alone", async () => {
    const run = await runHarness(await runOptions({ home, url: model.url }));
    const total = (one: { agreement: object }) => sumOf(Object.values(one.agreement));
    const some = await reverify(asked(run, { sampleFraction: 0.5 }));
    expect(total(some)).toBeGreaterThan(0);
    expect(total(some)).toBeLessThan(run.attempts);
    const newer = changed((passed) => passed);
    expect(total(await reverify(asked(run, { skill: newer, isOutdatedOnly: true })))).toBe(run.attempts);
    expect(total(await reverify(asked(run, { skill: newer, isOutdatedOnly: true })))).toBe(0);
  });

  it("does not undo what someone else said of an attempt, in no version of it", async () => {
    const run = await runHarness(await runOptions({ home, url: model.url }));
    const [one] = (await inLake(JUDGED)) as Judgement[];
    sayOutcome(one?.attempt as AttemptId, !one?.eval_passed);
    const said = await inLake(JUDGED);
    expect(said[0]).toMatchObject({ eval_passed: !one?.eval_passed, verifier_id: "me" });
    const outdated = await reverify(asked(run, { isOutdatedOnly: true, isDryRun: true }));
    expect([outdated.chosen, outdated.notReplayable]).toEqual([[], []]);
    for (const skill of [letters, letters, changed((passed) => passed)]) {
      const report = await reverify(asked(run, { skill }));
      const { passedThen, passedNow } = report.agreement;
      expect([passedThen, passedNow]).toEqual(one?.eval_passed ? [0, 1] : [1, 0]);
      expect(report).toMatchObject({ conflicts: [], contradicted: [{ attempt: one?.attempt, verifier: ME }] });
      expect(((await inLake(JUDGED)) as Judgement[])[0]).toEqual(said[0]);
    }
  });

  it("takes back what was said by a verifier that is revoked, and what itself said in an older version", async () => {
    const run = await runHarness(await runOptions({ home, url: model.url }));
    const [one, other] = (await inLake(JUDGED)) as Judgement[];
    sayOutcome(one?.attempt as AttemptId, !one?.eval_passed);
    sayOutcome(other?.attempt as AttemptId, !other?.eval_passed, { id: "letter-in-text", version: "1" });
    const revoked = { kind: "verifier" as const, target: "me@1", reason: "it was wrong" };
    appendLedger(home, { type: "revoked", data: revoked }, systemClock);
    const skill = changed((passed) => passed);
    const report = await reverify(asked(run, { skill, isOutdatedOnly: true }));
    expect(report).toMatchObject({ conflicts: [], contradicted: [] });
    expect(report.chosen).toHaveLength(run.attempts);
    expect(((await inLake(JUDGED)) as Judgement[]).slice(0, 2)).toEqual([
      { ...one, verifier_id: "letter-in-text", verifier_version: "2" },
      { ...other, verifier_id: "letter-in-text", verifier_version: "2" },
    ]);
  });

  it("is not asked where it is revoked, as what it says counts nowhere; another version of it is", async () => {
    const run = await runHarness(await runOptions({ home, url: model.url }));
    const revoked = { kind: "verifier" as const, target: "letter-in-text@2", reason: "it was wrong" };
    appendLedger(home, { type: "revoked", data: revoked }, systemClock);
    const [second, third] = ["2", "3"].map((version) => changed((passed) => passed, version)) as [Skill, Skill];
    await expect(reverify(asked(run, { skill: second }))).rejects.toMatchObject({
      code: "VERIFIER_REVOKED",
    });
    expect(await inLake("SELECT count(*) AS n FROM ledger.verdicts")).toEqual([{ n: 0 }]);
    expect((await reverify(asked(run, { skill: third }))).verifier).toEqual({ id: "letter-in-text", version: "3" });
  });

  it("that fails is no verdict: the attempt is left, with the reason", async () => {
    const run = await runHarness(await runOptions({ home, url: model.url }));
    const broken: Skill = { ...letters, open: () => Promise.reject(new Error("no room")) };
    const report = await reverify(asked(run, { skill: broken }));
    expect(report.left).toHaveLength(run.attempts);
    expect(report.left[0]?.reason).toContain("no room");
    expect(await inLake("SELECT count(*) AS n FROM ledger.verdicts")).toEqual([{ n: 0 }]);
  });

  it("is not asked on another state: where a kept one cannot be made anew, what began with it is left", async () => {
    const run = await runHarness(await runOptions({ home, url: model.url }, { mode: "progress", concurrency: 1 }));
    const events = await eventsOf(home, run.run);
    const made = events.flatMap((event) => (event.type === "action" ? [event.data.attempt] : []));
    const kept = events.flatMap((event) => (event.type === "checkpoint" ? [event.data.attempt] : []));
    const later = made.slice(made.indexOf(kept[0] as AttemptId));
    expect(later.length).toBeGreaterThan(1);
    const unkept: Skill = {
      ...letters,
      open: async (item, place) => ({
        ...(await letters.open(item, place)),
        checkpoint: () => Promise.reject(new Error("the disk is full")),
      }),
    };
    const report = await reverify(asked(run, { skill: unkept }));
    expect(report.left.map(({ attempt }) => attempt)).toEqual(later);
    expect(report.left.at(-1)?.reason).toContain(`after ${kept[0]}: the disk is full`);
    expect(await inLake("SELECT count(*) AS n FROM ledger.verdicts")).toEqual([{ n: made.length - later.length }]);
  });
});

const row = (id: string, more: object = {}) =>
  JSON.stringify({
    id,
    messages: [
      { role: "user", content: id },
      { role: "assistant", content: "x" },
    ],
    ...more,
  });

/** A repository with one commit, in which one file says an answer. */
async function clonedAnswer(name: string, answer: string) {
  const clone = join(home.path, name);
  mkdirSync(clone, { recursive: true });
  const git = (...words: string[]) =>
    execa("git", ["-C", clone, "-c", "user.name=t", "-c", "user.email=t@t", ...words]);
  await git("init", "-q");
  writeFileSync(join(clone, "answer.txt"), answer);
  await git("add", ".");
  await git("commit", "-qm", "one");
  return { clone, git, commit: (await git("rev-parse", "HEAD")).stdout };
}

describe("labels in bulk", () => {
  it("are joined on the items' own names, and what matches nothing is counted", async () => {
    const file = join(home.path, "rows.jsonl");
    mkdirSync(home.path, { recursive: true });
    writeFileSync(file, `${row("a")}\n${row("b")}\n`);
    await importInto(home, file);
    const labels = join(home.path, "labels.jsonl");
    const lines = [
      '{"instance_id":"a","resolved":true}',
      '{"item":"b","value":0.25}',
      '{"id":"z","passed":false}',
      '{"id":"a"}',
      "{",
    ];
    writeFileSync(labels, lines.join("\n"));
    const read = readLabels(labels);
    expect(read.rejected.map(({ reason, where }) => [reason.slice(0, 20), where])).toEqual([
      [expect.stringContaining("it says nothing"), [`${labels}:4`]],
      ["it is not JSON", [`${labels}:5`]],
    ]);
    const [run] = await listRuns(home);
    const done = await giveVerdicts({ home, clock: systemClock }, run as never, {
      verdicts: read.labels,
      origin: "label",
    });
    expect(done).toMatchObject({ given: [expect.any(String), expect.any(String)], unmatched: ["chat:z"] });
    expect(await inLake("SELECT item, eval_passed, verdict_value FROM attempts ORDER BY 1")).toEqual([
      { item: "chat:a", eval_passed: true, verdict_value: 1 },
      { item: "chat:b", eval_passed: false, verdict_value: 0.25 },
    ]);
  });

  it("name the attempt where there are several, else they are counted and not used", async () => {
    const file = join(home.path, "rows.jsonl");
    mkdirSync(home.path, { recursive: true });
    writeFileSync(file, [row("once"), row("twice"), row("twice")].join("\n"));
    await importInto(home, file);
    const labels = join(home.path, "labels.jsonl");
    const lines = [{ id: "once" }, { id: "twice" }, { id: "twice", attempt: 2 }, { id: "twice", attempt: 3 }];
    writeFileSync(labels, lines.map((one) => JSON.stringify({ ...one, value: 1 })).join("\n"));
    const [run] = await listRuns(home);
    const given = { verdicts: readLabels(labels).labels, origin: "label" as const };
    expect(await giveVerdicts({ home, clock: systemClock }, run as never, given)).toEqual({
      run: run?.run,
      given: [`${run?.run}/chat:once/1`, `${run?.run}/chat:twice/2`],
      unmatched: ["chat:twice/3"],
      ambiguous: ["chat:twice"],
    });
  });

  it("name an item by a number as well, and where one cannot be used the field is named", () => {
    const labels = join(home.path, "labels.jsonl");
    mkdirSync(home.path, { recursive: true });
    const said = [{ item: 7 }, { instance_id: 8 }, { item: 0.5 }, { item: "a", passed: "yes" }];
    writeFileSync(labels, said.map((one) => JSON.stringify({ value: 1, ...one })).join("\n"));
    const read = readLabels(labels);
    expect(read.labels.map(({ item }) => item)).toEqual(["7", "8"]);
    expect(read.rejected.map(({ reason }) => reason.split(":", 1)[0])).toEqual(["item", "passed"]);
  });

  it("pass as they say, and where they say only a value if it is 1", () => {
    const labels = join(home.path, "labels.jsonl");
    mkdirSync(home.path, { recursive: true });
    const said = [
      { value: 0.8, passed: true },
      { value: 1, passed: false },
      { value: 0.5, resolved: true },
      { value: 0.5, label: 1 },
      { value: 1, label: 0.5 },
      { value: 0.9 },
      { value: 1 },
    ];
    writeFileSync(labels, said.map((one) => JSON.stringify({ id: "a", ...one })).join("\n"));
    const read = readLabels(labels).labels.map(({ verdict }) => [verdict.value, verdict.passed, verdict.failureMode]);
    expect(read).toEqual([
      [0.8, true, null],
      [1, false, "failed"],
      [0.5, true, null],
      [0.5, true, null],
      [1, true, null],
      [0.9, false, "failed"],
      [1, true, null],
    ]);
  });

  it("come from a command in a checkout of the item's commit, with its patch applied", async () => {
    const { clone, git, commit } = await clonedAnswer("clone", "41\n");
    const patch = "diff --git a/answer.txt b/answer.txt\n--- a/answer.txt\n+++ b/answer.txt\n@@ -1 +1 @@\n-41\n+42\n";
    const file = join(home.path, "rows.jsonl");
    const rows = [
      row("right", { base_commit: commit, patch }),
      row("wrong", { base_commit: commit, patch: "" }),
      row("twice", { base_commit: commit, patch }),
      row("twice", { base_commit: commit, patch: patch.replace("+42", "+43") }),
      row("once-told", { base_commit: commit, patch }),
      row("once-told", { base_commit: commit }),
      row("none"),
    ];
    writeFileSync(file, rows.join("\n"));
    await importInto(home, file);
    const [run] = await listRuns(home);
    const verify = { command: "grep -q 42 answer.txt", timeoutMs: 5000, signal: new AbortController().signal };
    const given = { home, clock: systemClock, run: run?.run as never, verify, repository: clone };
    const { verdicts, left } = await verdictsInCheckouts(given);
    expect(verdicts.map(({ item, attempt, verdict }) => [item, attempt, verdict.passed])).toEqual([
      ["chat:right", 1, true],
      ["chat:wrong", 1, false],
      ["chat:twice", 1, true],
      ["chat:twice", 2, false],
      ["chat:once-told", 1, true],
    ]);
    expect(left).toEqual([
      { attempt: "chat:once-told/2", reason: "no patch of it was recorded" },
      { attempt: "chat:none/1", reason: "neither it nor its item names a commit" },
    ]);
    expect((await git("worktree", "list")).stdout.split("\n")).toHaveLength(1);
  });

  it("end at a stop: what was under way then has no verdict, and what was not reached is left", async () => {
    const { clone, commit } = await clonedAnswer("clone", "41\n");
    const file = join(home.path, "rows.jsonl");
    const rows = ["a", "b", "c"].map((id) => row(id, { base_commit: commit, patch: "" }));
    writeFileSync(file, rows.join("\n"));
    await importInto(home, file);
    const [run] = await listRuns(home);
    const stop = new AbortController();
    const begun = join(home.path, "begun");
    const command = `[ $TRACEMILL_ITEM = a ] || { trap 'exit 1' TERM; touch ${begun}; while :; do sleep 0.05; done; }`;
    const verify = { command, timeoutMs: 60_000, signal: stop.signal };
    const given = { home, clock: systemClock, run: run?.run as never, verify, repository: clone };
    const judged = verdictsInCheckouts(given);
    await vi.waitUntil(() => existsSync(begun), 30_000);
    stop.abort();
    const { verdicts, left } = await judged;
    expect(verdicts.map(({ item, verdict }) => [item, verdict.passed])).toEqual([["chat:a", true]]);
    expect(left).toEqual([
      { attempt: "chat:b/1", reason: "The verifier was stopped." },
      { attempt: "chat:c/1", reason: "it was not reached before the stop" },
    ]);
  });

  it("are taken from the commit that an attempt itself names, before its item's", async () => {
    const { clone, git, commit } = await clonedAnswer("clone", "41\n");
    const file = join(home.path, "rows.jsonl");
    writeFileSync(join(clone, "answer.txt"), "41 and more\n");
    await git("commit", "-qam", "two");
    const later = (await git("rev-parse", "HEAD")).stdout;
    const rows = [
      row("moved", { base_commit: commit, patch: "" }),
      row("moved", { base_commit: later, patch: "" }),
      row("moved", { patch: "" }),
    ];
    writeFileSync(file, rows.join("\n"));
    await importInto(home, file);
    const [run] = await listRuns(home);
    const verify = { command: "grep -q more answer.txt", timeoutMs: 5000, signal: new AbortController().signal };
    const given = { home, clock: systemClock, run: run?.run as never, verify, repository: clone };
    const { verdicts } = await verdictsInCheckouts(given);
    expect(verdicts.map(({ attempt, verdict }) => [attempt, verdict.passed])).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ]);
  });
});

it("labels from checkouts of several repositories use each item's own clone", async () => {
  const commits: string[] = [];
  for (const [name, text] of [
    ["ada__abacus", "42"],
    ["loom", "7"],
  ] as const) {
    commits.push((await clonedAnswer(join("clones", name), `${text}\n`)).commit);
  }
  const [first, second] = commits;
  const file = join(home.path, "rows.jsonl");
  const rows = [
    row("a", { repo: "ada/abacus", base_commit: first, patch: "" }),
    row("b", { repo: "eve/loom", base_commit: second, patch: "" }),
    row("c", { repo: "eve/../../loom", base_commit: second, patch: "" }),
    row("d", { base_commit: second, patch: "" }),
  ];
  writeFileSync(file, rows.join("\n"));
  await importInto(home, file);
  const [run] = await listRuns(home);
  const verify = { command: "grep -q 42 answer.txt", timeoutMs: 5000, signal: new AbortController().signal };
  const repository = join(home.path, "clones");
  await checkRepository(repository);
  const given = { home, clock: systemClock, run: run?.run as never, verify, repository };
  const { verdicts, left } = await verdictsInCheckouts(given);
  expect(verdicts.map(({ item, verdict }) => [item, verdict.passed])).toEqual([
    ["chat:a", true],
    ["chat:b", false],
  ]);
  expect(left).toEqual([
    { attempt: "chat:c/1", reason: `no clone of eve/../../loom is in ${repository}` },
    { attempt: "chat:d/1", reason: "its item names no repository" },
  ]);
  const empty = join(home.path, "empty");
  mkdirSync(empty);
  await expect(checkRepository(empty)).rejects.toMatchObject({ code: "NO_REPOSITORY" });
});

it("an audit counts what makes labels doubtful, each with what leaves it out", async () => {
  const file = join(home.path, "rows.jsonl");
  mkdirSync(home.path, { recursive: true });
  writeFileSync(file, [row("a", { reward: 1 }), row("b", { reward: 0 }), row("c")].join("\n"));
  await importInto(home, file);
  const [run] = await listRuns(home);
  const verdict = { value: 1, confidence: 0.5, passed: true, failureMode: null, signalType: "binary" as const };
  const shaky = {
    ...verdict,
    verifier: { id: "v", version: "1" },
    before: { value: 1, passed: true },
    evidence: null,
    flags: ["environment-suspect" as const],
  };
  await giveVerdicts({ home, clock: systemClock }, run as never, {
    verdicts: [{ item: "b", attempt: 1, verdict: shaky }],
    origin: "label",
  });
  const lake = await openLake(home);
  const audit = await auditLabels(lake, run?.run as never);
  lake.close();
  const counts = Object.fromEntries(audit.findings.map(({ what, count }) => [what, count]));
  expect(audit).toMatchObject({ attempts: 3, passed: 2 });
  expect(counts).toMatchObject({
    "passes that were there before the action": 1,
    "the environment was not sound": 1,
    "nobody judged the attempt": 1,
    "an opinion decides, or a verifier that is not sure": 1,
    "a text was cut where it was recorded": 0,
    "a part of a turn was never recorded": 0,
  });
  expect(audit.findings.find(({ what }) => what === "nobody judged the attempt")?.examples).toEqual([
    `${run?.run}/chat:c/1`,
  ]);
  expect(audit.verifiers.map(({ verifier }) => verifier).toSorted()).toEqual(["reward@unknown", "v@1"]);
});
