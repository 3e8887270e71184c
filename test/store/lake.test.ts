import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { steppingClock, systemClock } from "../../src/foundation/clock.ts";
import { hashJson, hashText } from "../../src/foundation/hashing.ts";
import type { RunEvent, Turn } from "../../src/records/events.ts";
import { type AttemptId, attemptId, itemId, type TipId, turnId } from "../../src/records/ids.ts";
import type { Item } from "../../src/records/item.ts";
import type { Message, Tool } from "../../src/records/message.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { Home } from "../../src/store/home.ts";
import { buildLake, openLake, withLake } from "../../src/store/lake.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { createRunLog, type RunLog } from "../../src/store/run-log.ts";
import { sealRun } from "../../src/store/runs.ts";
import { ask } from "./ask-lake.ts";
import { sampleItem, sampleRunId, sampleVerdict, withHome, writeSampleRun } from "./sample-run.ts";

const run = sampleRunId(1);
const clock = steppingClock(new Date("2026-11-01T12:00:00.000Z"), 7);

/** Every file of the lake with its hash. */
function filesOf(home: Home): Record<string, string> {
  const files = readdirSync(home.lake, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(paths.map((path) => [path.slice(home.lake.length), hashText(readFileSync(path))]));
}

/** Writes a run of one item by hand: `write` appends what is between the start and the end. */
async function writeRun(home: Home, item: Item, write: (log: RunLog) => void): Promise<void> {
  const log = createRunLog(home, { run, clock });
  const model = { name: "m", endpoint: "http://127.0.0.1:1", baseHash: hashText("b"), adapterHash: null };
  log.append({
    type: "run_started",
    data: {
      run,
      skill: { id: "sql", version: "1", hash: hashText("skill") },
      models: { worker: model },
      sampling: { temperature: 0, topP: 1, maxTokens: 8 },
      seed: 1,
      split: "train",
      memory: "none",
      tipRuns: [],
      codeVersion: "0.1.0",
      config: {},
      comparison: null,
    },
  });
  log.append({ type: "items_scanned", data: { items: [item] } });
  write(log);
  log.append({ type: "run_finished", data: { items: 1, attempts: 1, passed: 0, failures: 0 } });
  log.close();
  await sealRun(home, run, clock);
}

function turnOf(attempt: AttemptId, k: number, own: Partial<Turn>): RunEvent {
  return {
    type: "turn",
    data: {
      turn: turnId(attempt, k),
      attempt,
      role: "worker",
      phase: "act",
      messages: [],
      tools: null,
      response: null,
      finishReason: "stop",
      usage: { promptTokens: 10, completionTokens: 5 },
      latencyMs: 1,
      request: {},
      modelAnswered: "m",
      baseHash: null,
      adapterHash: null,
      parseFlags: [],
      retrievals: [],
      tipSpans: [],
      ...own,
    },
  };
}

const verdictOf = (attempt: AttemptId, own: Partial<Verdict>): RunEvent => ({
  type: "verdict",
  data: { attempt, verdict: { ...sampleVerdict(true), ...own } },
});

test("a lake that is deleted comes back bit for bit", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { number: 1, items: 40 });
    await writeSampleRun(home, { number: 2, items: 3, skill: "cron" });
    await buildLake(home);
    const before = filesOf(home);
    expect(Object.keys(before)).toHaveLength(2 * 10);
    rmSync(home.lake, { recursive: true });
    await buildLake(home);
    expect(filesOf(home)).toEqual(before);
  }));

test("a log that is cut into many parts gives the same tables", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 60, attemptsPerItem: 3 });
    const tables = "items attempts turns verdicts tips retrievals architect_choices messages examples runs".split(" ");
    const contents = async () => {
      const rows = await Promise.all(tables.map((table) => ask(home, `SELECT * FROM ${table} ORDER BY ALL`)));
      return rows.map((of) => of.map(({ part: _, ...row }) => JSON.stringify(row)).sort());
    };
    await buildLake(home);
    const whole = await contents();
    rmSync(home.lake, { recursive: true });
    await buildLake(home, { partBytes: 20_000 });
    expect(await ask(home, "SELECT count(DISTINCT part) > 5 AS many FROM turns")).toEqual([{ many: true }]);
    expect(await contents()).toEqual(whole);
  }));

