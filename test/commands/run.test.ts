/**
 * `tracemill run` as a user types it: a process of its own against a scripted endpoint.
 */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunSummary } from "../../src/commands/run.ts";
import { runInput } from "../../src/commands/run-input.ts";
import { resumedTask } from "../../src/commands/run-task.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import { tracemill as startTracemill } from "../fixtures/tracemill.ts";
import { coin, eventsOf, only, temporaryHome } from "../harness/setting.ts";

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  model = await startScriptedModel({ replies: (request) => ({ ...coin(request), delayMs: 4 }) });
});

afterEach(async () => {
  await model.close();
  remove();
});

process.env.TRACEMILL_SKILLS = join(import.meta.dirname, "../fixtures/skills");

const tracemill = (...words: string[]) => startTracemill(home, ...words);

const LETTERS = ["run", "--skill", "letters", "--model", "scripted"];

describe("tracemill run", () => {
  it("ends with a summary that names the log", async () => {
    const { stdout, stderr, exitCode } = await tracemill(...LETTERS, "--limit", "5", "--endpoint", model.url);
    const [run] = await listRuns(home);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Run \S+: scripted at 5 letters items of the train split, /);
    expect(stdout).toMatch(/attempts {2}20, \d+ passed \(\d+\.\d %\)\n/);
    expect(stdout).toContain(home.runLog(run?.run ?? ""));
    expect(stderr).toMatch(
      /run letters train: 20\/20 in .* passed, \d items solved \(\d of \d at the first try\), \d+ tips, \d+ attempts\/min, \d+ tokens\/s/,
    );
    expect(run).toMatchObject({ isSealed: true, memory: "grow", split: "train" });
  });

  it("--agent lets an agent of one's own work at the items, and says what came of it", async () => {
    const agent = `node ${join(import.meta.dirname, "../fixtures/programs/agent.mjs")}`;
    const manner = ["--agent", agent, "--attempts", "1", "--limit", "3", "--concurrency", "2"];
    const { stdout, exitCode } = await tracemill(...LETTERS, ...manner, "--endpoint", model.url);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/ at 3 letters items of the train split, .*\n {2}attempts {2}3, \d passed \(\d+\.\d %\)\n/);
    const [run] = await listRuns(home);
    expect(run).toMatchObject({ isSealed: true, command: "agent", split: "train" });
    expect(model.requests).toHaveLength(3);
  });

  it("says why an agent cannot be started, and judges nothing", async () => {
    const manner = ["--agent", "no-such-agent my_agent.py", "--attempts", "2", "--limit", "3"];
    const { stdout, stderr, exitCode } = await tracemill(...LETTERS, ...manner, "--endpoint", model.url);
    expect([exitCode, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(
      /is not finished \(the agent ended with the exit code 127 .*no-such-agent.*\)\. .* need whole paths.* go on with: /,
    );
    const [run] = await listRuns(home);
    expect(run?.isSealed).toBe(false);
    expect(only(await eventsOf(home, run?.run as never), "verdict")).toEqual([]);
  });

  it("tells rates with their intervals", async () => {
    const { stdout } = await tracemill(...LETTERS, "--limit", "5", "--endpoint", model.url);
    for (const what of ["first try", "solved {3}"]) {
      expect(stdout).toMatch(
        new RegExp(`${what} +\\d of 5 items \\(\\d+\\.\\d %, 95 % \\d+\\.\\d to \\d+\\.\\d %\\)\\n`),
      );
    }
  });

  it("tells a program what happens while it happens, each line an event, and the result apart", async () => {
    const { stdout, stderr } = await tracemill(...LETTERS, "--limit", "3", "--endpoint", model.url, "--json");
    const result = JSON.parse(stdout) as RunSummary;
    const events = stderr.split("\n").map((line) => JSON.parse(line));
    const progress = events.filter(({ event }) => event === "progress");
    expect(progress.length).toBeGreaterThan(result.attempts);
    expect(progress.at(-1)).toMatchObject({ done: 12, total: 12, attempts: result.attempts, passed: result.passed });
    expect(new Set(events.filter(({ event }) => event === "item_finished").map(({ item }) => item)).size).toBe(3);
    expect(events.at(-1)).toMatchObject({ event: "finished", title: "run letters train" });
    expect(result.rates.firstTry).toMatchObject({ n: 3, passed: result.firstPasses });
  });

  it("takes every option into the run's record", async () => {
    const roles = ["--role", "worker=model", "--role", "architect=sweeps", "--role", "reflector=none"];
    const numbers = ["--attempts", "3", "--enough", "1", "--concurrency", "2", "--seed", "7", "--item-seed", "9"];
    const sampling = ["--temperature", "0.5", "--top-p", "0.9", "--max-tokens", "30"];
    const rest = ["--split", "validation", "--memory", "none", "--limit", "4", "--endpoint", model.url, "--json"];
    const { stdout, exitCode } = await tracemill(...LETTERS, ...roles, ...numbers, ...sampling, ...rest);
    const { run } = JSON.parse(stdout) as RunSummary;
    expect(exitCode).toBe(0);
    expect(only(await eventsOf(home, run), "run_started")[0]).toMatchObject({
      skill: { id: "letters", version: "1" },
      models: {
        worker: { name: "scripted", endpoint: model.url, baseHash: null, adapterHash: null },
        architect: { rule: "sweeps" },
        reflector: { rule: "none" },
      },
      sampling: { temperature: 0.5, topP: 0.9, maxTokens: 30 },
      seed: 7,
      split: "validation",
      memory: "none",
      config: { command: "run", attempts: 3, enough: 1, concurrency: 2, itemSeed: 9, limit: 4, items: null },
    });
  });

  it("stopped by Ctrl-C names the command to go on with, and that one finishes the run", async () => {
    const interrupted = tracemill(...LETTERS, "--concurrency", "2", "--endpoint", model.url);
    while (model.requests.length < 5) await new Promise((resolve) => setTimeout(resolve, 2));
    interrupted.kill("SIGINT");
    const { exitCode, stderr } = await interrupted;
    const [run] = await listRuns(home);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`STOPPED_EARLY: Run ${run?.run} is not finished (it was stopped)`);
    expect(stderr).toContain(`tracemill run --resume ${run?.run}`);
    expect(run?.isSealed).toBe(false);

    const resumed = await tracemill("run", "--resume", run?.run ?? "", "--json");
    expect(JSON.parse(resumed.stdout)).toMatchObject({ run: run?.run, isComplete: true, failures: 0 });
    const events = await eventsOf(home, run?.run as never);
    const [scanned] = only(events, "items_scanned");
    expect(new Set(only(events, "verdict").map((v) => v.attempt)).size).toBe(4 * (scanned?.items.length ?? 0));
  });

  it("records what the servers of its models are told, and goes on with the same", async () => {
    const server = ["--server-args", "--seed 1", "--start-timeout", "2m", "--context-tokens", "512"];
    await tracemill(...LETTERS, "--limit", "1", "--endpoint", model.url, ...server);
    const run = (await listRuns(home))[0]?.run as RunId;
    const told = { serverArgs: "--seed 1", startTimeout: "2m", contextTokens: 512 };
    expect(only(await eventsOf(home, run), "run_started")[0]?.config).toMatchObject(told);
    const resumed = await resumedTask(run, runInput.parse({}), home);
    expect(resumed.starting).toEqual({ args: ["--seed", "1"], startTimeoutMs: 120_000, contextTokens: 512 });
    await resumed.skill.close();
  });

  it("asks each role's model at its own endpoint, also when it goes on", async () => {
    const other = await startScriptedModel({ models: ["big"], replies: () => ({ content: "{}" }) });
    try {
      const roles = ["--role", `auditor=big@${other.url}`, "--role", "reflector=none", "--concurrency", "1"];
      const started = tracemill(...LETTERS, ...roles, "--limit", "6", "--endpoint", model.url);
      while (other.requests.length < 1) await new Promise((resolve) => setTimeout(resolve, 2));
      started.kill("SIGINT");
      expect((await started).exitCode).toBe(3);
      const [run] = await listRuns(home);
      const before = other.requests.length;
      const { exitCode } = await tracemill("run", "--resume", run?.run ?? "");
      expect(exitCode).toBe(0);
      expect(other.requests.length).toBeGreaterThan(before);
      expect(model.requests.every((request) => request.model === "scripted")).toBe(true);
      const events = await eventsOf(home, run?.run as never);
      expect(only(events, "run_started")[0]?.models).toMatchObject({
        worker: { name: "scripted", endpoint: model.url },
        auditor: { name: "big", endpoint: other.url },
      });
      const asked = only(events, "turn").filter(({ role }) => role === "auditor");
      expect(asked.length).toBe(other.requests.length);
    } finally {
      await other.close();
    }
  });

  it("names the role whose endpoint is down, and the rules where a name is neither", async () => {
    const down = await tracemill(...LETTERS, "--endpoint", model.url, "--role", "reflector=big@http://127.0.0.1:1/v1");
    expect(down.stderr).toContain("ENDPOINT_DOWN: The endpoint of big (reflector) does not answer");
    const typo = await tracemill(...LETTERS, "--endpoint", model.url, "--role", "architect=scanorder");
    expect(typo.stderr).toContain("It is to play: architect.");
    expect(typo.stderr).toContain("a rule (architect: promising, scan-order, sweeps)");
    expect(await listRuns(home)).toEqual([]);
    const none = await tracemill(...LETTERS, "--endpoint", model.url, "--role", "auditor=none", "--limit", "1");
    expect(none.exitCode).toBe(0);
  });

  it("reads the tips of a train run with --tips-from", async () => {
    const trained = JSON.parse((await tracemill(...LETTERS, "--endpoint", model.url, "--json")).stdout) as RunSummary;
    const words = ["--split", "test", "--tips-from", trained.run, "--attempts", "1", "--limit", "4"];
    const tested = JSON.parse((await tracemill(...LETTERS, ...words, "--endpoint", model.url, "--json")).stdout);
    const events = await eventsOf(home, tested.run);
    expect(only(events, "run_started")[0]).toMatchObject({ memory: "frozen", tipRuns: [{ run: trained.run }] });
    expect(only(events, "turn").every((turn) => turn.tipSpans.length > 0)).toBe(true);
    expect(only(events, "tip_saved")).toEqual([]);
  });

  it.each([
    ["without a skill", ["run", "--model", "m"], "BAD_ARGUMENT: --skill is missing."],
    ["without a model", ["run", "--skill", "letters"], "BAD_ARGUMENT: --model is missing."],
    ["with an unknown skill", ["run", "--skill", "lettrs", "--model", "m"], 'did you mean "letters"?'],
    ["with an unknown model", ["run", "--skill", "letters", "--model", "smolm"], "UNKNOWN_MODEL"],
    ["with an unknown role", [...LETTERS, "--role", "achitect=sweeps"], 'did you mean "architect"?'],
    ["with a role that is no pair", [...LETTERS, "--role", "sweeps"], 'got:      "sweeps"'],
    ["with tips of an unknown run", [...LETTERS, "--tips-from", "20260101-000000-0000"], "UNKNOWN_RUN"],
    ["of an unknown run to resume", ["run", "--resume", "20260101-000000-0000"], "UNKNOWN_RUN"],
    ["with an endpoint that is down", [...LETTERS, "--endpoint", "http://127.0.0.1:1/v1"], "(worker) does not answer"],
    ["with a role's endpoint that is no URL", [...LETTERS, "--role", "auditor=big@ftp://host/v1"], "role=NAME@http"],
    ["with a password in it", [...LETTERS, "--role", "auditor=big@http://me:secret@host/v1"], "without a password"],
    ["to resume with other settings", ["run", "--resume", "R", "--item-seed", "9"], "--item-seed cannot be given"],
  ])("is refused %s", async (_, words, message) => {
    const { exitCode, stderr } = await tracemill(...words);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
    expect(await listRuns(home)).toEqual([]);
  });
});
