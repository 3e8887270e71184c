/** The worked example for coding agents: what an answer may write, and what a run of the tests says of it. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerText, parseAnswer, writeCall } from "../../examples/skills/test-command/answer.ts";
import skill from "../../examples/skills/test-command/skill.ts";
import { testsIn, walls } from "../../examples/skills/test-command/test-run.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { livingDescendants } from "../../src/skills/child-processes.ts";
import type { Item, Verdict } from "../../src/skills/contract.ts";

let folder: string;
let items: Item[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-own-repository-"));
  await mkdir(join(folder, "app"));
  await writeFile(join(folder, "app", "sum.js"), "exports.sum = (a, b) => a - b;\n");
  await writeFile(join(folder, "app", "check.js"), CHECK);
  await writeFile(join(folder, "app", "package.json"), JSON.stringify({ scripts: { test: "node check.js" } }));
  await symlink(tmpdir(), join(folder, "app", "outside"));
  const task = { family: "sum", task: "Sums are wrong.", repository: "app", show: ["sum.js"], protected: ["check.js"] };
  const lines = [
    { id: "sum", ...task, verify: "npm test" },
    { id: "quick", ...task, verify: "node check.js", limitSeconds: 1 },
    { id: "done", ...task, verify: "true" },
  ];
  await writeFile(join(folder, "items.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const drafts = await skill.items({ seed: 1, itemsFile: join(folder, "items.jsonl") });
  items = drafts.map((draft) => ({ ...draft, split: "train" as const }));
});

afterAll(() => rm(folder, { recursive: true }));

/** Two tests as TAP; the second one passes before anything was done. */
const CHECK = `const { sum } = require("./sum.js");
const tests = { adds: sum(2, 3) === 5, "keeps zero": sum(0, 0) === 0 };
Object.entries(tests).forEach(([name, ok], i) => console.log((ok ? "ok " : "not ok ") + (i + 1) + " - " + name));
process.exitCode = Object.values(tests).every(Boolean) ? 0 : 1;
`;

const itemOf = (id: string) => items.find(({ item }) => item === `test-command:${id}`) as Item;

async function attempt(id: string, path: string, content: string): Promise<Verdict> {
  const workspace = await skill.open(itemOf(id), { folder: join(folder, "place"), from: null });
  try {
    const call = { name: "write_file", arguments: { path, content } };
    await workspace.act(call);
    return await workspace.verify(call, { call });
  } finally {
    await workspace.close();
  }
}

describe("an answer", () => {
  const item = () => itemOf("sum");
  const said = (content: string) => parseAnswer({ role: "assistant", content }, item());

  it("is read back from the text that is written for a call", () => {
    const piece = fc.constantFrom("`", "```", "````", "\n", " ", "a", "x.js", "```js\n", "é");
    const content = fc.array(piece, { minLength: 1 }).map((pieces) => `${pieces.join("")}a`);
    fc.assert(
      fc.property(
        content,
        fc.constantFrom("sum.js", "src/a-b.c.js", "Makefile", "a b/c d.js", "@a/b.js"),
        (text, path) => {
          const call = writeCall(path, text);
          expect(said(answerText(call))).toEqual({ call });
        },
      ),
    );
  });

  it.each([
    ["a path above the block", "src/a.js\n```js\nlet a;\n```", "src/a.js"],
    ["a word above the block", "Answer:\n```\nlet a;\n```", "sum.js"],
    ["a marked path", "Here it is.\n\n**`src/a.js`**:\n```\nlet a;\n```\nDone.", "src/a.js"],
    ["no path: the file that the task is about", "```js\nlet a;\n```", "sum.js"],
    ["a block that is not closed", "```js\nlet a;", "sum.js"],
  ])("may hold %s", (_, text, path) => {
    expect(said(text)).toEqual({ call: writeCall(path, "let a;\n") });
  });

  it("may be a native tool call, and asks for nothing without a block", () => {
    const call = {
      type: "function" as const,
      function: { name: "write_file", arguments: '{"path":"a.js","content":"x"}' },
    };
    expect(parseAnswer({ role: "assistant", content: null, tool_calls: [call] }, item())).toEqual({
      call: writeCall("a.js", "x\n"),
    });
    expect(said("I would change the sign.")).toMatchObject({ failureMode: "no-file" });
  });
});

describe("a file may not be written", () => {
  it.each([
    ["above the copy", "../sum.js"],
    ["above the copy, by a way through it", "src/../../sum.js"],
    ["by an absolute path", "/tmp/tracemill-written.js"],
    ["through a link", "outside/tracemill-written.js"],
    ["in the place of a link", "outside"],
    ["below a file", "sum.js/a.js"],
    ["by a path that names no file", "src/"],
    ["where the tests lie", "check.js"],
  ])("%s", async (_, path) => {
    const verdict = await attempt("sum", path, "exports.sum = (a, b) => a + b;\n");
    expect(verdict).toMatchObject({ passed: false, failureMode: "forbidden-path" });
    expect(existsSync(join(tmpdir(), "tracemill-written.js"))).toBe(false);
  });
});

