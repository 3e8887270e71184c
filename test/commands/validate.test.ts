/**
 * `tracemill validate` as a user types it, with a tiny base and an adapter that changes its answers: arms side by side, the user's
 * own agent behind the same two models, the base against itself, and a candidate that has seen the test.
 */
import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Hash } from "../../src/foundation/hashing.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { Decision } from "../../src/records/comparison.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { readAdapterManifest, readBaseManifest, readPlan } from "../../src/store/manifests.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { soundHome } from "../fixtures/sound-home.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { letters, writeAdapter } from "../validate/sample-comparison.ts";

const AGENTS = process.env.TRACEMILL_AGENTS ?? join(PACKAGE_FOLDER, ".venv-agents");
const hasAgents = existsSync(join(AGENTS, "bin", "mini"));
if (!hasAgents) console.log(`skipped: mini-swe-agent of PyPI is not in ${AGENTS}: make agents installs it`);

const SMALL = ["--skill", "letters", "--limit", "22", "--arms", "base", "--arms", "candidate", "--general", "none"];

let home: Home;
let remove: () => Promise<void>;
let adapterHash: Hash;

beforeAll(async () => {
  ({ home, adapterHash, remove } = await soundHome());
}, 240_000);

afterAll(() => remove());

async function validated(...words: string[]): Promise<{ decision: Decision; exitCode: number | undefined }> {
  const { stdout, stderr, exitCode } = await tracemill(home, "validate", ...words, "--json");
  expect(stdout, stderr).toMatch(/^\{/);
  return { decision: JSON.parse(stdout), exitCode };
}

/** What was ever planned here. */
const planned = () => readdir(join(home.path, "comparisons")).catch(() => []);

async function rows(query: string): Promise<Record<string, unknown>[]> {
  const lake = await openLake(home);
  try {
    return (await lake.query(query)) as Record<string, unknown>[];
  } finally {
    lake.close();
  }
}

describe("arms", { timeout: 240_000 }, () => {
  test("attempt the same items side by side, each with its own model, and the same command gives the same decision", async () => {
    const { decision, exitCode } = await validated(...SMALL, "--candidate", "sound", "--concurrency", "2");
    expect(exitCode).toBe(4);
    expect(decision).toMatchObject({ adapterHash, hasPassed: false, dropped: [], sides: [] });
    expect(decision.axes.find(({ axis }) => axis === "canary")?.outcome).toBe("passed");
    expect(decision.reasons.at(-1)).toMatch(/0 side axes passed; 1 must/);

    const runs = decision.arms.map(({ arm, runs: [run] }) => ({ arm, run: run?.run }));
    const attempts = await rows(
      `SELECT run, adapter_hash, recorded_at FROM turns WHERE run IN ('${runs.map(({ run }) => run).join("','")}') ORDER BY recorded_at`,
    );
    expect(attempts).toHaveLength(44);
    const candidate = runs.find(({ arm }) => arm === "candidate")?.run;
    for (const { run, adapter_hash } of attempts) expect(adapter_hash).toBe(run === candidate ? adapterHash : null);
    const firstHalf = attempts.slice(0, 22).filter(({ run }) => run === candidate).length;
    expect(Math.abs(firstHalf - 11)).toBeLessThanOrEqual(3);

    const before = await readdir(join(home.path, "runs"));
    expect((await validated(...SMALL, "--candidate", "sound", "--concurrency", "2")).decision).toEqual(decision);
    expect(await readdir(join(home.path, "runs"))).toEqual(before);
  });

  test("are run several times each where samples are asked for, at a skill at the side as well", async () => {
    const more = ["--samples", "2", "--temperature", "0.9", "--sides", "parity", "--side-limit", "12"];
    const { decision } = await validated(...SMALL, "--candidate", "sound", ...more);
    expect(decision.arms.map(({ arm, n, runs }) => ({ arm, n, runs: runs.length }))).toEqual([
      { arm: "base", n: 44, runs: 2 },
      { arm: "candidate", n: 44, runs: 2 },
    ]);
    expect(decision.pairs[0]).toMatchObject({ oneTry: null, n: 22 });
    expect(decision.pairs[0]?.variance).not.toBeNull();
    expect(decision.sides.map(({ skill, arms }) => ({ skill, n: arms[0]?.n }))).toEqual([{ skill: "parity", n: 24 }]);
    expect(decision.axes.map(({ axis }) => axis)).toContain("parity");
  });

  test("of the user's own agent differ in nothing but the model behind the proxy", async () => {
    const agent = `${process.execPath} ${join(PACKAGE_FOLDER, "test/fixtures/programs/agent.mjs")}`;
    const { decision } = await validated(...SMALL, "--limit", "12", "--candidate", "sound", "--agent", agent);
    expect((await readPlan(home, decision.comparisonHash)).agent).toBe(agent);
    for (const { arm, n, runs } of decision.arms) {
      expect(n).toBe(12);
      const turns = await rows(`SELECT DISTINCT adapter_hash, request FROM turns WHERE run = '${runs[0]?.run}'`);
      expect(turns.map((turn) => turn.adapter_hash)).toEqual([arm === "candidate" ? adapterHash : null]);
      expect(JSON.parse(String(turns[0]?.request))).toMatchObject({ temperature: 0.5 });
    }
  });
});

test("general ability is measured on both arms, becomes an axis, and stands in the plan", {
  timeout: 240_000,
}, async () => {
  const words = [...SMALL.filter((word) => word !== "--general" && word !== "none"), "--general", "multiple-choice"];
  const { decision } = await validated(...words, "--limit", "11", "--candidate", "sound");
  const axis = decision.axes.find((one) => one.axis === "multiple-choice");
  expect(axis).toMatchObject({ kind: "side" });
  expect(axis?.interval).not.toBeNull();
  expect(decision.shown.map(({ arm }) => arm)).toEqual(expect.arrayContaining(["base", "candidate"]));
  const { general } = await readPlan(home, decision.comparisonHash);
  expect(general).toMatchObject([{ set: "multiple-choice", texts: 168 }]);
});

test("solved items that a skill brings along are an arm of their own, from a run that is on record", {
  timeout: 240_000,
}, async () => {
  const words = ["--skill", "sql", "--limit", "6", "--candidate", "sound", "--general", "none"];
  const { decision } = await validated(...words, "--arms", "few-shot", "--arms", "base");
  const { arms } = await readPlan(home, decision.comparisonHash);
  const [shots] = arms.find(({ arm }) => arm === "few-shot")?.tipRuns ?? [];
  const saved = await rows(`SELECT count(*) AS n FROM tips WHERE run = '${shots?.run}'`);
  expect(Number(saved[0]?.n)).toBeGreaterThan(10);
  const run = decision.arms.find(({ arm }) => arm === "few-shot")?.runs[0]?.run;
  const shown = await rows(`SELECT count(*) AS n FROM retrievals WHERE run = '${run}' AND is_rendered`);
  expect(Number(shown[0]?.n)).toBeGreaterThan(0);

  const none = await tracemill(home, "validate", ...SMALL, "--candidate", "sound", "--arms", "few-shot");
  expect(none.stderr).toContain("NO_STARTERS: ");
});

test("the base against itself shows the noise of serving, judges nothing, and uses up no test set", {
  timeout: 240_000,
}, async () => {
  const { decision, exitCode } = await validated("--skill", "letters", "--limit", "22", "--base", "tiny", "--aa");
  expect(exitCode).toBe(0);
  expect(decision).toMatchObject({ adapterHash: null, axes: [], hasPassed: false });
  expect(decision.arms.map(({ arm }) => arm)).toEqual(["base", "base again"]);
  expect(decision.pairs[0]).toMatchObject({ difference: 0, oneTry: { onlyTreatment: 0, onlyReference: 0 } });
  expect((await readPlan(home, decision.comparisonHash)).use).toBe(1);
});

test("a candidate that has seen the test is refused on record, without a call, and cannot be promoted", {
  timeout: 240_000,
}, async () => {
  const base = await readBaseManifest(home, "tiny");
  const leaky = await writeAdapter(home, { trainedOn: await letters("test", 3), baseHash: base.baseHash });
  const before = await readdir(join(home.path, "runs"));
  const { decision, exitCode } = await validated(...SMALL, "--candidate", leaky);
  expect(exitCode).toBe(4);
  expect(decision.axes.find(({ axis }) => axis === "leakage")).toMatchObject({ outcome: "failed" });
  expect(await readdir(join(home.path, "runs"))).toEqual(before);
  const promoted = await tracemill(home, "promote", leaky, "--for", "letters");
  expect(promoted.exitCode).toBe(2);
  expect(promoted.stderr).toContain("GATE_NOT_PASSED");
});

test("two runs that exist already are paired by item, and decide nothing", { timeout: 240_000 }, async () => {
  const { decision } = await validated(...SMALL, "--candidate", "sound", "--concurrency", "2");
  const runs = decision.arms.flatMap(({ runs: [one] }) => ["--runs", one?.run ?? ""]);
  const { stdout, exitCode } = await tracemill(home, "validate", ...runs, "--json");
  expect(exitCode).toBe(0);
  const { verdict: _, oneTry: judged, ...planned } = decision.pairs[0] as Decision["pairs"][number];
  const { label, pair } = JSON.parse(stdout);
  expect(label).toBe("unrandomised");
  expect(pair).toMatchObject({ n: planned.n, difference: planned.difference, families: planned.families });
  expect(pair.oneTry.midP).toBeCloseTo(judged?.midP ?? Number.NaN, 12);
  const text = await tracemill(home, "validate", ...runs);
  expect(text.stdout).toContain("Unrandomised: ");
  expect(text.stdout).not.toContain("verdict");
  const one = await tracemill(home, "validate", ...runs.slice(0, 2));
  expect(one.stderr).toContain("BAD_ARGUMENT: Two runs are compared.");
});

test("a plan says what the items could show, and runs nothing", async () => {
  const before = await readdir(join(home.path, "runs"));
  const { stdout, exitCode } = await tracemill(home, "validate", ...SMALL, "--sides", "parity", "--plan", "--json");
  expect(exitCode).toBe(0);
  const { items, sides, rows } = JSON.parse(stdout);
  expect(items).toBe(22);
  expect(sides).toMatchObject([{ skill: "parity" }]);
  expect(rows).toHaveLength(5);
  const possible = rows.filter(({ whole }: { whole: number | null }) => whole !== null);
  expect(possible.length).toBeGreaterThan(2);
  for (const { primary, whole } of possible) expect(whole).toBeLessThanOrEqual(primary);
  expect(await readdir(join(home.path, "runs"))).toEqual(before);
});

describe("what does not fit together is refused before anything is planned", () => {
  for (const [what, words, told] of [
    ["no candidate", ["--base", "tiny"], "BAD_ARGUMENT: --candidate does not fit."],
    ["several greedy runs", ["--candidate", "sound", "--samples", "2"], "BAD_ARGUMENT: --temperature does not fit."],
    ["a champion where none is", ["--candidate", "sound", "--against", "champion"], "NO_CHAMPION: "],
    [
      "the skill at its own side",
      ["--candidate", "sound", "--sides", "letters"],
      "BAD_ARGUMENT: --sides does not fit.",
    ],
    ["a gate that is not there", ["--candidate", "sound", "--gate", "none.yaml"], "BAD_GATE: "],
  ] as const) {
    test(what, async () => {
      const plans = await planned();
      const { exitCode, stderr } = await tracemill(home, "validate", ...SMALL, ...words);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(told);
      expect(await planned()).toEqual(plans);
    });
  }
});

test("a champion to beat is no measure of harm alone: the base attempts the skills at the side too", {
  timeout: 240_000,
}, async () => {
  const base = await readBaseManifest(home, "tiny");
  const { datasetHash } = await readAdapterManifest(home, "sound");
  await registerAdapter(home, base, { name: "next", from: await tinyAdapter(2), datasetHash });
  const promoted = await tracemill(home, "promote", "sound", "--for", "sql", "--override", "a champion is needed");
  expect(promoted.exitCode, promoted.stderr).toBe(0);
  const words = ["--against", "champion", "--sides", "letters", "--side-limit", "11"];
  const few = ["--skill", "sql", "--limit", "6", "--general", "none", "--arms", "candidate"];
  const { decision } = await validated(...few, ...words, "--candidate", "next");
  expect(decision.arms.map(({ arm }) => arm)).toEqual(["champion", "base", "candidate"]);
  expect(decision.sides[0]?.pairs.map(({ reference }) => reference)).toEqual(["champion", "base"]);
  expect(decision.axes.find(({ axis }) => axis === "letters")?.reason).toMatch(/^Against the (arm to beat|base): /);
});

/** A short prompt and few steps: the tiny base has room for 2048 tokens, and nothing to say in any number of steps. */
const MINI = `
agent: { instance_template: "{{task}}", step_limit: 2, cost_limit: 0, mode: yolo }
model: { model_kwargs: { max_tokens: 16, temperature: 0 } }
`;

test.skipIf(!hasAgents)(
  "mini-swe-agent attempts a verified task set behind both models",
  { timeout: 300_000 },
  async () => {
    const settings = join(home.path, "mini.yaml");
    await writeFile(settings, MINI);
    const mini = `${join(AGENTS, "bin", "mini")} -y --exit-immediately -c mini.yaml -c ${settings} -o /dev/null`;
    const env = {
      ...{ TRACEMILL_HOME: home.path, TRACEMILL_SKILLS: join(PACKAGE_FOLDER, "examples", "skills") },
      ...{ MSWEA_CONFIGURED: "true", MSWEA_SILENT_STARTUP: "1", MSWEA_COST_TRACKING: "ignore_errors" },
      ...{ MSWEA_GLOBAL_CONFIG_DIR: join(home.path, "mini"), LITELLM_LOCAL_MODEL_COST_MAP: "True" },
      MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT: "1",
    };
    const words = [
      "--skill",
      "test-command",
      "--limit",
      "2",
      "--base",
      "tiny",
      "--candidate",
      "sound",
      "--arms",
      "base",
      "--general",
      "none",
    ];
    const agent = `${mini} -m openai/$TRACEMILL_MODEL -t "$TRACEMILL_TASK"`;
    const { stdout, stderr, exitCode } = await execa(
      process.execPath,
      [join(PACKAGE_FOLDER, "bin", "tracemill.js"), "validate", ...words, "--agent", agent, "--json"],
      { env, reject: false },
    );
    expect(exitCode, stderr).toBe(4);
    const decision: Decision = JSON.parse(stdout);
    for (const { arm, n, runs } of decision.arms) {
      expect(n).toBe(2);
      const turns = await rows(`SELECT adapter_hash FROM turns WHERE run = '${runs[0]?.run}' AND response IS NOT NULL`);
      expect(turns.length).toBeGreaterThanOrEqual(2);
      for (const turn of turns) expect(turn.adapter_hash).toBe(arm === "candidate" ? adapterHash : null);
    }
  },
);
