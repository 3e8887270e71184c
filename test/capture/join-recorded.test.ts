/** A log that cuts its texts, joined with the calls that the proxy recorded of the same run. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCalled } from "../../src/capture/late-verdicts.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { Turn } from "../../src/records/events.ts";
import type { RunId } from "../../src/records/ids.ts";
import { revoke } from "../../src/registry/index.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { coveredRuns } from "../../src/store/ledger.ts";
import { listRuns } from "../../src/store/runs.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";
import { FIXTURES, importInto } from "./importers/setting.ts";
import { type MadeCall, recordCalls } from "./replayed-calls.ts";

interface TruthCall extends MadeCall {
  kind: string;
  run: string;
  seq: number;
  role: string;
}

/** Which attempt each call was of: a worker's as the ledger says, what follows it as well; a choice is of its iteration. */
function truePlaces(
  made: readonly TruthCall[],
  attempts: readonly { rule_id: string; attempt: number; llm_seqs: number[] }[],
): Map<number, string> {
  const places = new Map(
    attempts.flatMap(({ rule_id, attempt, llm_seqs }) =>
      llm_seqs.map((seq): [number, string] => [seq, `stig:${rule_id}/${attempt}`]),
    ),
  );
  let latest = "";
  for (const { seq, role, request } of made) {
    const [, asked] = request.messages as { content: string }[];
    const [, iteration] = /^RUN STATE \(iteration (\d+)\)/.exec(asked?.content ?? "") ?? [];
    if (role === "worker") latest = places.get(seq) ?? latest;
    else places.set(seq, iteration === undefined ? latest : `stig:@select/${iteration}`);
  }
  return places;
}

/**
 * A turn of gemma-forge's worker under a tip, joined with its three calls: a command that fails, one that does not, and the end;
 * with what else its log says after them.
 */
async function joinedMending(home: Home, later: readonly [string, string, object][] = []) {
  const opening = [
    { role: "system", content: "You mend one thing." },
    { role: "user", content: "Mend it." },
  ];
  const asking = (id: string, script: string) => ({
    ...{ role: "assistant", content: null },
    tool_calls: [{ id, type: "function", function: { name: "apply", arguments: JSON.stringify({ script }) } }],
  });
  const told = (id: string, code: number) => ({ role: "tool", tool_call_id: id, content: `Exit code: ${code}` });
  const said = [asking("1", "bad"), told("1", 1), asking("2", "good"), told("2", 0)];
  const call = (before: number, message: unknown): MadeCall => ({
    http_status: 200,
    request: { model: "gemma", messages: [...opening, ...said.slice(0, before)] },
    response: { message, finish_reason: "stop" },
  });
  const end = { role: "assistant", content: "It is mended." };
  await recordCalls(home, "mended", [call(0, said[0]), call(2, said[2]), call(4, end)]);
  const tips = [{ tip_id: 7, rank: 1, similarity_score: 0.5, source_run_id: null }];
  const ran = (script: string, code: number): [string, string, object][] => [
    ["tool_call", "worker", { tool: "apply", args: { script } }],
    ["tool_result", "worker", { tool: "apply", result: `Exit code: ${code}` }],
  ];
  const sections = { sections_included: ["similar_rule_tips"], v2_tips_loaded: tips };
  const events: [string, string, object][] = [
    ["run_start", "system", { run_id: "20260501-010000" }],
    ["iteration_start", "system", { iteration: 1 }],
    ["attempt_start", "harness", { rule_id: "xccdf_org.example_rule_a", attempt: 1, title: "A rule" }],
    ["prompt_assembled", "worker", { phase: "apply_fix", ...sections }],
    ...[...ran("bad", 1), ...ran("good", 0)],
    ["agent_response", "worker", { text: end.content, model: "gemma" }],
    ...later,
  ];
  const log = join(home.path, "run-20260501-010000.jsonl");
  const lines = events.map(([event_type, agent, data]) => JSON.stringify({ event_type, agent, data }));
  writeFileSync(log, `${lines.join("\n")}\n`);
  const report = await importInto(home, log, { format: "gemma-forge", onto: "mended" });
  const run = report.imported[0]?.run as RunId;
  const found = await eventsOf(home, run);
  return { run, events: found, turns: only(found, "turn") };
}

/** Records one call as a run of that name, and returns its messages, the answer last. */
async function recordPlums(home: Home, name: string) {
  const asked = { role: "user", content: "Which plums are ripe?" };
  const answer = { role: "assistant", content: "All of the plums are ripe." };
  const response = { message: answer, finish_reason: "stop" };
  const request = { model: "m", messages: [asked] };
  const { run } = await recordCalls(home, name, [{ http_status: 200, request, response }]);
  return { run, messages: [asked, answer] };
}