describe("a verdict", () => {
  it("passes where the command does, with what it said before and after", async () => {
    const verdict = await attempt("sum", "sum.js", "exports.sum = (a, b) => a + b;\n");
    expect(verdict).toMatchObject({ passed: true, value: 1, failureMode: null, flags: [], before: { passed: false } });
    expect(verdict.evidence).toMatchObject({
      command: "npm test",
      exitCode: 0,
      output: expect.stringContaining("ok 1 - adds\nok 2 - keeps zero\n"),
      before: { exitCode: 1, output: expect.stringContaining("not ok 1 - adds") },
      walls: walls(),
    });
  });

  it("names the tests that passed before and fail now", async () => {
    const verdict = await attempt("sum", "sum.js", "exports.sum = (a, b) => a + b + 1;\n");
    expect(verdict).toMatchObject({ failureMode: "regression", evidence: { regressions: ["keeps zero"] } });
    expect(skill.explain?.(verdict)).toMatch(/^Failing: adds; keeps zero\. The end of its output:\n/);
  });

  it("does not take a process that ended before its tests for one whose tests pass", async () => {
    const verdict = await attempt("sum", "sum.js", "process.exit(0);\n");
    expect(verdict).toMatchObject({ passed: false, failureMode: "regression", evidence: { exitCode: 0 } });
  });

  it("ends a command that takes too long, with all that it started", async () => {
    const endless = 'require("node:child_process").spawn("sleep", ["61"]);\nfor (;;);\n';
    expect(await attempt("quick", "sum.js", endless)).toMatchObject({ failureMode: "timeout", passed: false });
    while (livingDescendants().some(({ command }) => command === "sleep")) await pause(10);
  });

  it("says of a pass that nothing was needed for it", async () => {
    expect(await attempt("done", "sum.js", "// nothing\n")).toMatchObject({ passed: true, flags: ["noop-pass"] });
  });

  it("is made without a network", async ({ skip }) => {
    skip(walls() === "none", "neither bubblewrap nor a network namespace can be had here");
    const looks = `const names = Object.keys(require("node:os").networkInterfaces());
if (names.some((name) => name !== "lo")) throw new Error("a network: " + names);
exports.sum = (a, b) => a + b;
`;
    expect(await attempt("sum", "sum.js", looks)).toMatchObject({ passed: true });
  });

  it("is made where nothing but the copy can be written", async ({ skip }) => {
    skip(walls() !== "bubblewrap", "bubblewrap cannot be had here");
    const target = join(folder, "written-by-the-tests");
    // What writes must not fail for it: the walls are to be seen in the folder, not in an error.
    const writes = `try { require("node:fs").writeFileSync(${JSON.stringify(target)}, ""); } catch (refused) { void refused; }
exports.sum = (a, b) => a + b;
`;
    expect(await attempt("sum", "sum.js", writes)).toMatchObject({ passed: true });
    expect(existsSync(target)).toBe(false);
  });
});

describe("walls around the tests", () => {
  /** What a process finds and runs that has only these programs. */
  async function runWith(programs: string[]): Promise<{ walls: string; exitCode: number }> {
    const bin = await mkdtemp(join(folder, "bin-"));
    for (const program of ["sh", "true", ...programs]) {
      const { stdout } = await execa("bash", ["-c", `type -P ${program}`]);
      await symlink(stdout, join(bin, program));
    }
    const module = join(PACKAGE_FOLDER, "examples", "skills", "test-command", "test-run.ts");
    const script = `import { runTests, walls } from ${JSON.stringify(module)};
      const { exitCode } = await runTests(${JSON.stringify(bin)}, "true", 20);
      console.log(JSON.stringify({ walls: walls(), exitCode }));`;
    const words = ["--input-type=module", "-e", script];
    return JSON.parse((await execa(process.execPath, words, { env: { PATH: bin } })).stdout);
  }

  it("are a network namespace where there is no bubblewrap", async ({ skip }) => {
    const works = await execa("unshare", ["-rn", "true"], { reject: false });
    skip(works.exitCode !== 0, "no network namespace can be had here");
    expect(await runWith(["unshare"])).toEqual({ walls: "network namespace", exitCode: 0 });
  });

  it("are none, and the tests run all the same, where there is neither", async () => {
    expect(await runWith([])).toEqual({ walls: "none", exitCode: 0 });
  });
});

describe("a workspace", () => {
  it("leaves the repository as it is, and nothing behind when it is closed", async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith("tracemill-test-command-"));
    await attempt("quick", "new/file.js", "1\n");
    expect((await readdir(join(folder, "app"))).sort()).toEqual(["check.js", "outside", "package.json", "sum.js"]);
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith("tracemill-test-command-"));
    expect(after).toEqual(before);
  });

  it("does not begin with the state of another task", async () => {
    const place = join(folder, "states");
    const workspace = await skill.open(itemOf("quick"), { folder: place, from: null });
    const from = await workspace.checkpoint();
    await workspace.close();
    await expect(skill.open(itemOf("sum"), { folder: place, from })).rejects.toThrow("is no state of test-command:sum");
  });
});

describe("items of one's own are refused", () => {
  it.each([
    ["without a command", { repository: "app" }, "verify is missing"],
    ["for a folder that is not there", { repository: "nowhere", verify: "true" }, "there is no"],
    ["for a file that is not there", { repository: "app", verify: "true", show: ["none.js"] }, "none.js"],
  ])("%s, with the line", async (_, line, message) => {
    const itemsFile = join(folder, "bad.jsonl");
    await writeFile(itemsFile, `\n${JSON.stringify({ id: "a", family: "a", task: "a", ...line })}\n`);
    await expect(skill.items({ seed: 1, itemsFile })).rejects.toThrow(message);
    await expect(skill.items({ seed: 1, itemsFile })).rejects.toThrow(`${itemsFile}:2: `);
  });
});

it("TAP is read with its subtests, whatever stands behind a name", () => {
  const output = `> test
TAP version 13
# Subtest: lists
    # Subtest: are long
    ok 1 - are long # time=1.2ms
    not ok 2 - are short
not ok 1 - lists
ok 2 - numbers # SKIP later
`;
  expect(Object.fromEntries(testsIn(output))).toEqual({
    "lists > are long": true,
    "lists > are short": false,
    lists: false,
    numbers: true,
  });
});