test("a run is made once; one that is added later joins the others, one that is not sealed waits", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { number: 1, items: 2 });
    await writeSampleRun(home, { number: 2, items: 2, isUnfinished: true });
    expect(await buildLake(home)).toEqual({ built: [sampleRunId(1)], kept: [], missing: [] });
    await writeSampleRun(home, { number: 3, items: 2 });
    expect(await buildLake(home)).toEqual({ built: [sampleRunId(3)], kept: [sampleRunId(1)], missing: [] });
    expect(await ask(home, "SELECT run, head IS NOT NULL AS h FROM runs ORDER BY run")).toEqual([
      { run: sampleRunId(1), h: true },
      { run: sampleRunId(3), h: true },
    ]);
  }));

test("a build that was interrupted is made up for, and what it left is cleared away", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { number: 1, items: 2 });
    await buildLake(home);
    const before = filesOf(home);
    rmSync(join(home.lake, "runs"), { recursive: true });
    rmSync(join(home.lake, "turns"), { recursive: true });
    cpSync(join(home.lake, "items"), join(home.lake, "work-999999999-dead"), { recursive: true });
    expect((await buildLake(home)).built).toEqual([run]);
    expect(filesOf(home)).toEqual(before);
  }));

test("files of another version of the lake are not seen, and replaced", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { number: 1, items: 2 });
    await buildLake(home);
    const before = filesOf(home);
    for (const path of Object.keys(before)) renameSync(home.lake + path, home.lake + path.replace(/-v\d+-/, "-v0-"));
    expect((await buildLake(home)).built).toEqual([run]);
    expect(filesOf(home)).toEqual(before);
  }));

test("a part that needs more memory than its share is made with more, and is the same", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 30 });
    await buildLake(home);
    const before = filesOf(home);
    rmSync(home.lake, { recursive: true });
    await buildLake(home, { memoryLimitMb: 40 });
    expect(filesOf(home)).toEqual(before);
  }));

test("a log that needs more memory than the lake may ever have is refused, and leaves nothing", () =>
  withHome(async (home) => {
    await writeSampleRun(home);
    const refusal = { code: "LAKE_OUT_OF_MEMORY", details: expect.objectContaining({ where: home.runLog(run) }) };
    await expect(buildLake(home, { memoryLimitMb: 4 })).rejects.toThrow(expect.objectContaining(refusal));
    expect(readdirSync(home.lake)).toEqual([]);
  }));

test("two builders at once make one lake", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 30 });
    await Promise.all([buildLake(home), buildLake(home)]);
    const together = filesOf(home);
    rmSync(home.lake, { recursive: true });
    await buildLake(home);
    expect(together).toEqual(filesOf(home));
  }));

test("a log that is not the one that was sealed does not get into the lake", () =>
  withHome(async (home) => {
    await writeSampleRun(home);
    writeFileSync(home.runLog(run), readFileSync(home.runLog(run), "utf8").replace('"passed":false', '"passed":true'));
    await expect(buildLake(home)).rejects.toThrow(expect.objectContaining({ code: "LOG_BROKEN" }));
    expect(readdirSync(home.lake)).toEqual([]);
  }));

test("a lake that is there does not answer once a log that it was made from was edited", () =>
  withHome(async (home) => {
    await writeSampleRun(home);
    await buildLake(home);
    const log = readFileSync(home.runLog(run), "utf8");
    const { atime, mtime } = statSync(home.runLog(run));
    writeFileSync(home.runLog(run), log.replace('"passed":false', '"passed":true '));
    utimesSync(home.runLog(run), atime, mtime);
    await expect(openLake(home)).rejects.toThrow(expect.objectContaining({ code: "LOG_BROKEN" }));
    writeFileSync(home.runLog(run), log);
    expect(await ask(home, "SELECT count(*) AS n FROM runs")).toEqual([{ n: 1 }]);
  }));

