/** Runs over executable skills: every call and verdict is recorded, and a program that dies costs one attempt. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { RunSummary } from "../../src/commands/run.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { Home } from "../../src/store/home.ts";
import { type ScriptedReply, startScriptedModel } from "../fixtures/scripted-model.ts";
import { eventsOf, only, temporaryHome } from "../harness/setting.ts";

const PROGRAM = join(PACKAGE_FOLDER, "test", "fixtures", "programs", "unruly.mjs");

let home: Home;
let remove: () => void;
let skills: string;

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  skills = await mkdtemp(join(tmpdir(), "tracemill-skills-"));
});

afterEach(async () => {
  remove();
  await rm(skills, { recursive: true });
});

async function run(replies: ScriptedReply[], words: string[], folders: string) {
  const model = await startScriptedModel({ replies });
  const cli = join(PACKAGE_FOLDER, "src", "cli.ts");
  const all = ["run", "--model", "scripted", "--endpoint", model.url, "--concurrency", "1", "--json", ...words];
  try {
    const env = { TRACEMILL_HOME: home.path, TRACEMILL_SKILLS: folders };
    const { stdout, exitCode } = await execa(process.execPath, [cli, ...all], { env, reject: false });
    return { summary: JSON.parse(stdout) as RunSummary, exitCode, requests: model.requests };
  } finally {
    await model.close();
  }
}

it("a run over the executable example records its prompts, actions and verdicts", async () => {
  const examples = join(PACKAGE_FOLDER, "examples", "skills");
  const words = ["--skill", "glob-patterns", "--limit", "2", "--attempts", "1"];
  const { summary, exitCode, requests } = await run([{ content: "*" }, { content: "" }], words, examples);
  expect([exitCode, summary.attempts, summary.passed]).toEqual([0, 2, 0]);
  expect(requests[0]?.messages.at(-1)?.content).toMatch(/^Write a pattern for these file names\.\nMatch: /);
  const events = await eventsOf(home, summary.run);
  expect(only(events, "action").map(({ call }) => call)).toEqual([
    { name: "match_names", arguments: { pattern: "*" } },
  ]);
  expect(only(events, "verdict").map(({ verdict }) => [verdict.failureMode, verdict.verifier.id])).toEqual([
    ["takes-another", "glob-patterns"],
    ["no-pattern", "glob-patterns"],
  ]);
});

it("a program that dies costs the attempt that it died in, and is started again for the next one", async () => {
  await mkdir(join(skills, "rooms", "prompts"), { recursive: true });
  await writeFile(join(skills, "rooms", "prompts", "worker.md"), "# user\n{{task}}\n");
  const manifest = {
    ...{ id: "rooms", version: "1", description: "Paint rooms.", salt: "rooms", maxTokens: 20 },
    splitFractions: { train: 1, validation: 0, test: 0 },
    failureModes: ["no-colour", "not-red"],
    command: [process.execPath, PROGRAM],
    action: { name: "paint", argument: "colour", from: "text", missing: "no-colour" },
  };
  await writeFile(join(skills, "rooms", "skill.json"), JSON.stringify(manifest));
  const replies = ["die", "red", "blue", "red"].map((content) => ({ content }));
  const words = ["--skill", "rooms", "--attempts", "2", "--evidence", "--mode", "progress"];
  const { summary, exitCode, requests } = await run(replies, words, skills);
  const events = await eventsOf(home, summary.run);
  expect(only(events, "failure")).toEqual([
    expect.objectContaining({ boundary: "workspace", code: "SKILL_PROCESS_ENDED" }),
  ]);
  expect(only(events, "verdict").map(({ verdict }) => verdict.passed)).toEqual([true, false, true]);
  expect(requests.at(-1)?.messages.at(-1)?.content).toContain("It failed: not-red. Look at the wall.");
  expect([exitCode, summary.solved]).toEqual([3, 2]);
});
