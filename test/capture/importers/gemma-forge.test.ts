/** Logs of gemma-forge: what they tell, what they do not, and how both compare with what really happened. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { ImportReport } from "../../../src/capture/import-files.ts";
import { chosenRuns } from "../../../src/commands/chosen-runs.ts";
import { hasPostgres, startPostgres } from "../../fixtures/postgres.ts";
import { only, temporaryHome } from "../../harness/setting.ts";
import { FIXTURES, folder, freshFolders, home, imported, importInto } from "./setting.ts";

freshFolders();

const RULE = "xccdf_org.ssgproject.content_rule_sshd_disable_root_login";

/** A log of events, each `[type, agent, data]`. */
function logOf(...events: [string, string, Record<string, unknown>][]): string {
  const path = join(folder, "run-20260420-101500.jsonl");
  const lines = [["run_start", "system", { run_id: "20260420-101500" }] as const, ...events].map(
    ([event_type, agent, data], i) => ({
      timestamp: `2026-04-20T10:15:00.${String(i).padStart(3, "0")}000+00:00`,
      ...{ elapsed_s: i / 1000, event_type, agent, iteration: 0, data },
    }),
  );
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

type Event = [string, string, Record<string, unknown>];

/** One attempt as the harness logs it. */
function attempt(
  given: {
    rule?: string;
    n?: number;
    script?: string;
    result?: string;
    health?: string;
    check?: string;
    text?: string;
  } = {},
): Event[] {
  const { rule = RULE, n = 1, script = "echo fix", result = "{'result': 'APPLIED: ok'}", text = "Done." } = given;
  const { health = "HEALTHY: all active", check = `RULE_CHECK: ${rule} = PASS` } = given;
  return [
    ["attempt_start", "harness", { rule_id: rule, category: "ssh", attempt: n }],
    ["prompt_assembled", "worker", { phase: "apply_fix", rule_id: rule, attempt: n, used_tokens: 50 }],
    ["tool_call", "worker", { tool: "apply_fix", args: { fix_script: script, revert_script: "", description: "d" } }],
    ["tool_result", "worker", { tool: "apply_fix", result }],
    ["agent_response", "worker", { text, tokens: { prompt: 9, completion: 4 }, model: "gemma" }],
    ["evaluation", "harness", { passed: true, failure_mode: "clean_failure", health, rule_check: check }],
  ];
}

const remediated = (rule = RULE, n = 1): Event => ["remediated", "harness", { rule_id: rule, attempt: n }];

async function verdicts(...events: Event[]) {
  const report = await importInto(home, logOf(...events));
  const { events: logged } = await imported(home, report);
  return only(logged, "verdict").map(({ attempt, verdict }) => ({ attempt: attempt.slice(21), ...verdict }));
}

describe("a verdict", () => {
  it("is made anew from the evaluator's texts: a host that is UNHEALTHY did not pass", async () => {
    const [verdict] = await verdicts(...attempt({ health: "UNHEALTHY: nginx inactive" }), remediated());
    expect(verdict).toMatchObject({ passed: false, confidence: 1, failureMode: "health_failure", flags: ["imported"] });
  });

  it("of a rule with `pass` in its name is not known where it says PASS, and is where the host is broken", async () => {
    const rule = "xccdf_org.ssgproject.content_rule_accounts_password_minlen";
    const [untold, broken] = await verdicts(
      ...attempt({ rule }),
      remediated(rule),
      ...attempt({ rule, n: 2, health: "" }),
      ["revert", "harness", { rule_id: rule, attempt: 2, restore_ok: true }],
    );
    expect(untold).toMatchObject({ confidence: 0, flags: expect.arrayContaining(["evaluator-gap", "conflict"]) });
    expect(broken).toMatchObject({ passed: false, confidence: 1 });
    expect(broken?.flags).not.toContain("conflict");
  });

  it("that passed without an applied script is a no-op", async () => {
    const [verdict] = await verdicts(
      ...attempt({ result: "{'result': 'APPLY_FAILED: x\\nExit code: 1'}" }),
      remediated(),
    );
    expect(verdict).toMatchObject({ passed: true, flags: expect.arrayContaining(["noop-pass"]) });
  });

  it("is not used where the event after it names another attempt", async () => {
    const report = await importInto(home, logOf(...attempt(), remediated("another_rule")));
    const { events } = await imported(home, report);
    expect(only(events, "verdict")).toEqual([]);
    expect(report.rejected).toMatchObject([{ reason: expect.stringContaining("says another"), count: 1 }]);
  });

  it("after a restart is of the attempt that was put off until then, or else of the last one, and counted where there is none", async () => {
    const cve = (n: number, failure_mode: string): Event[] => [
      ...attempt({ n }).slice(0, -1),
      ["evaluation", "harness", { passed: false, failure_mode, advisory_cleared: true, health: "HEALTHY" }],
    ];
    const tried = [
      ...cve(1, "clean_failure"),
      ["revert", "harness", { rule_id: RULE, attempt: 1, restore_ok: true }] as Event,
      ...cve(2, "needs_reboot"),
    ];
    const putOff: Event = ["deferred_verification", "harness", { rule_id: RULE, attempt: 2, reason: "needs_reboot" }];
    const later = (rule_id = RULE): Event => ["post_deferred_evaluation", "harness", { rule_id, passed: true }];
    const others = attempt({ rule: "other_rule" });
    for (const told of [
      [...tried, putOff, ...others, later()],
      [...tried, ...others, later(), later("unknown_rule")],
    ]) {
      const report = await importInto(home, logOf(...told));
      const { events } = await imported(home, report);
      const deferred = only(events, "verdict").filter(
        ({ verdict }) => verdict.verifier.id === "gemma-forge-cve-deferred",
      );
      expect(deferred.map(({ attempt, verdict }) => [attempt.slice(-2), verdict.passed])).toEqual([["/2", true]]);
      const unplaced = report.rejected.filter(({ reason }) => reason.includes("which attempt"));
      expect(unplaced.map(({ count }) => count)).toEqual(told.includes(putOff) ? [] : [1]);
    }
  });

  it("is suspect from a restore that failed until one that did not", async () => {
    const failed = (n: number, restore_ok: boolean): Event[] => [
      ...attempt({ n, check: `RULE_CHECK: ${RULE} = FAIL` }),
      ["revert", "harness", { rule_id: RULE, attempt: n, restore_ok }],
    ];
    const flags = (await verdicts(...failed(1, false), ...failed(2, true), ...failed(3, true))).map(
      ({ flags }) => flags,
    );
    expect(flags.map((each) => each.includes("environment-suspect"))).toEqual([false, true, false]);
  });
});

describe("a turn", () => {
  it("whose script is exactly as long as the log keeps is clipped, and never whole", async () => {
    const report = await importInto(home, logOf(...attempt({ script: "x".repeat(200) }), remediated()));
    const { events, turns } = await imported(home, report);
    expect(turns[0]?.missing).toEqual(["system-prompt", "tools", "prompt", "answer", "sampling"]);
    expect(only(events, "verdict")[0]?.verdict.flags).toContain("clipped");
    expect(only(events, "action")[0]).toMatchObject({ call: { name: "apply_fix" }, exitCode: 0 });
  });

  it("whose tool said exactly as much as the log keeps says so, and its answer is judged by itself", async () => {
    const long = (n: number) => "APPLIED: ".padEnd(n, "x");
    const path = logOf(
      ...attempt({ result: long(500) }),
      remediated(),
      ...attempt({ n: 2, result: long(499) }),
      remediated(RULE, 2),
    );
    const { events } = await imported(home, await importInto(home, path));
    expect(only(events, "turn").map(({ parseFlags }) => parseFlags)).toEqual([
      ["result-clipped", "merged-calls"],
      ["merged-calls"],
    ]);
    expect(only(events, "verdict").map(({ verdict }) => verdict.flags.includes("clipped"))).toEqual([false, false]);
  });

  it("that the harness ended at its second call has the agent's words alone", async () => {
    const [started, ...rest] = attempt({ text: "I apply it.\n[harness] tool cap reached (1); ending turn." });
    const capped: Event = ["tool_call_capped", "worker", { tool: "apply_fix" }];
    const path = logOf(started as Event, ...rest.slice(0, 3), capped, ...rest.slice(3), remediated());
    const { turns } = await imported(home, await importInto(home, path));
    expect(turns.map(({ response }) => response?.content)).toEqual(["I apply it."]);
  });

  it("in which the endpoint failed is the endpoint's failure, and its attempt suspect", async () => {
    const report = await importInto(
      home,
      logOf(
        ["attempt_start", "harness", { rule_id: RULE, attempt: 1 }],
        ["prompt_assembled", "worker", { phase: "apply_fix", rule_id: RULE, attempt: 1 }],
        ["error", "worker", { error: "Error code: 500" }],
        ["evaluation", "harness", { passed: false, health: "HEALTHY: x", rule_check: `RULE_CHECK: ${RULE} = FAIL` }],
        ["revert", "harness", { rule_id: RULE, attempt: 1, restore_ok: true }],
      ),
    );
    const { events } = await imported(home, report);
    expect(only(events, "failure")).toMatchObject([{ boundary: "endpoint", code: "AGENT_ERROR" }]);
    expect(only(events, "verdict")[0]?.verdict.flags).toContain("environment-suspect");
  });

  it("of an architect that chooses belongs to no item", async () => {
    const report = await importInto(
      home,
      logOf(
        ["iteration_start", "system", { iteration: 1 }],
        ["prompt_assembled", "architect", { phase: "rule_selection" }],
        ["agent_response", "architect", { text: `RULE: ${RULE}` }],
        ["rule_selected", "architect", { rule_id: RULE, title: "No root", category: "ssh", iteration: 1 }],
        ...attempt(),
        remediated(),
      ),
    );
    const { turns } = await imported(home, report);
    expect(turns.map(({ role, attempt: at }) => [role, at])).toEqual([
      ["architect", "stig:@select/1"],
      ["worker", `stig:${RULE}/1`],
    ]);
    expect(report.imported).toMatchObject([{ items: 1, attempts: 1, passed: 1 }]);
  });
});

describe("a log that lost lines", () => {
  const OTHER = "xccdf_org.ssgproject.content_rule_umask";
  const first = () => attempt({ text: "One." });
  const second = () => attempt({ rule: OTHER, text: "Two.", check: `RULE_CHECK: ${OTHER} = FAIL` });
  const reverted: Event = ["revert", "harness", { rule_id: OTHER, attempt: 1, restore_ok: true }];
  const without = (events: Event[], ...types: string[]) => events.filter(([type]) => !types.includes(type));

  async function placesOf(...events: Event[]) {
    const report = await importInto(home, logOf(...events));
    const { events: logged, turns } = await imported(home, report);
    return {
      turns: turns.map((turn) => [turn.response?.content, turn.attempt.split("_rule_")[1]]),
      verdicts: only(logged, "verdict").map((one) => [one.attempt.split("_rule_")[1], one.verdict.passed]),
      rejected: report.rejected.map(({ count, reason }) => [count, reason]),
    };
  }

  const WHOLE = {
    turns: [
      ["One.", "sshd_disable_root_login/1"],
      ["Two.", "umask/1"],
    ],
    verdicts: [
      ["sshd_disable_root_login/1", true],
      ["umask/1", false],
    ],
    rejected: [],
  };

  it("places a worker's turn by its prompt where no event says that its attempt began", async () => {
    const events = [...first(), remediated(), ...without(second(), "attempt_start"), reverted];
    expect(await placesOf(...events)).toEqual(WHOLE);
  });

  it("places it by the event after it where the prompt is lost, too", async () => {
    const events = [...first(), remediated(), ...without(second(), "attempt_start", "prompt_assembled"), reverted];
    expect(await placesOf(...events)).toEqual(WHOLE);
  });

  it("keeps the verdict of an attempt whose end is lost, and does not take the next one's for it", async () => {
    const events = [...first(), ...without(second(), "attempt_start", "prompt_assembled"), reverted];
    expect(await placesOf(...events)).toEqual(WHOLE);
    const [evaluation] = second().slice(-1) as [Event];
    expect(await placesOf(...first(), evaluation)).toEqual({
      turns: WHOLE.turns.slice(0, 1),
      verdicts: WHOLE.verdicts.slice(0, 1),
      rejected: [[1, "no event says which attempt it is of"]],
    });
  });
});

describe("a log of the first days, in which no event says that an attempt begins", () => {
  /** What one attempt left: turns and an evaluation without any key. */
  const keyless = (rule: string, result = "PASS"): Event[] =>
    attempt({ rule, check: `RULE_CHECK: ${rule} = ${result}` }).filter(
      ([type]) => type !== "attempt_start" && type !== "prompt_assembled",
    );

  it("is placed by the event after it that names the attempt, and counted where none does", async () => {
    const path = logOf(
      ["iteration_start", "system", { iteration: 1 }],
      ["agent_response", "architect", { text: "RULE: a" }],
      ...keyless("a", "FAIL"),
      ["revert", "harness", { rule_id: "a", reason: "no" }],
      ["agent_response", "reflector", { text: "next time" }],
      ...keyless("a"),
      ["remediated", "harness", { rule_id: "a" }],
      ["iteration_start", "system", { iteration: 2 }],
      ...keyless("b"),
      ["run_complete", "system", {}],
    );
    const report = await importInto(home, path);
    const { events, turns } = await imported(home, report);
    expect(turns.map(({ role, attempt: at }) => [role, at])).toEqual([
      ["architect", "stig:@select/1"],
      ["worker", "stig:a/1"],
      ["reflector", "stig:a/1"],
      ["worker", "stig:a/2"],
    ]);
    expect(only(events, "verdict").map(({ attempt: at, verdict }) => [at.slice(21), verdict.passed])).toEqual([
      ["stig:a/1", false],
      ["stig:a/2", true],
    ]);
    expect(report.rejected).toEqual([
      { reason: "no event says which attempt it is of", count: 2, where: [`${path}:16`, `${path}:19`] },
    ]);
  });

  it("with agents that no event of the harness names anything of is counted turn by turn", async () => {
    const path = logOf(
      ["iteration_start", "system", { iteration: 1 }],
      ["tool_call", "worker", { tool: "apply_fix", args: { fix_script: "x" } }],
      ["tool_result", "worker", { tool: "apply_fix", result: "APPLIED: ok" }],
      ["agent_response", "auditor", { text: "AUDIT_FAIL" }],
      ["revert", "harness", { reason: "audit", result: "ok" }],
    );
    const report = await importInto(home, path);
    expect(report.rejected).toMatchObject([{ count: 2, where: [`${path}:3`, `${path}:5`] }]);
    expect(report.imported).toMatchObject([{ attempts: 0 }]);
  });

  it("says which evaluation holds nothing that could be judged", async () => {
    const path = logOf(["attempt_start", "harness", { rule_id: RULE }], ["evaluation", "harness", { passed: true }]);
    const { rejected } = await importInto(home, path);
    expect(rejected).toMatchObject([{ reason: expect.stringContaining("nothing that could be judged"), count: 1 }]);
  });
});

interface LedgerAttempt {
  rule_id: string;
  attempt: number;
  evaluator_verdict: boolean | null;
  truly_ok: boolean;
  noop_pass: boolean;
  eval: unknown;
  tool_calls: { script?: string; over_200?: boolean }[];
}

interface Ledger {
  runs: Record<string, { attempts: LedgerAttempt[]; files: { log?: string; jsonl?: string } }>;
}

describe.skipIf(FIXTURES === null)("the logs that gemma-forge itself wrote", () => {
  it.each(["gemma-forge", "gemma-forge/legacy"])(
    "hold every attempt of the ledger in %s, and no verdict against it",
    async (name) => {
      const source = join(FIXTURES as string, name);
      const ledger = JSON.parse(readFileSync(join(source, "ledger.json"), "utf8")) as Ledger;
      const counts = { attempts: 0, found: 0, told: 0, agree: 0, flagged: 0, clipped: 0, truly: 0, both: 0 };
      const passes = { said: 0, true: 0, right: 0 };
      for (const { attempts, files } of Object.values(ledger.runs)) {
        const report = await importInto(home, join(source, fileOf(files)), { format: "gemma-forge" });
        const { events } = await imported(home, report);
        const found = new Set(only(events, "turn").map(({ attempt }) => attempt.slice(21)));
        const verdict = new Map(only(events, "verdict").map((v) => [v.attempt.slice(21), v.verdict]));
        const action = new Map(only(events, "action").map((a) => [a.attempt.slice(21), a.call.arguments]));
        for (const truth of attempts) {
          const id = `stig:${truth.rule_id}/${truth.attempt}`;
          const said = verdict.get(id);
          counts.attempts++;
          if (found.has(id) || said !== undefined) counts.found++;
          if (said !== undefined && !said.flags.includes("conflict")) {
            counts.told++;
            if (said.passed === truth.truly_ok) counts.agree++;
            if (said.passed) passes.said++;
            if (said.passed && truth.truly_ok) passes.right++;
          } else counts.flagged++;
          if (truth.truly_ok) passes.true++;
          const script = action.get(id)?.fix_script;
          const isClipped = typeof script === "string" && script.length === 200;
          const isLong = truth.tool_calls.some(({ over_200 }) => over_200 === true) && script !== undefined;
          if (isClipped) counts.clipped++;
          if (isLong) counts.truly++;
          if (isClipped && isLong) counts.both++;
        }
      }
      const verdicts = { precision: passes.right / passes.said, recall: passes.right / passes.true };
      const clipped = { precision: counts.both / counts.clipped, recall: counts.both / counts.truly };
      console.log(`${name}: ${JSON.stringify({ ...counts, verdicts, scripts: clipped })}`);
      expect(verdicts.precision).toBe(1);
      expect(verdicts.recall).toBeGreaterThan(0.8);
      expect(counts.clipped).toBe(counts.truly);
      expect(counts.found).toBe(counts.attempts);
      expect(counts.agree).toBe(counts.told);
      expect(counts.both).toBe(counts.truly);
    },
  );
});

describe.skipIf(FIXTURES === null)("an answer that gemma-forge's log cut, held against what the model said", () => {
  it.each(["gemma-forge", "gemma-forge/legacy"])("is flagged and missing, and no other is, in %s", async (name) => {
    const source = join(FIXTURES as string, name);
    const ledger = JSON.parse(readFileSync(join(source, "ledger.json"), "utf8")) as Ledger;
    const truth = gunzipSync(readFileSync(join(source, "truth.jsonl.gz")))
      .toString()
      .trimEnd()
      .split("\n");
    const said = truth
      .map((line) => JSON.parse(line))
      .flatMap(({ kind, run, role, response }) =>
        kind === "llm" && typeof response?.message?.content === "string"
          ? [{ run, role, text: response.message.content as string }]
          : [],
      );
    const counts = { turns: 0, cut: 0, flagged: 0, both: 0, withScript: 0 };
    for (const [run, { files }] of Object.entries(ledger.runs)) {
      const report = await importInto(home, join(source, fileOf(files)), { format: "gemma-forge" });
      const { events } = await imported(home, report);
      const texts = new Map(only(events, "message").map(({ hash, message }) => [hash as string, message]));
      for (const { role, response, parseFlags, missing = [] } of only(events, "turn")) {
        const message = response === null ? undefined : texts.get(response);
        const scripts = JSON.stringify(message?.tool_calls ?? []).includes("fix_script");
        if (scripts) {
          // The answer of the call before the tool and of the one after it are one in the log.
          counts.withScript++;
          expect(missing).toContain("answer");
        }
        const text = message?.content;
        if (scripts || typeof text !== "string" || parseFlags.includes("merged-calls")) continue;
        const whole = said.filter((one) => one.run === run && one.role === role && one.text.startsWith(text));
        expect(whole.length).toBeGreaterThan(0);
        const isCut = whole.every((one) => one.text.length > text.length);
        const isFlagged = parseFlags.includes("clipped");
        counts.turns++;
        if (isCut) counts.cut++;
        if (isFlagged) counts.flagged++;
        if (isCut && isFlagged) counts.both++;
        expect(missing.includes("answer")).toBe(isCut);
      }
    }
    const figures = { precision: counts.both / counts.flagged, recall: counts.both / counts.cut };
    console.log(`${name}: answers that were cut ${JSON.stringify({ ...counts, ...figures })}`);
    expect(counts.turns).toBeGreaterThan(50);
    expect([counts.flagged, counts.both]).toEqual([counts.cut, counts.cut]);
  });
});

function fileOf(files: Record<string, unknown>): string {
  const name = Object.values(files).find((value) => typeof value === "string" && value.endsWith(".jsonl"));
  if (typeof name !== "string") throw new Error(`no log among ${JSON.stringify(files)}`);
  return name;
}

describe("the memory database", () => {
  const item = "xccdf_org.ssgproject.content_rule_sshd_root";
  const dump = () => {
    const path = join(folder, "memory.sql");
    writeFileSync(
      path,
      [
        ...["--", "-- PostgreSQL database dump", "--", "CREATE SCHEMA stig;"],
        "CREATE TABLE stig.runs (id text, skill text, started_at timestamptz, config jsonb);",
        "CREATE TABLE stig.work_items (run_id text, item_id text, title text, category text, outcome text, attempts int);",
        `CREATE TABLE stig.attempts (run_id text, item_id text, attempt_num int, approach text, eval_passed bool,
          failure_mode text, reflection text, lesson text, created_at timestamptz);`,
        `CREATE TABLE stig.tips (id int, text text, tip_type text, mechanism text, trigger_conditions text[],
          source_run_id text, source_rule_id text, retired_at timestamptz, retired_reason text);`,
        "COPY stig.runs (id, skill, started_at, config) FROM stdin;",
        '0a1b2c3d-4e5\tstig-rhel9\t2026-04-20 10:15:00.5+00\t{"loop": {"max_iterations": 3}}',
        "\\.",
        "COPY stig.work_items (run_id, item_id, title, category, outcome, attempts) FROM stdin;",
        `0a1b2c3d-4e5\t${item}\tNo root\tssh\tcompleted\t2`,
        "\\.",
        "COPY stig.attempts (run_id, item_id, attempt_num, approach, eval_passed, failure_mode, reflection, lesson, created_at) FROM stdin;",
        `0a1b2c3d-4e5\t${item}\t1\tfirst\\ttry\\nof two\tf\thealth=True rule=False journal=True\tr\tl\t2026-04-20 10:16:00+00`,
        "\\.",
        "COPY stig.tips (id, text, tip_type, mechanism, trigger_conditions, source_run_id, source_rule_id, retired_at, retired_reason) FROM stdin;",
        `7\tUse it.\trecovery\tIt works.\t{sshd,"a, b"}\t0a1b2c3d-4e5\t${item}\t2026-04-20 11:00:00+00\tlow utility`,
        "\\.",
        "",
      ].join("\n"),
    );
    return path;
  };
  const untold = { confidence: 0, flags: expect.arrayContaining(["conflict", "evaluator-gap"]) };

  async function expectStoredRun(report: Awaited<ReturnType<typeof importInto>>): Promise<void> {
    expect(report).toMatchObject({ rejected: [], imported: [{ nativeId: "0a1b2c3d-4e5", items: 1, attempts: 2 }] });
    const { events, turns } = await imported(home, report);
    expect(turns).toMatchObject([
      { response: { content: "first\ttry\nof two" }, missing: expect.arrayContaining(["answer"]) },
    ]);
    expect(only(events, "verdict").map(({ verdict }) => verdict)).toMatchObject([
      { passed: false, confidence: 1 },
      untold,
    ]);
    expect(only(events, "tip_saved")).toMatchObject([{ text: "Use it.", conditions: "sshd; a, b" }]);
    expect(only(events, "tip_retired")).toMatchObject([{ reason: "low utility" }]);
  }

  it("of a run whose log is gone tells its failed attempts, and of what passed only that nothing is known", async () => {
    await expectStoredRun(await importInto(home, dump()));
  });

  it("is read where its lines end as on Windows", async () => {
    const path = dump();
    writeFileSync(path, readFileSync(path, "utf8").replaceAll("\n", "\r\n"));
    await expectStoredRun(await importInto(home, path));
  });

  it("that was dumped as INSERTs is rejected line by line, with what makes one that can be read", async () => {
    const path = join(folder, "inserts.sql");
    const inserts = ["runs", "attempts", "migrations"].map((table) => `INSERT INTO stig.${table} VALUES ('x', 1);`);
    writeFileSync(path, ["-- PostgreSQL database dump", ...inserts, ""].join("\n"));
    const { rejected, imported } = await importInto(home, path);
    expect(imported).toEqual([]);
    expect(rejected).toEqual([
      { reason: expect.stringContaining("--inserts"), count: 2, where: [`${path}:2`, `${path}:3`] },
    ]);
  });

  it("is one run with the log that began with it, whichever is imported first", async () => {
    const path = dump();
    logOf(...attempt(), remediated());
    const both = await importInto(home, folder);
    expect(both.imported).toMatchObject([{ nativeId: "20260420-101500", attempts: 1 }]);
    expect(await importInto(home, path)).toMatchObject({ imported: [], known: [both.imported[0]?.run] });
  });

  it("is one run with a log that is imported by itself, before it or after it, where a tip of the log bears its id", async () => {
    const path = dump();
    const said = { tip_id: 7, tip_type: "recovery", text: "Use it.", source_run_id: "0a1b2c3d-4e5", rule_id: item };
    const tries = [...attempt({ rule: item }), ...attempt({ rule: item, n: 2 }), remediated(item, 2)];
    const log = logOf(...tries, ["tip_added", "reflector", said]);
    const [first] = (await importInto(home, path)).imported;
    const { imported: seconds, replaced } = await importInto(home, log);
    expect(replaced).toEqual([{ replaced: first?.run, run: seconds[0]?.run, verdicts: 0 }]);
    const other = temporaryHome();
    const [whole] = (await importInto(other.home, log)).imported;
    expect(await importInto(other.home, path)).toMatchObject({ imported: [], known: [whole?.run] });
    other.remove();
  });

  it("of a run is replaced by the run's log where that has all of its attempts, and stays where it has not", async () => {
    const path = dump();
    const [alone] = (await importInto(home, path)).imported;
    logOf(...attempt({ rule: item }), remediated(item));
    expect((await importInto(home, folder)).replaced).toEqual([]);
    logOf(...attempt({ rule: item }), ...attempt({ rule: item, n: 2 }), remediated(item, 2));
    const both = await importInto(home, folder);
    const [whole] = both.imported;
    expect(both.replaced).toContainEqual({ replaced: alone?.run, run: whole?.run, verdicts: 0 });
    expect(await importInto(home, path)).toMatchObject({ imported: [], known: [alone?.run], replaced: [] });
    expect((await chosenRuns(home, ["stig"])).runs.map(({ run }) => run)).toEqual([whole?.run]);
  });

  it("tells a run by its copied events where its log is gone, wherever they lie among those of others", async () => {
    const event = (run: string, [type, agent, fields]: Event, i: number) =>
      [i, run, `2026-04-20 10:15:00.${100 + i}+00`, type, agent, JSON.stringify(fields).replaceAll("\\", "\\\\")].join(
        "\t",
      );
    const events: Event[] = [["run_start", "system", {}], ...attempt(), remediated()];
    const one = events.map((given, i) => event("20260420-101500", given, i));
    const two = [...events, ...attempt({ n: 2 })].map((given, i) => event("20260421-101500", given, i));
    const rows = [
      ...one.slice(0, 3),
      ...two.slice(0, 5),
      "1\t2",
      ...one.slice(3),
      ...two.slice(5),
      event("20260420-101500", ["x", "y", {}], 99).replace("{}", "{"),
    ];
    const path = join(folder, "memory.sql");
    const copy = "COPY stig.run_events (id, run_id, ts, event_type, agent, data) FROM stdin;";
    const starts = ["20260420", "20260421"].map((day) => `${day}-101500\tstig\t2026-04-20 10:15:00+00`);
    const runs = ["COPY stig.runs (id, skill, started_at) FROM stdin;", ...starts, "\\."];
    writeFileSync(path, ["-- PostgreSQL database dump", copy, ...rows, "\\.", ...runs, ""].join("\n"));
    const report = await importInto(home, path);
    expect(report.imported.map(({ nativeId, attempts }) => [nativeId, attempts])).toEqual([
      ["20260420-101500", 1],
      ["20260421-101500", 2],
    ]);
    expect(report.rejected.map(({ reason, where }) => [reason, where])).toEqual([
      ["a row of run_events has 2 values", [`${path}:11`]],
      ["its `data` cannot be used: it is not JSON", [`${path}:${rows.length + 2}`]],
    ]);
    const { turns } = await imported(home, report);
    expect(turns.map(({ attempt: place, response }) => [place, response?.content])).toEqual([
      [`stig:${RULE}/1`, "Done."],
      [`stig:${RULE}/1`, "Done."],
      [`stig:${RULE}/2`, "Done."],
    ]);
  });

  const copied: Event[] = [["run_start", "system", {}], ...attempt(), remediated()];
  const lateRun = "0a1b2c3d-4e7";

  /** Rows of two runs in turn, the earlier ones last: their numbers say how they follow each other. */
  function copiedRows() {
    const rowsOf = (run: string, first: number) =>
      copied.map(([type, agent, fields], i) => {
        const time = `2026-04-20 10:15:00.${100 + i}+00`;
        return [first + i, run, time, type, agent, JSON.stringify(fields)] as const;
      });
    const [one, two] = [rowsOf("0a1b2c3d-4e5", 1), rowsOf(lateRun, 50)];
    return one.flatMap((row, i) => [two[i] as typeof row, row]);
  }

  async function expectCopiedEvents(report: Awaited<ReturnType<typeof importInto>>): Promise<void> {
    expect(report.rejected).toEqual([]);
    const byRun = report.imported.toSorted((x, y) => (`${x.nativeId}` < `${y.nativeId}` ? -1 : 1));
    expect(byRun).toMatchObject([
      { nativeId: "0a1b2c3d-4e5", attempts: 1 },
      { nativeId: lateRun, attempts: 1 },
    ]);
    const { turns } = await imported(home, report);
    expect(turns.map(({ response }) => response?.content)).toEqual(["Done.", "Done."]);
  }

  it("in SQLite tells each run by its copied events", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const path = join(folder, "forge.db");
    const database = new DatabaseSync(path);
    database.exec(`CREATE TABLE runs (id text, skill text, started_at text);
      CREATE TABLE run_events (id integer PRIMARY KEY, run_id text, ts text, event_type text, agent text, data text)`);
    for (const run of ["0a1b2c3d-4e5", lateRun])
      database.prepare("INSERT INTO runs VALUES (?, 'stig', '2026-04-20 10:15:00+00')").run(run);
    for (const row of copiedRows()) database.prepare("INSERT INTO run_events VALUES (?, ?, ?, ?, ?, ?)").run(...row);
    database.close();
    await expectCopiedEvents(await importInto(home, path));
  });

  it("in SQLite says that a log beside it may hold more, until there is none", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const path = join(folder, "forge.db");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = wal; CREATE TABLE runs (id text, skill text, started_at text)");
    database.exec(
      "PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO runs VALUES ('0a1b2c3d-4e5', 'stig', '2026-04-20 10:15:00+00')",
    );
    const { imported, rejected } = await importInto(home, path);
    database.close();
    expect(imported).toEqual([]);
    expect(rejected).toEqual([{ reason: expect.stringContaining("wal_checkpoint"), count: 1, where: [`${path}-wal`] }]);
    expect((await importInto(home, path)).rejected).toEqual([]);
  });

  it.skipIf(!hasPostgres)("in a real Postgres tells each run by its copied events", { timeout: 60_000 }, async () => {
    const path = join(folder, "events.sql");
    const rows = copiedRows().map((row) => row.map((value) => `${value}`.replaceAll("\\", "\\\\")).join("\t"));
    const runs = ["0a1b2c3d-4e5", lateRun].map((run) => `${run}\tstig\t2026-04-20 10:15:00+00`);
    writeFileSync(
      path,
      [
        "CREATE SCHEMA stig; CREATE TABLE stig.work_items (run_id text, item_id text);",
        "CREATE TABLE stig.runs (id text, skill text, started_at timestamptz);",
        "CREATE TABLE stig.run_events (id bigint, run_id text, ts timestamptz, event_type text, agent text, data jsonb);",
        ...["COPY stig.runs FROM stdin;", ...runs, "\\.", "COPY stig.run_events FROM stdin;", ...rows, "\\.", ""],
      ].join("\n"),
    );
    const postgres = await startPostgres();
    try {
      await postgres.restore(path);
      await expectCopiedEvents(await importInto(home, null, { format: "gemma-forge", postgres: postgres.url }));
    } finally {
      await postgres.stop();
    }
  });

  it("has each row counted with its line that cannot be used, or of which a part cannot", async () => {
    const path = dump();
    const lines = readFileSync(path, "latin1").split("\n");
    const put = (after: RegExp, ...rows: string[]) =>
      lines.splice(lines.findIndex((line) => after.test(line)) + 1, 0, ...rows);
    const run = "0a1b2c3d-4e5";
    put(/^COPY stig.attempts/, `${run}\t\\N\t1\ta\tf\tm\tr\tl\t\\N`, `${run}\t${item}\t0\ta\tf\tm\tr\tl\t\\N`);
    put(/^COPY stig.work_items/, `\\N\t${item}\tNo\tssh\tx\t1`, `${run}\t${item}x\tNo\tssh\tcompleted\t0`);
    put(/^COPY stig.runs/, `0a1b2c3d-4e6\tstig\t2026-04-20 12:00:00+00\t{"loop`);
    put(
      /^COPY stig.tips/,
      `8\t\xff\trecovery\tIt\t{}\t${run}\t${item}\t\\N\t\\N`,
      `9\tx\trecovery\tIt\t{}\t${run}\t\\N\t\\N\t\\N`,
    );
    writeFileSync(path, lines.join("\n"), "latin1");
    const { rejected, imported: runs } = await importInto(home, path);
    const found = rejected.flatMap(({ reason, where }) => where.map((one) => [Number(one.split(":").at(-1)), reason]));
    const at = (row: RegExp) => lines.findIndex((line) => row.test(line)) + 1;
    expect(found.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual([
      [at(/\{"loop$/), "its `config` cannot be used: it is not JSON"],
      [at(/^\\N\t.*No\tssh\tx/), "it names no run"],
      [at(/completed\t0$/), "it was completed, and its `attempts` do not say by which one"],
      [at(/^\S+\t\\N\t1/), "it names no item"],
      [at(/^\S+\t\S+\t0\t/), "its `attempt_num` is no number from 1"],
      [at(/^8\t/), "it is not UTF-8"],
      [at(/^9\t/), "the tip names no rule"],
    ]);
    expect(runs).toMatchObject([{ attempts: 2 }, { attempts: 0 }]);
  });

  it("that is no SQLite file although it begins like one is refused with that reason", async () => {
    const path = join(folder, "forge.db");
    writeFileSync(path, `SQLite format 3\u0000${"x".repeat(500)}`);
    expect((await importInto(home, path)).rejected).toMatchObject([{ reason: expect.stringContaining("as SQLite") }]);
  });

  it.skipIf(!hasPostgres)("is read from a real Postgres, and says the same", { timeout: 60_000 }, async () => {
    const postgres = await startPostgres();
    try {
      await postgres.restore(dump());
      await expectStoredRun(await importInto(home, null, { format: "gemma-forge", postgres: postgres.url }));
      const refused = importInto(home, null, { format: "gemma-forge", postgres: "postgres://a:secret@127.0.0.1:1/x" });
      await expect(refused).rejects.toMatchObject({
        code: "POSTGRES_FAILED",
        details: { where: "postgres://a@127.0.0.1:1/x" },
      });
    } finally {
      await postgres.stop();
    }
  });

  it.skipIf(FIXTURES === null)("of the program's own, in SQLite and as a dump, joins every log", async () => {
    for (const [name, runs] of [
      ["gemma-forge/legacy", 2],
      ["gemma-forge", 7],
    ] as const) {
      const report = await importInto(home, join(FIXTURES as string, name), { format: "gemma-forge" });
      expect(report.imported.length + report.known.length).toBe(runs);
      expect(
        [...report.imported, ...report.known].every((run) => typeof run === "string" || /^\d{8}-/.test(run.nativeId)),
      ).toBe(true);
    }
  });
});

describe("a worker's prompt", () => {
  /** Our own words for a harness of our own. */
  const WORDS = {
    rule_identity: "Mend {rule} ({title})",
    architect_plan: "Plan: {plan}",
    attempt_marker: "Try {attempt}, {used} of {budget} s",
    episodic_memory: { head: "Before ({total}, last {shown}):", line: "- {attempt}: {lesson}" },
    banned: { head: "Not:", line: "- {text}" },
    preferred: { head: "Rather:", line: "- {text}" },
    lessons: { head: "Lessons:", line: "- {text}" },
    prior_lesson: "(old) {text}",
    cross_run_item_history: {
      head: "Earlier ({count}):",
      line: "- {text}",
      lesson: "  L: {text}",
      failure: "  F: {text}",
    },
    category_lessons: { head: "Of {category}:", line: "- {text}" },
    similar_rule_tips: { head: "Tips ({count}):", line: "- {type} {score} {source}: {text}" },
    directive: "Now act.",
  };
  const sections = (...names: string[]) => ({
    ...{ sections_included: names, sections_truncated: [], sections_dropped: [] },
  });
  const tokens = (...texts: string[]) => texts.reduce((sum, text) => sum + Math.trunc([...text].length / 4) + 1, 0);

  async function promptOf(used_tokens: number): Promise<string | undefined> {
    const words = join(folder, "words.json");
    writeFileSync(words, JSON.stringify(WORDS));
    const names = ["rule_identity", "architect_plan", "attempt_marker", "directive"];
    const path = logOf(
      ["graph_state", "system", { nodes: [{ id: RULE, title: "No root", category: "ssh" }] }],
      ["prompt_assembled", "architect", { phase: "rule_selection" }],
      ["agent_response", "architect", { text: "Write the line." }],
      ["rule_selected", "architect", { rule_id: RULE }],
      ["attempt_start", "harness", { rule_id: RULE, attempt: 1, rule_elapsed_s: 0.4, time_budget_s: 60 }],
      [
        "prompt_assembled",
        "worker",
        { phase: "apply_fix", rule_id: RULE, attempt: 1, used_tokens, ...sections(...names) },
      ],
      ["agent_response", "worker", { text: "Done." }],
    );
    const { turns } = await imported(home, await importInto(home, path, { words }));
    const worker = turns.find(({ role }) => role === "worker");
    expect(worker?.missing.includes("prompt")).toBe(worker?.messages.length === 0);
    return worker?.messages[0]?.content as string | undefined;
  }

  const parts = [`Mend ${RULE} (No root)`, "Plan: Write the line.", "Try 1, 0 of 60 s", "Now act."];

  it("is rebuilt from the log and the harness's own words, where it comes to the tokens that the log counts", async () => {
    expect(await promptOf(tokens(...parts))).toBe(parts.join("\n\n"));
  });

  it("is not rebuilt where it does not", async () => {
    expect(await promptOf(tokens(...parts) + 1)).toBeUndefined();
  });

  const sectionsOf = (...texts: string[]) => ({ text: texts.join("\n\n"), used_tokens: tokens(...texts) });
  const OLD = "fedcba98-765";
  const lesson = { id: 3, rank: 1, source_run_id: OLD };
  const whole = sectionsOf(
    ...parts.slice(0, 3),
    "Earlier (2):\n- second way\n  L: look twice\n- first way\n  F: health=True rule=False",
    "Not:\n- reboot\n- rm -rf\nLessons:\n- (old) Read the file.",
    "Of ssh:\n- Read the file.",
    `Tips (1):\n- recovery 0.50 ${RULE.slice(-48).replace(/^.*content_rule_/, "")}: Use it.`,
    parts[3] as string,
  );

  /** A log of a run that begins with what its memory holds of an earlier one. */
  function laterLog(used_tokens: number, hydrated: object = {}): string {
    const names = ["rule_identity", "architect_plan", "attempt_marker", "cross_run_item_history", "semantic_memory"];
    const prompt = {
      ...{ phase: "apply_fix", rule_id: RULE, attempt: 1, used_tokens, category_lessons_loaded: [lesson] },
      ...sections(...names, "category_lessons", "similar_rule_tips", "directive"),
      v2_tips_loaded: [
        { tip_id: 7, rank: 1, similarity_score: 0.5, tip_type: "recovery", source_rule_id: RULE, source_run_id: OLD },
      ],
    };
    return logOf(
      ["graph_state", "system", { nodes: [{ id: RULE, title: "No root", category: "ssh" }] }],
      [
        "cross_run_hydration",
        "system",
        { prior_runs: 1, loaded_bans: 2, loaded_lessons: 1, global_lessons_in_prompt: [lesson], ...hydrated },
      ],
      ["prompt_assembled", "architect", { phase: "rule_selection" }],
      ["agent_response", "architect", { text: "Write the line." }],
      ["rule_selected", "architect", { rule_id: RULE }],
      ["attempt_start", "harness", { rule_id: RULE, attempt: 1, rule_elapsed_s: 0.4, time_budget_s: 60 }],
      ["prompt_assembled", "worker", prompt],
      ["agent_response", "worker", { text: "Done." }],
    );
  }

  /** The memory beside it, with rows of the earlier run. */
  function memoryBeside(tables: Record<string, string[]> = {}): void {
    const rows = {
      "runs (id, skill, started_at)": [
        `${OLD}\tstig\t2026-04-19 10:00:00+00`,
        "0a1b2c3d-4e5\tstig\t2026-04-20 10:15:00.5+00",
      ],
      "work_items (run_id, item_id, title)": [`${OLD}\t${RULE}\tNo root`],
      "attempts (run_id, item_id, attempt_num, approach, failure_mode, lesson, created_at)": [
        `${OLD}\t${RULE}\t1\tfirst way\thealth=True rule=False\t\t2026-04-19 11:00:00.000001+00`,
        `${OLD}\t${RULE}\t2\tsecond way\t\tlook twice\t2026-04-19 11:00:00.000002+00`,
      ],
      "lessons_current (id, lesson, source_run_id)": [`3\tRead the file.\t${OLD}`],
      "bans (run_id, pattern)": [`${OLD}\trm -rf`, `${OLD}\treboot`],
      "tips (id, text, tip_type, source_run_id, source_rule_id)": [`7\tUse it.\trecovery\t${OLD}\t${RULE}`],
      ...tables,
    };
    const copies = Object.entries(rows).flatMap(([table, lines]) => [
      `COPY stig.${table} FROM stdin;`,
      ...lines,
      "\\.",
    ]);
    writeFileSync(join(folder, "memory.sql"), ["-- PostgreSQL database dump", ...copies, ""].join("\n"));
  }

  it("is told better by a later import with the memory beside the log, and again with the words: each replaces the one before", async () => {
    const log = laterLog(1);
    const alone = await importInto(home, log, { format: "gemma-forge" });
    memoryBeside();
    const runOf = ({ imported }: ImportReport) => imported.find(({ nativeId }) => nativeId !== OLD)?.run;
    const beside = await importInto(home, folder, { format: "gemma-forge" });
    expect(beside.replaced).toContainEqual({ run: runOf(beside), replaced: runOf(alone), verdicts: 0 });
    const words = join(home.path, "words.json");
    writeFileSync(words, JSON.stringify(WORDS));
    const worded = await importInto(home, folder, { format: "gemma-forge", words });
    expect(worded.replaced).toContainEqual({ run: runOf(worded), replaced: runOf(beside), verdicts: 0 });
    const again = await importInto(home, folder, { format: "gemma-forge", words });
    expect(again.imported).toEqual([]);
    expect(again.known).toContain(runOf(worded));
  });

  async function laterPrompt(): Promise<unknown> {
    const words = join(home.path, "words.json");
    writeFileSync(words, JSON.stringify(WORDS));
    const { turns } = await imported(home, await importInto(home, folder, { format: "gemma-forge", words }));
    const worker = turns.find(({ role, response }) => role === "worker" && response?.content === "Done.");
    expect(worker?.missing.includes("prompt")).toBe(worker?.messages.length === 0);
    return worker?.messages[0]?.content ?? null;
  }

  it("is rebuilt with the lessons, the bans, the tips and the item's history that the database beside the log holds of earlier runs", async () => {
    memoryBeside();
    laterLog(whole.used_tokens);
    expect(await laterPrompt()).toBe(whole.text);
  });

  it.each([
    ["no database is there", null, {}],
    ["a lesson is not in it", { "lessons_current (id, lesson, source_run_id)": [] }, {}],
    ["it has another number of bans than the run loaded", { "bans (run_id, pattern)": [`${OLD}\treboot`] }, {}],
    [
      "the order of an item's attempts is not told",
      {
        "attempts (run_id, item_id, attempt_num, approach, failure_mode, lesson, created_at)": [
          `${OLD}\t${RULE}\t1\tfirst way\thealth=True rule=False\t\t2026-04-19 11:00:00+00`,
          `${OLD}\t${RULE}\t2\tsecond way\t\tlook twice\t2026-04-19 11:00:00+00`,
        ],
      },
      {},
    ],
    ["the log does not say which lessons the run began with", {}, { global_lessons_in_prompt: null }],
  ])("is not rebuilt where %s", async (_, tables, hydrated) => {
    if (tables !== null) memoryBeside(tables as Record<string, string[]>);
    laterLog(whole.used_tokens, hydrated);
    expect(await laterPrompt()).toBeNull();
  });

  it("needs a file with every key", async () => {
    const words = join(folder, "words.json");
    writeFileSync(words, JSON.stringify({ ...WORDS, directive: 7 }));
    await expect(importInto(home, logOf(...attempt()), { words })).rejects.toMatchObject({ code: "BAD_WORDS" });
  });

  it.skipIf(FIXTURES === null).each([
    ["stig-1", "gemma-forge", "gemma_forge.sql", 85],
    ["stig-2", "gemma-forge", "gemma_forge.sql", 60],
    ["stig-torn", "gemma-forge", "gemma_forge.sql", 25],
    ["stig-legacy-1", "gemma-forge/legacy", "gemma_forge.db", 20],
    ["stig-legacy-2", "gemma-forge/legacy", "gemma_forge.db", 10],
  ] as const)("of the program's own run %s is exact where it is rebuilt", async (name, place, database, least) => {
    const source = join(FIXTURES as string, place);
    const calls = gunzipSync(readFileSync(join(source, "truth.jsonl.gz")))
      .toString()
      .trimEnd()
      .split("\n");
    const prompts = calls
      .map((line) => JSON.parse(line))
      .filter(
        ({ kind, run, role, request }) =>
          kind === "llm" && run === name && role === "worker" && request.messages.length === 2,
      )
      .map(({ request }) => request.messages[1].content as string);
    const words = join(home.path, "words.json");
    writeFileSync(words, JSON.stringify(wordsIn(prompts)));
    const { log } = JSON.parse(readFileSync(join(source, "ledger.json"), "utf8")).runs[name].files;
    for (const file of [log, database]) copyFileSync(join(source, file), join(folder, file));
    const report = await importInto(home, folder, { format: "gemma-forge", words });
    const runs = report.imported.filter(({ nativeId }) => log.includes(nativeId));
    const { turns } = await imported(home, { ...report, imported: runs });
    const workers = turns.filter(({ role }) => role === "worker");
    const rebuilt = workers.flatMap(({ messages }) => messages.map(({ content }) => content as string));
    const exact = rebuilt.filter((prompt) => prompts.includes(prompt));
    console.log(`${name}: ${exact.length} of ${rebuilt.length} rebuilt prompts are exact, of ${workers.length} turns`);
    expect(exact.length).toBe(rebuilt.length);
    expect(rebuilt.length).toBeGreaterThanOrEqual(least);
  });
});

/** The program's fixed words, found in its own prompts: what stands around the values. */
function wordsIn(prompts: readonly string[]): Record<string, unknown> {
  const sections = prompts.map((prompt) => prompt.split("\n\n"));
  const starting = (text: string) => sections.flat().find((section) => section.startsWith(text)) ?? "";
  const [identity = "", plan = "", ...rest] = sections[0] ?? [];
  const marker = rest.find((section) => section.includes("attempt 1")) ?? "";
  const [, rule = "", title = ""] = /: (xccdf\S+)\n.*: (.*)$/m.exec(identity) ?? [];
  const list = (section: string, line: RegExp, as: string) => {
    const [head = "", first = ""] = section.split("\n");
    return { head, line: first.replace(line, as) };
  };
  const semantic =
    sections
      .flat()
      .filter((section) => /^\S+ APPROACHES \(/.test(section))
      .at(-1) ?? "";
  const group = (name: string) => semantic.slice(Math.max(0, semantic.indexOf(name)));
  const prior = list(starting("Prior"), /Attempt 1: .*/, "Attempt {attempt}: {lesson}");
  const ofCategory = list(starting("LESSONS FROM"), /(\s+\S) .*/, "$1 {text}");
  const history = starting("CROSS-RUN").split("\n");
  const field = (name: string) =>
    `${history.find((line) => line.includes(`${name}: `))?.split(name, 1)[0] ?? ""}${name}: {text}`;
  const tips = list(
    starting("SIMILAR"),
    /\[\w+\] \(sim=[\d.]+, from \w+\) .*/,
    "[{type}] (sim={score}, from {source}) {text}",
  );
  return {
    rule_identity: identity.replace(rule, "{rule}").replace(title, "{title}"),
    architect_plan: `${plan.split("\n", 1)[0]}\n{plan}`,
    attempt_marker: marker.replace("attempt 1", "attempt {attempt}").replace(/ \d+s of \d+s/, " {used}s of {budget}s"),
    episodic_memory: {
      ...prior,
      head: prior.head
        .replace(/xccdf\S+/, "{rule}")
        .replace(/\d+ total/, "{total} total")
        .replace(/last \d+/, "last {shown}"),
    },
    banned: list(semantic, /(\s+\S) .*/, "$1 {text}"),
    preferred: list(group("PREFERRED"), /(\s+\S) .*/, "$1 {text}"),
    lessons: list(group("STRATEGIC"), /(\s+\S) .*/, "$1 {text}"),
    prior_lesson: "[prior run] {text}",
    cross_run_item_history: {
      head: (history[0] ?? "").replace(/\d+/, "{count}"),
      line: (history[1] ?? "").replace(/] .*/, "] {text}"),
      lesson: field("Lesson"),
      failure: field("Failure"),
    },
    category_lessons: { ...ofCategory, head: ofCategory.head.replace(/\[.*\]/, "[{category}]") },
    similar_rule_tips: { ...tips, head: tips.head.replace(/\d+ tips/, "{count} tips") },
    directive: sections[0]?.at(-1) ?? "",
  };
}