test("a log that did not change since it was checked is not read again", () =>
  withHome(async (home) => {
    await writeSampleRun(home);
    await buildLake(home);
    const known = readFileSync(home.checkedLogs, "utf8");
    const { size, ctimeMs } = statSync(home.runLog(run));
    expect(JSON.parse(known)).toMatchObject({ [run]: { sizeBytes: size, changedMs: ctimeMs } });
    const log = readFileSync(home.runLog(run), "utf8");
    writeFileSync(home.runLog(run), log.replace('"passed":false', '"passed":true '));
    const changedMs = statSync(home.runLog(run)).ctimeMs;
    writeFileSync(home.checkedLogs, known.replace(String(ctimeMs), String(changedMs)));
    expect((await buildLake(home)).kept).toEqual([run]);
  }));

test("a lake is read on a disk where the memory of checked logs cannot be kept or is spoilt", () =>
  withHome(async (home) => {
    await writeSampleRun(home);
    mkdirSync(home.checkedLogs);
    expect((await buildLake(home)).built).toEqual([run]);
    rmSync(home.checkedLogs, { recursive: true });
    writeFileSync(home.checkedLogs, "{");
    expect((await buildLake(home)).kept).toEqual([run]);
    expect(JSON.parse(readFileSync(home.checkedLogs, "utf8"))).toHaveProperty(run);
  }));

test("a sealed run whose log is gone is told, and kept where the lake has it", () =>
  withHome(async (home) => {
    await writeSampleRun(home);
    await buildLake(home);
    rmSync(home.runLog(run));
    expect(await buildLake(home)).toEqual({ built: [], kept: [run], missing: [run] });
    rmSync(home.lake, { recursive: true });
    expect(await buildLake(home)).toEqual({ built: [], kept: [], missing: [run] });
  }));

test("a verdict that is given later decides, and the files of the lake stay as they were", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 2, attemptsPerItem: 2 });
    const [first] = await ask(home, "SELECT attempt, eval_passed, verifier_id FROM attempts ORDER BY attempt");
    const before = filesOf(home);
    const give = (own: Partial<Verdict>) => {
      const attempt = first?.attempt as AttemptId;
      const verdict = { ...sampleVerdict(!first?.eval_passed), ...own };
      appendLedger(home, { type: "verdict_given", data: { run, attempt, origin: "outcome", verdict } }, clock);
    };
    const decided = async () => {
      const columns = "eval_passed, verifier_id, flags, audit_passed, verdict_value";
      const [row] = await ask(home, `SELECT ${columns} FROM attempts ORDER BY attempt LIMIT 1`);
      return row;
    };
    give({ verifier: { id: "later", version: "2" }, flags: [] });
    expect(await decided()).toMatchObject({ eval_passed: !first?.eval_passed, verifier_id: "later" });
    give({ signalType: "judgment", passed: true, verifier: { id: "someone", version: "1" } });
    expect(await decided()).toMatchObject({ verifier_id: "later", audit_passed: true });
    give({ verifier: { id: "once more", version: "2" }, flags: ["conflict"] });
    expect(await decided()).toMatchObject({ eval_passed: null, verifier_id: "once more", flags: ["conflict"] });
    expect(
      await ask(home, "SELECT eval_passed FROM examples WHERE attempt = (SELECT min(attempt) FROM attempts)"),
    ).toEqual([{ eval_passed: null }]);
    expect(await ask(home, "SELECT count(*) AS n, count(skill) AS skills FROM verdicts")).toEqual([
      { n: 7, skills: 7 },
    ]);
    const { "/views.sql": script, ...after } = filesOf(home);
    expect({ "/views.sql": before["/views.sql"], ...after }).toEqual(before);
    expect(script).not.toBe(before["/views.sql"]); // what the ledger says stands there
  }));

