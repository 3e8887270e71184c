/**
 * `tracemill skill` as a user types it: a new skill of each form keeps the contract as it is, and what is wrong with a
 * folder is told.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { SUITE } from "../../src/skills/suite.ts";

const CLI = join(PACKAGE_FOLDER, "src", "cli.ts");
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-own-skills-"));
});

afterEach(() => rm(folder, { recursive: true }));

function tracemill(words: string[], env: Record<string, string> = { TRACEMILL_SKILLS: folder }) {
  return execa(process.execPath, [CLI, ...words], { env, cwd: folder, reject: false });
}

const change = async (file: string, from: string, to: string) => {
  const text = await readFile(join(folder, file), "utf8");
  expect(text).toContain(from);
  await writeFile(join(folder, file), text.replace(from, to));
};

describe("a new skill", () => {
  it.each(["typescript", "executable", "test-command"])(
    "of the form %s keeps the contract as it is",
    async (form) => {
      const { stdout, exitCode } = await tracemill(["skill", "new", "mine", "--form", form]);
      expect(stdout).toMatch(/^Wrote mine: \d families lie in train, [1-9] in validation, [1-9] in test\.\n/);
      expect(exitCode).toBe(0);
      const tested = await tracemill(["skill", "test", "mine"]);
      expect(tested.stdout).toMatch(/The skill mine keeps the contract\.$/);
      expect(tested.stdout.match(/^ok {7}/gm)).toHaveLength(SUITE.length);
      expect(tested.exitCode).toBe(0);
      const { stdout: list } = await tracemill(["skill", "list"]);
      expect(list).toMatch(/^mine +\S/m);
    },
    240_000,
  );

  it("lies in ./skills where no folder is named, and says what has to be set", async () => {
    const { stdout } = await tracemill(["skill", "new", "mine"], {});
    expect(stdout).toContain("Wrote skills/mine: ");
    expect(stdout).toContain("export TRACEMILL_SKILLS=skills\n");
    expect(await readdir(join(folder, "skills", "mine"))).toContain("skill.ts");
  });

  it("bears its name and nothing of the example's, and imports the package's types", async () => {
    await tracemill(["skill", "new", "mine"]);
    const text = await readFile(join(folder, "mine", "skill.ts"), "utf8");
    expect(text).toContain('const ID = "mine";');
    expect(text).toContain('from "tracemill/skill";');
    expect(text).not.toContain("date-sums");
  });

  it("does not take the name of one that is there, and writes nothing then", async () => {
    await mkdir(join(folder, "mine"));
    const { stderr, exitCode } = await tracemill(["skill", "new", "mine"]);
    expect([stderr, exitCode]).toEqual([expect.stringMatching(/^SKILL_EXISTS: [\s\S]*where: {4}.*mine/), 2]);
    expect(await readdir(join(folder, "mine"))).toEqual([]);
    expect((await tracemill(["skill", "new", "sql"])).stderr).toMatch(/^SKILL_EXISTS: /);
    expect(existsSync(join(folder, "sql"))).toBe(false);
  });

  it("is not called by a path", async () => {
    const { stderr, exitCode } = await tracemill(["skill", "new", "../mine"]);
    expect([stderr, exitCode]).toEqual([expect.stringMatching(/^BAD_SKILL_NAME: /), 2]);
  });

  it("leaves nothing behind where its program cannot run", async () => {
    const env = { TRACEMILL_SKILLS: folder, PATH: folder };
    const { stderr, exitCode } = await tracemill(["skill", "new", "mine", "--form", "executable"], env);
    expect([stderr, exitCode]).toEqual([expect.stringMatching(/^SKILL_NEEDS: [\s\S]*python3/), 2]);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("a skill that breaks the contract", () => {
  it("is told which check it fails and why, with exit code 3", async () => {
    await tracemill(["skill", "new", "mine", "--form", "executable"]);
    await change("mine/program.py", '"detail": {', '"detail": {"now": random.random(),');
    const { stdout, exitCode } = await tracemill(["skill", "test", "mine"]);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^FAILED {3}gives the same items for the same seed\n {9}-> item 1 of 96 differs: mine:/m);
    expect(stdout).toMatch(/The skill mine breaks the contract in 1 of \d+ checks\.$/);
  });
});

describe("a folder that is no skill", () => {
  it("is told what it lacks", async () => {
    await mkdir(join(folder, "mine"));
    const { stderr, exitCode } = await tracemill(["skill", "test", "mine"]);
    expect([stderr, exitCode]).toEqual([
      expect.stringMatching(/^BAD_SKILL: [\s\S]*skill\.ts, skill\.js, skill\.json/),
      2,
    ]);
  });

  it("does not hide the others from the list", async () => {
    await tracemill(["skill", "new", "mine", "--form", "executable"]);
    await rm(join(folder, "mine", "prompts"), { recursive: true });
    const { stdout, exitCode } = await tracemill(["skill", "list"]);
    expect(stdout).toMatch(/^mine +cannot be loaded: NO_TEMPLATE: /m);
    expect(stdout).toMatch(/^sql +Answer/m);
    expect(exitCode).toBe(3);
  });

  it("is refused for a prompt with an unknown variable, with the nearest one", async () => {
    await tracemill(["skill", "new", "mine", "--form", "executable"]);
    await change("mine/prompts/worker.md", "{{wanted}}", "{{wnated}}");
    const { stderr, exitCode } = await tracemill(["run", "--skill", "mine", "--model", "m"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^UNKNOWN_VARIABLE: [\s\S]*worker\.md\n {2}fix: {6}did you mean \{\{wanted\}\}\?$/);
  });

  it("is refused for a skill.ts that is not TypeScript, with the line", async () => {
    await mkdir(join(folder, "mine"));
    await writeFile(join(folder, "mine", "skill.ts"), "export default {\n  manifest: (;\n};\n");
    const { stderr, exitCode } = await tracemill(["skill", "test", "mine"]);
    expect([stderr, exitCode]).toEqual([expect.stringMatching(/^BAD_SKILL: [\s\S]*SyntaxError: .*skill\.ts:2\)/), 2]);
  });

  it("is refused for items that throw, with the place", async () => {
    await tracemill(["skill", "new", "mine"]);
    await change("mine/skill.ts", "itemsFile === undefined ? generated(seed)", 'itemsFile === undefined ? nothing("")');
    const { stderr, exitCode } = await tracemill(["run", "--skill", "mine", "--model", "m"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^BAD_ITEMS: [\s\S]*nothing is not defined[\s\S]*skill\.ts:\d+/);
  });
});
