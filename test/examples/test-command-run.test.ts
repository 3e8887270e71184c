/** A coding agent's run as a user starts it: native tool calls mend one bug each, and what failed is told before the next attempt. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { RunSummary } from "../../src/commands/run.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { Home } from "../../src/store/home.ts";
import { type ChatRequest, type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";

const EXAMPLES = join(PACKAGE_FOLDER, "examples", "skills");

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  model = await startScriptedModel({ replies: mending });
});

afterEach(async () => {
  await model.close();
  remove();
});

/** Writes the file that the task names: first one that holds nothing, then, told that this failed, the right one. */
function mending({ messages }: ChatRequest) {
  const told = messages.at(-1)?.content ?? "";
  const path = /Mend (src\/\w+\.js)/.exec(told)?.[1] ?? "";
  const right = readFileSync(join(EXAMPLES, "test-command", "repository", path), "utf8");
  const content = told.includes("It failed") ? right : "export {};\n";
  const call = { name: "write_file", arguments: JSON.stringify({ path, content }) };
  return { content: null, finish_reason: "tool_calls", tool_calls: [{ id: "1", type: "function", function: call }] };
}

it("each bug is mended at the second attempt, and the log holds both runs of the tests", async () => {
  const cli = join(PACKAGE_FOLDER, "src", "cli.ts");
  const manner = ["--tool-calls", "native", "--evidence", "--attempts", "2", "--limit", "2", "--json"];
  const words = ["run", "--skill", "test-command", "--model", "scripted", "--endpoint", model.url, ...manner];
  const env = { TRACEMILL_HOME: home.path, TRACEMILL_SKILLS: EXAMPLES };
  const { stdout, exitCode } = await execa(process.execPath, [cli, ...words], { env, reject: false });
  const summary = JSON.parse(stdout) as RunSummary;
  expect([exitCode, summary.items, summary.solved, summary.attempts]).toEqual([0, 2, 2, 4]);
  const verdicts = only(await eventsOf(home, summary.run), "verdict").map(({ verdict }) => verdict);
  expect(verdicts.map(({ failureMode }) => failureMode).sort()).toEqual([null, null, "regression", "regression"]);
  for (const { before, evidence, passed } of verdicts) {
    expect(before).toEqual({ value: 0, passed: false });
    expect(evidence).toMatchObject({
      exitCode: passed ? 0 : 1,
      before: { exitCode: 1, output: expect.stringMatching(/^not ok/m) },
    });
  }
  expect(model.requests.at(-1)?.tools).toMatchObject([{ function: { name: "write_file" } }]);
});