describe("a log with its calls", () => {
  let home: Home;
  let remove: () => void;

  beforeEach(() => {
    ({ home, remove } = temporaryHome());
  });

  afterEach(() => remove());

  it("is said to be joined by the next import, where the one that did it ended too early", async () => {
    const { run, messages } = await recordPlums(home, "plums");
    const file = join(home.path, "rows.jsonl");
    writeFileSync(file, `${JSON.stringify({ id: "a", reward: 1, messages })}\n`);
    const first = await importInto(home, file, { onto: "plums" });
    expect(first.joined).toMatchObject({ turns: 1, matched: 1 });
    const said = new Map([[run, first.imported[0]?.run]]);
    expect(coveredRuns(home)).toEqual(said);
    const lines = readFileSync(home.ledger, "utf8").trimEnd().split("\n");
    writeFileSync(home.ledger, `${lines.slice(0, -1).join("\n")}\n`);
    expect(coveredRuns(home)).toEqual(new Map());
    await importInto(home, file, { onto: "plums" });
    expect(coveredRuns(home)).toEqual(said);
    await importInto(home, file, { onto: "plums" });
    expect(readFileSync(home.ledger, "utf8").trimEnd().split("\n")).toHaveLength(lines.length);
  });

  it("is about what the recorded run is about, and stands for it by its name", async () => {
    const { run, messages } = await recordPlums(home, "rows");
    const file = join(home.path, "rows");
    writeFileSync(`${file}.jsonl`, `${JSON.stringify({ id: "a", messages })}\n`);
    const { imported, joined } = await importInto(home, `${file}.jsonl`, { onto: "rows" });
    expect(joined).toMatchObject({ recorded: run, recordedSkill: "stig", skill: "stig" });
    expect(await runCalled(home, "rows")).toMatchObject({ run: imported[0]?.run, skill: "stig" });
    expect((await importInto(home, `${file}.jsonl`, { onto: "rows" })).known).toEqual([imported[0]?.run]);
    const asFruit = await importInto(home, `${file}.jsonl`, { onto: run, skill: "fruit" });
    expect(asFruit.joined).toMatchObject({ recordedSkill: "stig", skill: "fruit" });
    expect((await runCalled(home, "rows")).skill).toBe("fruit");
  });

  it("is given the labels of the recorded run, and those of an item that it lacks are counted", async () => {
    const { run, messages } = await recordPlums(home, "rows");
    const file = join(home.path, "night.jsonl");
    writeFileSync(file, `${JSON.stringify({ id: "a", messages })}\n`);
    const joined = (await importInto(home, file, { onto: "rows" })).imported[0]?.run;
    const labels = join(home.path, "labels.jsonl");
    writeFileSync(labels, '{"item":"a","value":1}\n{"item":"b","value":1}\n');
    const { exitCode, stdout } = await tracemill(home, "label", run, "--from", labels);
    expect(exitCode).toBe(3);
    expect(stdout.split("\n")).toEqual([
      `${joined} stands for ${run} now`,
      `1 attempt of ${joined} has a verdict now`,
      "1 label matches no attempt, such as stig:b",
    ]);
    const [listed, audited] = await Promise.all([tracemill(home, "runs"), tracemill(home, "audit", run)]);
    expect(listed.stdout).toMatch(new RegExp(`${run} .* left out for ${joined}`));
    expect(audited.stdout).toContain(`${joined} stands for it now`);
  });

  it("is judged by what its worker said last, also by the recorded run's id, and not where the log cut that", async () => {
    const { run } = await joinedMending(home, [
      ["agent_response", "reflector", { text: "It was easy.", model: "gemma" }],
      ["attempt_start", "harness", { rule_id: "xccdf_org.example_rule_b", attempt: 1, title: "Another rule" }],
      ["agent_response", "worker", { text: "Nothing is to be done. ".padEnd(1000, "at all "), model: "gemma" }],
      ["iteration_start", "system", { iteration: 2 }],
      ["agent_response", "architect", { text: "Is it over?", model: "gemma" }],
    ]);
    const recorded = (await listRuns(home)).find(({ command }) => command === "record")?.run as RunId;
    const sealed = await tracemill(home, "seal", recorded, "--verify-cmd", "false");
    expect(sealed.stderr).toMatch(new RegExp(`tracemill label ${recorded} --verify-cmd CMD$`, "m"));
    const judge = 'test "$(cat)" = "It is mended."';
    const { exitCode, stdout } = await tracemill(home, "label", recorded, "--verify-cmd", judge);
    expect([exitCode, stdout.split("\n")]).toEqual([
      3,
      [
        `${run} stands for ${recorded} now`,
        `1 attempt of ${run} has a verdict now`,
        "not judged: stig:xccdf_org.example_rule_b/1: its last answer is not known whole",
      ],
    ]);
    const lake = await openLake(home);
    const passed = await lake.query("SELECT attempt FROM attempts WHERE eval_passed");
    lake.close();
    expect(passed).toEqual([{ attempt: `${run}/stig:xccdf_org.example_rule_a/1` }]);
  });

  it("has each exit code at the turn whose command it was", async () => {
    const { events, turns } = await joinedMending(home);
    const exits = only(events, "action").map(({ turn, exitCode }) => [
      turns.findIndex((one) => one.turn === turn),
      exitCode,
    ]);
    expect(exits).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it("has the tips of its prompt at every turn of the conversation, so that to revoke one reaches them all", async () => {
    const { run, turns } = await joinedMending(home);
    const shown = { rank: 1, isRendered: true };
    expect(turns.map(({ retrievals }) => retrievals)).toMatchObject([[shown], [shown], [shown]]);
    const tip = turns[0]?.retrievals[0]?.tip as string;
    await revoke(home, { target: tip, reason: "it was wrong", clock: systemClock });
    const lake = await openLake(home);
    const rows = await lake.query(`SELECT is_revoked FROM turns WHERE run = '${run}'`);
    lake.close();
    expect(rows).toEqual([{ is_revoked: true }, { is_revoked: true }, { is_revoked: true }]);
  });

  const forge = it.skipIf(FIXTURES === null);
  forge.each([
    ["stig-1", 20],
    ["stig-2", 20],
    ["stig-torn", 10],
  ] as const)(
    "of gemma-forge gives %s complete, labelled attempts",
    { timeout: 120_000 },
    async (name, leastExamples) => {
      const source = join(FIXTURES as string, "gemma-forge");
      const truth = gunzipSync(readFileSync(join(source, "truth.jsonl.gz")))
        .toString()
        .trimEnd()
        .split("\n");
      const made = truth
        .map((line) => JSON.parse(line) as TruthCall)
        .filter(({ kind, run }) => kind === "llm" && run === name);
      const sealed = await recordCalls(home, name, made);
      const ledger = JSON.parse(readFileSync(join(source, "ledger.json"), "utf8")).runs[name];
      const report = await importInto(home, join(source, ledger.files.log), { format: "gemma-forge", onto: name });
      const [joined] = report.imported;
      const events = await eventsOf(home, joined?.run as never);
      const calls = only(await eventsOf(home, sealed.run as never), "turn");
      const seqOf = new Map(calls.map(({ turn }, i) => [turn as string, made[i]?.seq]));
      const places = truePlaces(made, ledger.attempts);
      for (const role of ["worker", "architect", "reflector"]) {
        const found = only(events, "turn").filter(
          (turn) => turn.role === role && turn.recordedAs !== undefined && turn.response !== null,
        );
        const right = found.filter(
          (turn) => turn.attempt.slice(21) === places.get(seqOf.get(turn.recordedAs ?? "") ?? 0),
        );
        const all = made.filter((call) => call.role === role && call.response !== null);
        const figures = {
          precision: right.length / found.length,
          recall: right.length / all.length,
          calls: all.length,
        };
        console.log(`${name}, ${role}: ${JSON.stringify({ ...figures, ...report.joined?.roles[role] })}`);
        expect(right).toEqual(found);
        expect(figures.recall).toBe(1);
      }
      const worker = only(events, "turn").filter(
        (turn): turn is Turn => turn.role === "worker" && turn.recordedAs !== undefined && turn.response !== null,
      );
      expect(worker.every(({ missing, tools }) => missing === undefined && tools !== null)).toBe(true);
      const lake = await openLake(home);
      const [row] = await lake.query(
        `SELECT count(*) AS n FROM examples WHERE run = '${joined?.run}' AND "role" = 'worker' AND eval_passed AND messages IS NOT NULL`,
      );
      lake.close();
      expect(Number(row?.n)).toBeGreaterThan(leastExamples);
      expect((await listRuns(home)).map(({ command }) => command).toSorted()).toEqual(["import", "record"]);
    },
  );
});
