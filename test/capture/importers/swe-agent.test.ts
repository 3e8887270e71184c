/** SWE-agent's files: prompts as the steps had them, what the agent did, and the reports that lie beside them. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { only } from "../../harness/setting.ts";
import { FIXTURES, folder, freshFolders, type Imported, readImported, readWritten, SAMPLES } from "./setting.ts";

const SAMPLE = join(SAMPLES, "swe-agent");
const SEVEN = join(SAMPLE, "runs", "trajectories", "ada__abacus-7", "ada__abacus-7.traj");

freshFolders();

const read = (path: string) => readImported(path, "swe-agent");
const readFiles = (files: Record<string, unknown>) => readWritten(files, "swe-agent");

const texts = (messages: Record<string, unknown>[]) => messages.map(({ content }) => content);
const step = (response: string, more = {}) => ({ response, action: "ls", observation: "seen", ...more });
const said = (content: string, more = {}) => ({ role: "assistant", content, action: "ls", agent: "main", ...more });
const heard = (content: string) => ({ role: "user", content, agent: "main" });
const report = (resolved: boolean, more = {}) => ({ patch_exists: true, resolved, tests_status: {}, ...more });
const verdictsOf = (events: Imported["events"]) =>
  only(events, "verdict").map(({ attempt, verdict: { value, failureMode, flags, verifier, signalType } }) => ({
    ...{ attempt: attempt.slice(21), value, failureMode, flags, verifier: verifier.id, signalType },
  }));

describe("a step", () => {
  it("is a turn with the query that it was asked with", async () => {
    const { turns } = await read(SEVEN);
    expect(turns.map(({ messages }) => texts(messages))).toEqual([
      ["You mend code.", "Beads are counted twice."],
      ["You mend code.", "Beads are counted twice.", "Look first.", "OBSERVATION:\nn += 2"],
      [
        ...["You mend code.", "Beads are counted twice.", "Look first.", "OBSERVATION:\nn += 2"],
        ...["vim it", "vim is not there."],
      ],
    ]);
  });

  it("has the calls and thoughts that its history has, in a chat's shape", async () => {
    const { turns } = await read(SEVEN);
    const call = { id: "c1", type: "function", function: { name: "bash", arguments: '{"command":"cat beads.py"}' } };
    expect(turns[0]?.response).toEqual({
      ...{ role: "assistant", content: "Look first.", reasoning_content: "It must be the loop.", tool_calls: [call] },
    });
    expect(turns[1]?.messages.slice(2)).toEqual([
      { role: "assistant", content: "Look first.", reasoning_content: "Where is it counted?", tool_calls: [call] },
      { role: "tool", content: "OBSERVATION:\nn += 2", tool_call_id: "c1" },
    ]);
  });

  it("says what its model was asked with", async () => {
    const { events } = await read(SEVEN);
    expect(only(events, "turn")[0]).toMatchObject({
      modelAnswered: "tiny-1",
      request: { model: "tiny-1", temperature: 0.5, top_p: 1, seed: 3 },
    });
  });

  it("lacks its tools, and the calls of an answer that was asked for again", async () => {
    const { turns } = await read(SEVEN);
    expect(turns.map(({ missing }) => missing)).toEqual([["tools"], ["tools", "answer"], ["tools"]]);
  });

  it("is an action with its call, unless it was never carried out", async () => {
    const { events } = await read(SEVEN);
    expect(only(events, "action").map(({ call, stdout, durationMs }) => ({ call, stdout, durationMs }))).toEqual([
      { call: { name: "bash", arguments: { command: "cat beads.py" } }, stdout: "n += 2", durationMs: 250 },
      { call: { name: "submit", arguments: {} }, stdout: "done", durationMs: 500 },
    ]);
  });

  it("that only ended the run is a failure and no turn", async () => {
    const { events, turns } = await read(SAMPLE);
    expect(turns.filter(({ attempt }) => attempt === "coding:ada__abacus-8/1").length).toBe(1);
    expect(only(events, "failure").map(({ code, message }) => ({ code, message }))).toContainEqual({
      code: "STOPPED",
      message: "Exit due to cost limit",
    });
  });
});

describe("a prompt of version 1.0", () => {
  it("is what the step before left, as a step's messages hold its own answer", async () => {
    const [one, two] = [
      [heard("task"), said("a"), heard("1")],
      [heard("task"), said("a"), heard("1"), said("b"), heard("2")],
    ];
    const { turns } = await readFiles({
      "x.traj": { trajectory: [step("a", { messages: one }), step("b", { messages: two })], history: two },
    });
    expect(turns.map(({ messages }) => texts(messages))).toEqual([["task"], ["task", "a", "1"]]);
    expect(turns.map(({ missing }) => missing.includes("prompt"))).toEqual([false, false]);
  });

  it("is not whole after an answer that was asked for again", async () => {
    const history = [heard("task"), said("good"), heard("1")];
    const { turns } = await readFiles({
      "x.traj": {
        trajectory: [step("bad", { messages: [heard("task")] }), step("good", { messages: history })],
        history,
      },
    });
    expect(turns.map(({ messages }) => texts(messages))).toEqual([["task"], ["task"]]);
    expect(turns.map(({ missing }) => missing.includes("prompt"))).toEqual([false, true]);
  });
});

describe("a prompt from the history", () => {
  const history = [heard("task"), ...[..."abcdefg"].flatMap((text) => [said(text), heard(`saw ${text}`)])];
  const trajectory = [..."abcdefg"].map((text) => step(text));

  it("is whole as long as no observation was abridged", async () => {
    const whole = async (name: string, more: object) => {
      const { turns } = await readFiles({ [`${name}/${name}.traj`]: { trajectory, history, ...more } });
      rmSync(join(folder, name), { recursive: true });
      return turns.map(({ missing }) => !missing.includes("prompt"));
    };
    const processors = (...history_processors: object[]) => ({ replay_config: { agent: { history_processors } } });
    expect(await whole("unknown", {})).toEqual([true, true, true, true, true, true, false]);
    expect(await whole("none", processors())).not.toContain(false);
    expect(await whole("keeping", processors({ type: "cache_control" }))).not.toContain(false);
    expect(await whole("two", processors({ type: "last_n_observations", n: 2 }))).toEqual([
      ...[true, true, true, false, false, false, false],
    ]);
    expect(await whole("other", processors({ type: "closed_window" }))).toEqual([true, ...Array(6).fill(false)]);
  });

  it("holds the demonstration, whose answers are no turns", async () => {
    const { turns, events } = await read(join(SAMPLE, "runs", "ada__abacus-9.traj"));
    expect(turns.map(({ messages }) => texts(messages))).toEqual([
      ["Mend it.", "Here is how it goes.", "The sum is off."],
    ]);
    expect(only(events, "items_scanned")[0]?.items[0]?.task).toBe("The sum is off.");
  });

  it("is one agent's alone, by whose name its role goes", async () => {
    const other = { ...said("b"), agent: "Helper 1" };
    const { turns } = await readFiles({
      "x.traj": { history: [heard("task"), said("a"), heard("1"), { ...heard("sub"), agent: "Helper 1" }, other] },
    });
    expect(turns.map(({ role, messages }) => [role, texts(messages)])).toEqual([
      ["worker", ["task"]],
      ["helper-1", ["sub"]],
    ]);
  });

  it("is all there is where a file holds a history alone", async () => {
    const { turns, events } = await readFiles({ "x.traj": { history } });
    expect(turns.length).toBe(7);
    expect(turns[0]?.missing).toEqual(["system-prompt", "sampling"]);
    expect(only(events, "action").map(({ stdout }) => stdout)).toEqual([..."abcdefg"].map((text) => `saw ${text}`));
  });
});

describe("an item", () => {
  it("is the program's own, of the repository that its id names", async () => {
    const { events } = await read(SEVEN);
    expect(only(events, "items_scanned")[0]?.items[0]).toMatchObject({
      ...{ item: "coding:ada__abacus-7", family: "ada/abacus", task: "Beads are counted twice." },
      detail: { base_commit: "f00d", image: "abacus:1", exit_status: "submitted", repository: "ada/abacus" },
    });
  });

  it("has an attempt for each try, and not the best one twice", async () => {
    const { turns } = await read(join(SAMPLE, "runs", "trajectories", "ada__abacus-8"));
    expect(turns.map(({ attempt }) => attempt)).toEqual([
      ...["coding:ada__abacus-8/1", "coding:ada__abacus-8/2", "coding:ada__abacus-8/2"],
    ]);
  });
});

describe("a verdict", () => {
  it("is SWE-bench's of the attempt that was handed in, and a reviewer's is a judgment", async () => {
    const { events } = await read(SAMPLE);
    const imported = { flags: ["imported"] };
    expect(verdictsOf(events).toSorted((x, y) => x.attempt.localeCompare(y.attempt) || x.value - y.value)).toEqual([
      {
        ...{ attempt: "coding:ada__abacus-7/1", value: 1, failureMode: null, verifier: "swe-bench" },
        ...{ signalType: "binary", ...imported },
      },
      {
        ...{ attempt: "coding:ada__abacus-8/1", value: 0, failureMode: "failed", verifier: "swe-agent-review" },
        ...{ signalType: "judgment", ...imported },
      },
      {
        ...{ attempt: "coding:ada__abacus-8/2", value: 0, failureMode: "unresolved", verifier: "swe-bench" },
        ...{ signalType: "binary", ...imported },
      },
      {
        ...{ attempt: "coding:ada__abacus-8/2", value: 0.75, failureMode: "failed", verifier: "swe-agent-review" },
        ...{ signalType: "judgment", ...imported },
      },
    ]);
  });

  it("is none where an instance could not be evaluated, and none for an exit status", async () => {
    const { events } = await read(SAMPLE);
    expect(verdictsOf(events).filter(({ attempt }) => attempt.includes("abacus-9"))).toEqual([]);
    expect(only(events, "failure").filter(({ code }) => code === "NOT_EVALUATED").length).toBe(1);
    const alone = await readFiles({
      "x.traj": { history: [heard("t"), said("a")], info: { exit_status: "submitted" } },
    });
    expect(verdictsOf(alone.events)).toEqual([]);
  });

  it("has the whole report as its evidence", async () => {
    const { events } = await read(SAMPLE);
    const { evidence } = only(events, "verdict").find(({ verdict }) => verdict.passed)?.verdict ?? {};
    expect(evidence).toMatchObject({ resolved: true, tests_status: { FAIL_TO_PASS: { success: ["test_once"] } } });
  });

  it("says why an instance is not resolved", async () => {
    const failing = (kind: string) => ({ tests_status: { [kind]: { success: [], failure: ["t"] } } });
    const cases = {
      "fail-to-pass": report(false, failing("FAIL_TO_PASS")),
      "pass-to-pass": report(false, failing("PASS_TO_PASS")),
      "no-patch": report(false, { patch_exists: false }),
      "patch-not-applied": { patch_exists: true, patch_successfully_applied: false, resolved: false },
      unresolved: report(false),
    };
    const files = Object.entries(cases).flatMap(([name, told]) => [
      [`${name}/${name}.traj`, { history: [heard("t"), said("a")] }],
      [`${name}/report.json`, told],
    ]);
    const { events } = await readFiles(Object.fromEntries(files));
    expect(verdictsOf(events).map(({ attempt, failureMode }) => attempt === `coding:${failureMode}/1`)).toEqual(
      Array(5).fill(true),
    );
  });

  it("is of the trajectory that lies nearest, or whose run the report names", async () => {
    const trajectory = { history: [heard("t"), said("a")] };
    const { report: told, events } = await readFiles({
      "one/i/i.traj": trajectory,
      "one/eval/i/report.json": report(true),
      "two/i/i.traj": { ...trajectory, info: {} },
      "all/i/report.json": report(false, { model_name_or_path: "two" }),
    });
    expect(told.rejected).toEqual([]);
    expect(verdictsOf(events).map(({ value }) => value)).toEqual([1, 0]);
  });

  it("is none where it could be of several trajectories, or where reports contradict each other", async () => {
    const trajectory = { history: [heard("t"), said("a")] };
    const { report: told, events } = await readFiles({
      "one/i/i.traj": trajectory,
      "two/i/i.traj": { ...trajectory, info: {} },
      "all/i/report.json": report(true),
      "three/j/j.traj": trajectory,
      "three/a.json": { resolved_ids: ["j"], unresolved_ids: [] },
      "three/b.json": { resolved_ids: [], unresolved_ids: ["j"] },
      "three/k/report.json": { k: report(true) },
    });
    expect(verdictsOf(events)).toEqual([]);
    expect(told.rejected.map(({ reason, count }) => [reason, count]).toSorted()).toEqual([
      ["another report says otherwise", 2],
      ["it could speak of several trajectories", 1],
      ["no trajectory of its instance is here", 1],
    ]);
  });

  it("is flagged where a summary contradicts the report", async () => {
    const { events } = await readFiles({
      "j/j.traj": { history: [heard("t"), said("a")] },
      "j/report.json": report(true),
      "summary.json": { ids_resolved: [], ids_unresolved: ["j"] },
    });
    expect(verdictsOf(events)).toMatchObject([{ value: 1, flags: ["conflict", "imported"] }]);
  });
});

it("the patch of each try is that try's own", async () => {
  const tried = (submission?: string) => ({ history: [heard("t"), said("a")], info: { submission } });
  const { events } = await readFiles({
    "a.traj": { attempts: [tried("one"), tried(), tried("three")], info: { submission: "three" } },
  });
  expect(only(events, "patch_left").map(({ attempt, patch }) => [attempt.slice(-2), patch])).toEqual([
    ["/1", "one"],
    ["/3", "three"],
  ]);
});

describe("what cannot be read", () => {
  it("is said with its place", async () => {
    const { report: told } = await readFiles({
      "a.traj": '{"trajectory": [',
      "b.traj": { environment: "main" },
      "c.traj": { history: [heard("t"), 7, said("a")], trajectory: [null, step("a")] },
      "d.traj": { attempts: [3, { history: [heard("t"), said("a")], info: { review: { accept: 8 } } }] },
      "report.json": { patch_exists: true, resolved: "yes" },
    });
    const found = told.rejected.flatMap(({ reason, where }) => where.map((w) => [w.slice(folder.length + 1), reason]));
    expect(found.toSorted()).toEqual([
      ["a.traj", "it is not JSON"],
      ["b.traj", "it has neither a `trajectory` nor a `history`"],
      ["c.traj#/history/1", "it is no object"],
      ["c.traj#/trajectory/0", "it is no object"],
      ["d.traj#/attempts/0", "it is no object"],
      ["d.traj#/attempts/1#/info/review", "its `accept` is no score from 0 to 1"],
      ["report.json", "it does not say whether its instance is resolved"],
    ]);
  });
});

describe.skipIf(FIXTURES === null)("SWE-agent's own files", () => {
  const root = join(FIXTURES ?? "", "swe-agent");
  const files = FIXTURES === null ? [] : filesBelow(root).filter((path) => path.endsWith(".traj"));

  it.each(files)("%s is a turn for each of its steps", async (name) => {
    const raw = JSON.parse(readFileSync(join(root, name), "utf8"));
    const { report: told, turns, events } = await read(join(root, name));
    expect(told.rejected).toEqual([]);
    const steps: { response: string }[] | undefined = raw.trajectory;
    const answers = raw.history.filter(({ role }: { role: string }) => role === "assistant");
    const expected = steps?.map(({ response }) => response) ?? texts(answers);
    expect(turns.map(({ response }) => response?.content)).toEqual(expected);
    expect(only(events, "action").length).toBe(turns.length);
  });

  it("have the prompts that the steps had", async () => {
    const { turns } = await read(join(root, "swe-smith", "trajectories"));
    const lengths = turns.map(({ messages }) => messages.length);
    expect(lengths).toEqual([...twoByTwo(37), ...twoByTwo(17)]);
    expect(turns.every(({ messages }) => messages.at(-1)?.role !== "assistant")).toBe(true);
    expect(turns.every(({ missing }) => missing.join() === "tools")).toBe(true);
  });

  it("are joined with the reports below the same folder", async () => {
    const { report: told, events } = await read(join(root, "swe-smith"));
    expect(verdictsOf(events)).toMatchObject([
      { attempt: "coding:pandas-dev__pandas.95280573.pr_53652/1", value: 1, flags: ["imported"] },
      { attempt: "coding:pandas-dev__pandas.95280573.pr_53856/1", value: 0, failureMode: "fail-to-pass" },
    ]);
    expect(told.rejected.map(({ reason, count }) => [reason, count])).toEqual([
      ["no trajectory of its instance is here", 51],
    ]);
  });
});

function twoByTwo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 2 + 2 * i);
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: "utf8" });
}
