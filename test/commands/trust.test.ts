/** `tracemill reverify`, `audit` and `label` as a user types them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { foreignStart } from "../../src/capture/foreign-item.ts";
import type { ReverifyReport } from "../../src/capture/index.ts";
import reverify from "../../src/commands/reverify.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { type AttemptId, newRunId, type RunId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import { tracemill as startTracemill } from "../fixtures/tracemill.ts";
import { ROOT } from "../fixtures/venv.ts";
import { coin, temporaryHome } from "../harness/setting.ts";

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

const tracemill = (...words: string[]) => startTracemill(home, ...words);

async function newRun(): Promise<string> {
  const manner = ["--attempts", "2", "--limit", "4", "--concurrency", "2"];
  await tracemill("run", "--skill", "letters", "--model", "scripted", "--endpoint", model.url, ...manner);
  const [run] = await listRuns(home);
  return run?.run ?? "";
}

it("reverify prints how then and now agree, and lists what an older verifier judged", async () => {
  const run = await newRun();
  const { stdout, exitCode } = await tracemill("reverify", run);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(
    /8 attempts asked about, 0 in conflict; judged by letter-in-text@1: 8, now by letter-in-text@1/,
  );
  expect(stdout).toMatch(/^passed then +\d +0$/m);
  const listed = await tracemill("reverify", "--skill", "letters", "--outdated", "--dry-run");
  expect(listed.stdout).toBe(
    `Run ${run}: judged by letter-in-text@1: 8; nothing was asked, of 0 attempts to ask about`,
  );
  const all = await tracemill("reverify", run, "--dry-run");
  expect(all.stdout.match(/^\S+\/letters:\S+: letter-in-text@1$/gm)).toHaveLength(8);
  const refused = await tracemill("reverify", "nothing");
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("UNKNOWN_RUN")]);
  expect((await tracemill("reverify")).stderr).toContain("BAD_ARGUMENT");
});

it("reverify asks about what an agent of the user's own answered, and lists what cannot be replayed", async () => {
  const agent = `${process.execPath} ${join(ROOT, "test", "fixtures", "programs", "agent.mjs")}`;
  const manner = ["--attempts", "1", "--limit", "2", "--agent", agent];
  await tracemill("run", "--skill", "letters", "--model", "scripted", "--endpoint", model.url, ...manner);
  const [made] = await listRuns(home);
  expect(made?.command).toBe("agent");
  const { stdout, exitCode } = await tracemill("reverify", made?.run ?? "");
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining("2 attempts asked about, 0 in conflict")]);
  const rows = join(home.path, "rows.jsonl");
  const messages = [
    { role: "user", content: "q" },
    { role: "assistant", content: "SELECT 1" },
  ];
  writeFileSync(rows, `${JSON.stringify({ id: "a", reward: 1, messages })}\n`);
  await tracemill("import", rows, "--skill", "sql");
  const imported = (await listRuns(home)).find(({ command }) => command === "import")?.run;
  const listed = await tracemill("reverify", "--skill", "sql", "--outdated", "--dry-run");
  expect(listed.stdout.split("\n")).toEqual([
    `Run ${imported}: judged by reward@unknown: 1; nothing was asked, of 0 attempts to ask about`,
    `1 attempt has no action to replay; say what came of it: tracemill label ${imported} --from FILE`,
    `${imported}/sql:a/1: reward@unknown`,
  ]);
  expect((await tracemill("reverify", imported ?? "")).stderr).toContain("NOT_REPLAYABLE");
});

it("reverify that could ask about nothing says why", () => {
  const attempt = "20261101-120000-3fa1/stig:a/1" as AttemptId;
  const verifier = { id: "openscap", version: "1" };
  const report: ReverifyReport = {
    ...{ run: "20261101-120000-3fa1" as RunId, verifier: null, recordedBy: [{ verifier, attempts: 1 }] },
    agreement: { bothPassed: 0, bothFailed: 0, passedThen: 0, passedNow: 0 },
    ...{ chosen: [{ attempt, verifier }], notReplayable: [], conflicts: [], contradicted: [] },
    left: [{ attempt, reason: "openscap is not installed" }],
  };
  const input = { sample: 1, outdated: false, dryRun: false };
  expect(reverify.print?.([report], input).split("\n")).toEqual([
    "Run 20261101-120000-3fa1: judged by openscap@1: 1; nothing was asked, of 1 attempt to ask about",
    `not asked: ${attempt}: openscap is not installed`,
  ]);
});

it("audit reports counts with what leaves them out, and refuses a run that may still grow", async () => {
  const { stdout, exitCode } = await tracemill("audit", await newRun());
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/8 attempts, \d passed/);
  expect(stdout).toMatch(/^nobody judged the attempt +0 of 8/m);
  expect(stdout).toContain("verdicts by verifier:   letter-in-text@1: 8");
});

it("label takes a list, counts what matches nothing, and says so by its exit code", async () => {
  const run = await newRun();
  const labels = join(home.path, "labels.jsonl");
  const [item = ""] = JSON.parse(
    (await tracemill("sql", "SELECT min(item) AS item FROM attempts", "--json")).stdout,
  ).rows.map((row: { item: string }) => row.item);
  writeFileSync(labels, `${JSON.stringify({ item, attempt: 2, value: 1 })}\n{"item":"none","value":0}\n`);
  const { stdout, exitCode } = await tracemill("label", run, "--from", labels);
  expect([exitCode, stdout]).toEqual([
    3,
    `1 attempt of ${run} has a verdict now\n1 label matches no attempt, such as letters:none`,
  ]);
  expect((await tracemill("label", run, "--from", `${labels}.gone`)).stderr).toContain("NO_LABELS");
  expect((await tracemill("label", run)).stderr).toContain("BAD_ARGUMENT");
});

it("audit says of a recorded run how it is sealed, and of one of tracemill's own how it goes on; seal takes either name", async () => {
  const begin = (config: Record<string, string>) => {
    const run = newRunId(systemClock);
    const log = createRunLog(home, { run, clock: systemClock });
    log.append({ type: "run_started", data: foreignStart({ run, skill: "mine", codeVersion: "t", config }) });
    log.close();
    return run;
  };
  const recorded = begin({ command: "record", label: "nightly" });
  const own = begin({ command: "run" });
  const refused = async (name: string) => (await tracemill("audit", name)).stderr;
  const ofRecorded = await refused("nightly");
  expect(ofRecorded).toContain(`tracemill seal ${recorded}`);
  expect(ofRecorded).not.toContain("--resume");
  expect(await refused(own)).toContain(`tracemill run --resume ${own}`);
  expect((await tracemill("seal", own)).stderr).toContain("NOT_RECORDED");
  expect((await tracemill("seal", "nightly")).stdout).toMatch(new RegExp(`^Sealed ${recorded}: 0 attempts`));
});
