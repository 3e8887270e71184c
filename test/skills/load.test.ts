import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listSkills, loadSkill, skillHash } from "../../src/skills/load.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-skills-"));
  process.env.TRACEMILL_SKILLS = folder;
});

afterEach(async () => {
  delete process.env.TRACEMILL_SKILLS;
  await rm(folder, { recursive: true });
});

async function write(id: string, manifest: object, rest = ""): Promise<void> {
  await mkdir(join(folder, id), { recursive: true });
  const methods = "items, prompt: items, workedExample: items, parse: items, open: items, close: items";
  const text = `const items = () => [];\nexport default { manifest: ${JSON.stringify(manifest)}, ${methods} };\n${rest}`;
  await writeFile(join(folder, id, "skill.ts"), text);
}

const manifest = {
  id: "mine",
  version: "1",
  description: "Mine.",
  salt: "mine",
  splitFractions: { train: 0.5, validation: 0.1, test: 0.4 },
  failureModes: [],
  maxTokens: 10,
};

it("loads a user's skill by the same path as those that ship", async () => {
  await write("mine", manifest);
  expect(await listSkills()).toEqual(expect.arrayContaining(["mine", "sql"]));
  expect((await loadSkill("mine")).manifest).toEqual(manifest);
});

it("gives a skill another hash when any of its files changes", async () => {
  await write("mine", manifest);
  const before = await skillHash("mine");
  await writeFile(join(folder, "mine", "words.txt"), "one");
  const after = await skillHash("mine");
  expect(after).not.toBe(before);
});

it("refuses an unknown skill with the nearest known one", async () => {
  await expect(loadSkill("sq")).rejects.toMatchObject({
    code: "UNKNOWN_SKILL",
    details: { fix: 'did you mean "sql"?' },
  });
});

it("refuses a skill whose shares do not sum to 1", async () => {
  await write("lopsided", { ...manifest, id: "lopsided", splitFractions: { train: 0.5, validation: 0.5, test: 0.5 } });
  await expect(loadSkill("lopsided")).rejects.toMatchObject({
    code: "BAD_SKILL",
    details: { expected: "expected shares that sum to 1" },
  });
});

it("refuses a skill that is called other than its folder", async () => {
  await write("yours", manifest);
  await expect(loadSkill("yours")).rejects.toMatchObject({ code: "BAD_SKILL" });
});

it("refuses a folder of skills that is not there", async () => {
  process.env.TRACEMILL_SKILLS = join(folder, "nowhere");
  await expect(listSkills()).rejects.toMatchObject({ code: "NO_SKILLS_FOLDER" });
});

it("refuses a folder that holds no skill, and says what is missing", async () => {
  await mkdir(join(folder, "bare"));
  await expect(loadSkill("bare")).rejects.toMatchObject({
    code: "BAD_SKILL",
    details: { expected: "one of skill.ts, skill.js, skill.json in the folder", where: join(folder, "bare") },
  });
});

it("refuses a skill without one of its functions, by its name", async () => {
  await write("mine", manifest);
  await mkdir(join(folder, "half"));
  await writeFile(join(folder, "half", "skill.js"), `export default { manifest: ${JSON.stringify(manifest)} };\n`);
  await expect(loadSkill("half")).rejects.toMatchObject({
    code: "BAD_SKILL",
    details: { where: expect.stringMatching(/half\/skill\.js: items$/), expected: "expected a function" },
  });
});

it.each([
  ["imports what is not there", 'import "./nowhere.ts";\n', "nowhere.ts"],
  ["throws", 'throw new Error("not today");\n', "Error: not today"],
])("refuses a skill.ts that %s, with the reason", async (_, text, reason) => {
  await mkdir(join(folder, "broken"));
  await writeFile(join(folder, "broken", "skill.ts"), text);
  await expect(loadSkill("broken")).rejects.toMatchObject({
    code: "BAD_SKILL",
    details: { where: expect.stringMatching(/broken\/skill\.ts$/), got: expect.stringContaining(reason) },
  });
});

it("leaves out of a skill's hash what Python compiled", async () => {
  await write("mine", manifest);
  const before = await skillHash("mine");
  await mkdir(join(folder, "mine", "__pycache__"));
  await writeFile(join(folder, "mine", "__pycache__", "words.pyc"), "one");
  expect(await skillHash("mine")).toBe(before);
});