test("how much of each role's turns was recorded is a table", () =>
  withHome(async (home) => {
    const item = sampleItem("sql", "train", { n: 1, families: 1 });
    const attempt = attemptId(run, item.item, 1);
    await writeRun(home, item, (log) => {
      const response = log.message({ role: "assistant", content: "a" });
      log.append(turnOf(attempt, 1, { response }));
      const tokenIds = { prompt: null, completion: [1, 2] };
      log.append(
        turnOf(attempt, 2, { response, missing: ["system-prompt", "answer"], request: { temperature: 1 }, tokenIds }),
      );
    });
    expect(await ask(home, 'SELECT * EXCLUDE (run, skill) FROM completeness ORDER BY "role"')).toMatchObject([
      {
        ...{ role: "worker", turns: 2, system_prompt: 0.5, tools: 1, full_prompt: 1, full_answer: 0.5 },
        ...{ token_ids: 0.5, sampling: 0.5, outcome: 0, verifier_version: 0, environment: 1 },
      },
    ]);
  }));

test("a home without runs has every table, empty", () =>
  withHome(async (home) => {
    for (const table of [
      "runs",
      "items",
      "attempts",
      "turns",
      "messages",
      "tools",
      "verdicts",
      "tips",
      "retrievals",
      "architect_choices",
      "examples",
    ]) {
      expect(await ask(home, `SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: 0 }]);
    }
  }));

test("the columns of a table do not depend on whether there is a run", () =>
  withHome(async (home) => {
    const columns = `SELECT table_name, column_name, data_type FROM information_schema.columns
      WHERE table_schema = 'main' ORDER BY table_name, ordinal_position`;
    const empty = await ask(home, columns);
    await writeSampleRun(home, { items: 1 });
    expect(await ask(home, columns)).toEqual(empty);
  }));

test("the query that many users have runs as it is", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { skill: "stig", items: 3, passFraction: 1 });
    const rows = await ask(
      home,
      `SELECT a.approach_prompt AS prompt, a.tool_call AS response, a.eval_passed AS reward
       FROM stig.attempts a
       WHERE a.eval_passed = true AND a.approach_prompt IS NOT NULL AND a.tool_call IS NOT NULL;`,
    );
    expect(rows).toHaveLength(6);
    const first = rows.find(({ prompt }) => !String(prompt).includes("A lesson"));
    expect(first).toEqual({
      prompt: `You write one SQL query.\n\n${sampleItem("stig", "train", { n: 0, families: 3 }).task}`,
      response: expect.stringMatching(/^\{"arguments":\{"query":"SELECT .*"\},"name":"run_sql"\}$/),
      reward: true,
    });
  }));

test("a skill's schema holds its rows only", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { number: 1, skill: "sql", items: 2 });
    await writeSampleRun(home, { number: 2, skill: "cron", items: 3 });
    expect(await ask(home, "SELECT count(*) AS n FROM cron.items")).toEqual([{ n: 3 }]);
    expect(await ask(home, "SELECT DISTINCT skill FROM sql.examples")).toEqual([{ skill: "sql" }]);
  }));

test("the numbers of a run are those of its log", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 10, attemptsPerItem: 3, seed: 7 });
    const events = readFileSync(home.runLog(run), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as RunEvent);
    const finished = events.find(({ type }) => type === "run_finished")?.data as { attempts: number; passed: number };
    const count = (type: string) => events.filter((event) => event.type === type).length;
    expect(
      await ask(
        home,
        `SELECT (SELECT count(*) FROM attempts) AS attempts, (SELECT count(*) FROM attempts WHERE eval_passed) AS passed,
          (SELECT sum(passed) FROM items) AS item_passed, (SELECT count(*) FROM turns) AS turns,
          (SELECT count(*) FROM examples) AS examples, (SELECT count(*) FROM verdicts) AS verdicts,
          (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM tips) AS tips,
          (SELECT sum(prompt_tokens) FROM attempts) = (SELECT sum(prompt_tokens) FROM turns) AS same_tokens,
          (SELECT count(*) FROM retrievals) = (SELECT count(*) FROM turns WHERE retrievals::VARCHAR <> '[]') AS same_tips`,
      ),
    ).toEqual([
      {
        attempts: finished.attempts,
        passed: finished.passed,
        item_passed: finished.passed,
        turns: count("turn"),
        examples: count("turn"),
        verdicts: count("verdict"),
        messages: count("message"),
        tips: count("tip_saved"),
        same_tokens: true,
        same_tips: true,
      },
    ]);
  }));

test("the latest deterministic verdict decides, a conflict is no answer, a judgment stands beside it", () =>
  withHome(async (home) => {
    const item = sampleItem("sql", "train", { n: 0, families: 1 });
    const attempts = [1, 2, 3, 4, 5].map((n) => attemptId(run, item.item, n));
    const [rejudged, judged, conflicting, unjudged, onlyJudgment] = attempts as [
      AttemptId,
      AttemptId,
      AttemptId,
      AttemptId,
      AttemptId,
    ];
    await writeRun(home, item, (log) => {
      const response = log.message({ role: "assistant", content: "an answer" });
      for (const attempt of attempts) log.append(turnOf(attempt, 1, { response }));
      log.append(verdictOf(rejudged, { passed: true }));
      log.append(verdictOf(rejudged, { passed: false, failureMode: "wrong-rows" }));
      log.append(verdictOf(judged, { passed: true }));
      log.append(verdictOf(judged, { passed: true, signalType: "judgment", confidence: 0.5 }));
      log.append(verdictOf(judged, { passed: false, signalType: "judgment", confidence: 0.75 }));
      log.append(verdictOf(conflicting, { passed: true, flags: ["conflict", "dirty-exit"] }));
      log.append(verdictOf(onlyJudgment, { passed: true, signalType: "judgment", confidence: 0.25 }));
    });
    const rows = await ask(
      home,
      "SELECT attempt, eval_passed, failure_mode, flags, audit_passed, audit_confidence FROM attempts ORDER BY attempt_number",
    );
    const none = { eval_passed: null, failure_mode: null, flags: null, audit_passed: null, audit_confidence: null };
    expect(rows).toEqual([
      { ...none, attempt: rejudged, eval_passed: false, failure_mode: "wrong-rows", flags: [] },
      { ...none, attempt: judged, eval_passed: true, flags: [], audit_passed: false, audit_confidence: 0.75 },
      { ...none, attempt: conflicting, flags: ["conflict", "dirty-exit"] },
      { ...none, attempt: unjudged },
      { ...none, attempt: onlyJudgment, audit_passed: true, audit_confidence: 0.25 },
    ]);
    const [example] = await ask(home, "SELECT audit_passed, audit_confidence FROM examples WHERE attempt_number = 2");
    expect(example).toEqual({ audit_passed: false, audit_confidence: 0.75 });
  }));

test("what the architect decided stands in a table of its own, and why an item ended beside the item", () =>
  withHome(async (home) => {
    const item = sampleItem("sql", "train", { n: 0, families: 1 });
    const select = turnId(attemptId(run, itemId("sql", "@select"), 1), 1);
    const skip = turnId(attemptId(run, item.item, 2), 1);
    await writeRun(home, item, (log) => {
      const own = { item: item.item, isFallback: false };
      const plan = 'count, "item":"sql:other"';
      log.append({ type: "architect_decided", data: { ...own, turn: select, choice: "select", plan, reason: null } });
      log.append({
        type: "architect_decided",
        data: { ...own, turn: skip, choice: "continue", isFallback: true, plan: null, reason: "not understood" },
      });
      const end = { item: item.item, state: "unsolved", attempts: 1, passed: 0, reason: "tokens" } as const;
      log.append({ type: "item_finished", data: end });
    });
    const at = { run, skill: "sql", part: 0, item: item.item };
    expect(await ask(home, "SELECT * FROM sql.architect_choices")).toEqual([
      { ...at, seq: 2, turn: select, choice: "select", is_fallback: false, has_plan: true, reason: null },
      { ...at, seq: 3, turn: skip, choice: "continue", is_fallback: true, has_plan: false, reason: "not understood" },
    ]);
    expect(await ask(home, "SELECT end_reason FROM items")).toEqual([{ end_reason: "tokens" }]);
  }));

test("a late word on an attempt or a tip may hold any character", () =>
  withHome(async (home) => {
    const hostile = "a'b\u0000\u2028'); DROP TABLE x; --";
    const item: Item = { ...sampleItem("sql", "train", { n: 0, families: 1 }), item: itemId("sql", hostile) };
    const attempt = attemptId(run, item.item, 1);
    await writeRun(home, item, (log) => log.append(turnOf(attempt, 1, { response: null })));
    appendLedger(
      home,
      { type: "verdict_given", data: { run, attempt, origin: "outcome", verdict: sampleVerdict(true) } },
      clock,
    );
    const retired = { tip: "tip-0123456789abcdef" as TipId, skill: "sql", run, reason: hostile };
    appendLedger(
      home,
      { type: "tip_retired", data: { ...retired, rule: "hand", mergedInto: null, evidence: null } },
      clock,
    );
    expect(await ask(home, "SELECT attempt, eval_passed FROM attempts")).toEqual([{ attempt, eval_passed: true }]);
    expect(await ask(home, "SELECT reason FROM ledger.tip_retirements")).toEqual([{ reason: hostile }]);
  }));

test("an example holds its messages, tools and answer whole and in order, whatever is in them", () =>
  withHome(async (home) => {
    const hostile = 'a/b"c\\d\n\u2028☃🙂\u0000{"attempt":"x"}';
    const item: Item = {
      ...sampleItem("sql", "train", { n: 0, families: 1 }),
      item: itemId("sql", hostile),
      family: hostile,
    };
    const attempt = attemptId(run, item.item, 1);
    const messages: Message[] = [
      { role: "user", content: hostile, name: "n", extra: { deep: [1.5, 1e21, null, { k: -0.1 }] } },
      { role: "system", content: "rules" },
      { role: "user", content: hostile, name: "n", extra: { deep: [1.5, 1e21, null, { k: -0.1 }] } },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ type: "function", function: { name: "f", arguments: "{}" } }],
      },
    ];
    const tools: Tool[] = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
    const response: Message = { role: "assistant", content: hostile, reasoning_content: "hm" };
    await writeRun(home, item, (log) => {
      const own = { messages: messages.map((message) => log.message(message)), tools: log.tools(tools) };
      log.append(turnOf(attempt, 1, { ...own, response: log.message(response) }));
      log.append(turnOf(attempt, 2, { role: "auditor" }));
      log.append(verdictOf(attempt, { evidence: { raw: hostile } }));
    });
    const [example, ...others] = await ask(home, "SELECT * FROM examples");
    expect(others).toEqual([]);
    expect(example).toMatchObject({ item: item.item, family: hostile, attempt, turn_number: 1, attempt_number: 1 });
    const parsed = (column: string) => JSON.parse(String(example?.[column])) as unknown;
    expect(parsed("messages")).toEqual(messages);
    expect(parsed("tools")).toEqual(tools);
    expect(hashJson(parsed("response"))).toBe(hashJson(response));
    const [row] = await ask(home, "SELECT approach_prompt, response, evidence, turns, prompt_tokens FROM attempts");
    expect(row).toEqual({
      approach_prompt: `rules\n\n${hostile}\n\n${hostile}`,
      response: hostile,
      evidence: expect.any(String),
      turns: 1,
      prompt_tokens: 10,
    });
    expect(JSON.parse(String(row?.evidence))).toEqual({ raw: hostile });
  }));

test("a tip and its retrieval lead to each other; a retired tip says why", () =>
  withHome(async (home) => {
    const item = sampleItem("sql", "train", { n: 0, families: 1 });
    const attempt = attemptId(run, item.item, 1);
    const tip = "tip-0123456789abcdef" as TipId;
    await writeRun(home, item, (log) => {
      const source = { run, item: item.item, attempt };
      const example: Message[] = [{ role: "user", content: "How many?" }];
      const text = { text: "Count.", mechanism: null, conditions: "x", about: 'say "tip":"y"', example };
      log.append({
        type: "tip_saved",
        data: { tip, skill: "sql", family: item.family, type: "warning", ...text, source },
      });
      const retrieval = { tip, rank: 1, score: 0.5, dropProbability: 0.25, isDropped: true, isRendered: false };
      log.append(turnOf(attempt, 1, { retrievals: [retrieval] }));
      log.append({ type: "tip_retired", data: { tip, reason: "harmful" } });
    });
    expect(
      await ask(
        home,
        `SELECT t.type, t.about, t.example, t.source_item, t.retired_reason, r.turn, r.rank, r.score, r.drop_probability, r.is_dropped,
          r.is_rendered FROM tips t JOIN retrievals r USING (run, tip)`,
      ),
    ).toEqual([
      {
        type: "warning",
        about: 'say "tip":"y"',
        example: '[{"content":"How many?","role":"user"}]',
        source_item: item.item,
        retired_reason: "harmful",
        turn: turnId(attempt, 1),
        rank: 1,
        score: 0.5,
        drop_probability: 0.25,
        is_dropped: true,
        is_rendered: false,
      },
    ]);
  }));

test("a tip that the ledger retires later says why in the same lake, and the first word on it holds", () =>
  withHome(async (home) => {
    const { run: id } = await writeSampleRun(home, { skill: "sql" });
    const [saved] = await ask(home, "SELECT tip, retired_reason, merged_into FROM tips LIMIT 1");
    expect(saved).toMatchObject({ retired_reason: null, merged_into: null });
    const tip = String(saved?.tip) as TipId;
    for (const reason of ["it's wrong", "second"]) {
      const why = { reason, rule: "merged" as const, mergedInto: "tip-0123456789abcdef" as TipId, evidence: null };
      appendLedger(home, { type: "tip_retired", data: { tip, skill: "sql", run: id, ...why } }, systemClock);
    }
    expect(await ask(home, `SELECT retired_reason, merged_into FROM sql.tips WHERE tip = '${tip}'`)).toEqual([
      { retired_reason: "it's wrong", merged_into: "tip-0123456789abcdef" },
    ]);
  }));

test("rows come as plain values, many of them in batches", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 1 });
    const lake = await openLake(home);
    const [row] = await lake.query(
      `SELECT 1::BIGINT AS whole, 0.5::DECIMAL(4,2) AS fraction, 9007199254740993 AS large, TIMESTAMP '2026-11-01 12:00:00.5' AS at_,
        [1::BIGINT, NULL] AS list, {'a': 'b'} AS struct, '{"x":1}'::JSON AS json, $given AS given`,
      { given: "it's" },
    );
    expect(row).toEqual({
      whole: 1,
      fraction: 0.5,
      large: "9007199254740993",
      at_: "2026-11-01T12:00:00.5Z",
      list: [1, null],
      struct: { a: "b" },
      json: '{"x":1}',
      given: "it's",
    });
    let batches = 0;
    let rows = 0;
    for await (const batch of await lake.stream("SELECT * FROM range(10000)")) {
      batches += 1;
      rows += batch.length;
      expect(await lake.query("SELECT count(*) AS n FROM runs")).toEqual([{ n: 1 }]);
    }
    expect(rows).toBe(10_000);
    expect(batches).toBeGreaterThan(1);
    lake.close();
    expect(readdirSync(home.lake).filter((name) => name.startsWith("work-"))).toEqual([]);
    expect(existsSync(home.lake)).toBe(true);
  }));

test("a lake that was opened for one piece of work is closed where that fails, too", () =>
  withHome(async (home) => {
    await writeSampleRun(home);
    const open: string[] = [];
    const failing = withLake(home, async () => {
      open.push(...workFoldersOf(home));
      throw new Error("no answer");
    });
    await expect(failing).rejects.toThrow("no answer");
    expect(open).toHaveLength(1);
    expect(workFoldersOf(home)).toEqual([]);
  }));

function workFoldersOf(home: Home): string[] {
  return readdirSync(home.lake).filter((name) => name.startsWith("work-"));
}
