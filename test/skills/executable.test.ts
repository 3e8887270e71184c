import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Item } from "../../src/records/item.ts";
import type { Skill, Workspace } from "../../src/skills/contract.ts";
import { executableSkill } from "../../src/skills/executable.ts";

const PROGRAM = join(import.meta.dirname, "../fixtures/programs/unruly.mjs");
const SHARES = { train: 0.5, validation: 0.2, test: 0.3 };
const MANIFEST = {
  ...{ id: "rooms", version: "3", description: "Paint rooms.", salt: "rooms", splitFractions: SHARES, maxTokens: 20 },
  failureModes: ["no-colour", "not-red"],
  command: [process.execPath, PROGRAM],
  environment: ["COMPLAINT"],
  optionalMethods: ["health"],
  variables: ["room"],
  action: { name: "paint", argument: "colour", from: "text", missing: "no-colour" },
  solution: "paint",
};

let folder: string;
let skill: Skill;
let opened: Workspace[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-executable-"));
  opened = [];
  skill = await made();
});

afterEach(async () => {
  await skill.close();
  await rm(folder, { recursive: true });
});

async function write(changes: object = {}, prompt = "# system\nYou paint.\n\n# user\n{{task}} Room: {{room}}.\n") {
  await mkdir(join(folder, "prompts"), { recursive: true });
  await writeFile(join(folder, "prompts", "worker.md"), prompt);
  await writeFile(join(folder, "skill.json"), JSON.stringify({ ...MANIFEST, ...changes }));
  return join(folder, "skill.json");
}

async function made(changes: object = {}): Promise<Skill> {
  return executableSkill(await write(changes));
}

async function items(): Promise<Item[]> {
  return (await skill.items({ seed: 1 })).map((draft) => ({ ...draft, split: "train" as const }));
}

async function open(from: string | null = null): Promise<Workspace> {
  const [item] = await items();
  const workspace = await skill.open(item as Item, { folder: join(folder, "place"), from });
  opened.push(workspace);
  return workspace;
}

const paint = (colour: string) => ({ name: "paint", arguments: { colour } });
const judged = (workspace: Workspace, colour: string) => workspace.verify(paint(colour), { call: paint(colour) });

describe("an executable skill", () => {
  it("gives the program's items under the skill's name, and their prompts from its template", async () => {
    const [hall] = await items();
    expect(hall).toMatchObject({ item: "rooms:hall", family: "hall", kind: null, task: "Paint the hall red." });
    expect(skill.prompt(hall as Item)).toEqual([
      { role: "system", content: "You paint." },
      { role: "user", content: "Paint the hall red. Room: hall." },
    ]);
    expect(skill.workedExample(hall as Item, paint("red"))).toEqual([
      { role: "user", content: "Paint the hall red. Room: hall." },
      { role: "assistant", content: "red" },
    ]);
    expect(skill.starters?.(await items()).map(({ call }) => call)).toEqual([paint("red"), paint("red")]);
  });

  it("acts, judges and says what the program tells the worker", async () => {
    const workspace = await open();
    expect(await workspace.act(paint("blue"))).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    const verdict = await judged(workspace, "blue");
    expect(verdict).toMatchObject({ value: 0, confidence: 1, passed: false, failureMode: "not-red", before: null });
    expect(verdict.verifier).toEqual({ id: "rooms", version: "3" });
    expect(skill.explain?.(verdict)).toBe("Look at the wall.");
    await workspace.act(paint("red"));
    expect(await judged(workspace, "red")).toMatchObject({ value: 1, passed: true, failureMode: null });
    const parsed = skill.parse({ role: "assistant", content: " " }, (await items())[0] as Item);
    expect(await workspace.verify(null, parsed)).toMatchObject({ passed: false, failureMode: "no-colour" });
  });

  it("keeps states that another workspace begins with, and goes back to one", async () => {
    const workspace = await open();
    await workspace.act(paint("red"));
    const name = await workspace.checkpoint();
    await workspace.act(paint("blue"));
    await workspace.restore(name);
    expect(await judged(workspace, "red")).toMatchObject({ passed: true });
    expect(await judged(await open(name), "red")).toMatchObject({ passed: true });
    expect(await judged(await open(), "red")).toMatchObject({ passed: false });
  });

  it("answers many requests at once", async () => {
    const workspaces = await Promise.all(Array.from({ length: 20 }, () => open()));
    await Promise.all(workspaces.map((workspace, i) => workspace.act(paint(i % 2 === 0 ? "red" : "blue"))));
    const verdicts = await Promise.all(workspaces.map((workspace) => judged(workspace, "red")));
    expect(verdicts.map(({ passed }) => passed)).toEqual(workspaces.map((_, i) => i % 2 === 0));
  });

  it("passes on the variables that it names, and no others", async () => {
    process.env.COMPLAINT = "damp";
    try {
      expect(await (await open()).health?.()).toBe("damp");
      await skill.close();
      skill = await made({ environment: [] });
      expect(await (await open()).health?.()).toBeNull();
    } finally {
      delete process.env.COMPLAINT;
    }
  });

  it("tells what its program needs", async () => {
    expect(await skill.doctor?.()).toEqual([expect.objectContaining({ isMet: true, found: process.execPath })]);
    const other = await made({ command: ["tracemill-no-such-program"] });
    expect(await other.doctor?.()).toEqual([expect.objectContaining({ isMet: false })]);
    await expect(other.items({ seed: 1 })).rejects.toMatchObject({ name: "Refusal", code: "SKILL_NEEDS" });
  });

  it("hands the program's complaint of a user's items on, with its place", async () => {
    const file = join(folder, "mine.jsonl");
    await writeFile(file, "");
    await expect(skill.items({ seed: 1, itemsFile: file })).rejects.toMatchObject({
      name: "Refusal",
      code: "BAD_ITEMS",
      details: { message: "The skill rooms gives no items: a line is bad", where: `${file}:3`, expected: "a room" },
    });
    await expect(skill.items({ seed: 1, itemsFile: "/nowhere" })).rejects.toMatchObject({ code: "NO_ITEMS_FILE" });
  });

  it("refuses items that lack what the prompt names", async () => {
    await expect((await made({ variables: ["room", "paint", "size"] })).items({ seed: 1 })).rejects.toMatchObject({
      code: "BAD_ITEMS",
      details: { where: "rooms:hall: detail.size" },
    });
  });
});

describe("a program that misbehaves", () => {
  it.each([
    ["die", "SKILL_PROCESS_ENDED", "it ended with exit code 7"],
    ["shout", "BAD_REPLY", 'no reply: "I am thinking"'],
    ["stray", "BAD_REPLY", "which is not open"],
    ["both", "BAD_REPLY", "no reply"],
    ["empty", "BAD_REPLY", "no reply"],
    ["deep", "BAD_REPLY", "no reply"],
    ["endless", "SKILL_PROCESS_ENDED", "a line of more than 16777216 bytes"],
  ])("by what it does at %s fails that call and is started again", async (colour, code, message) => {
    const workspace = await open();
    await expect(workspace.act(paint(colour))).rejects.toMatchObject({
      name: "Failure",
      boundary: "workspace",
      code,
      message: expect.stringContaining(message),
    });
    await expect(workspace.act(paint("red"))).rejects.toMatchObject({ code: "WORKSPACE_LOST" });
    const next = await open();
    await next.act(paint("red"));
    expect(await judged(next, "red")).toMatchObject({ passed: true });
  });

  it.each([
    ["misshapen", "BAD_REPLY", "its reply to act does not fit: exitCode"],
    ["sulk", "SKILL_ERROR", "refused act: I do not like it"],
  ])("by what it does at %s fails that call alone", async (colour, code, message) => {
    const workspace = await open();
    await expect(workspace.act(paint(colour))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    await workspace.act(paint("red"));
    expect(await judged(workspace, "red")).toMatchObject({ passed: true });
  });

  it.each([
    ["contradiction", "expected none where it passed"],
    ["stranger", "expected one of no-colour, not-red"],
  ])("with a verdict that is a %s fails the call", async (colour, message) => {
    const workspace = await open();
    await workspace.act(paint(colour));
    await expect(judged(workspace, colour)).rejects.toMatchObject({
      code: "BAD_REPLY",
      message: expect.stringContaining(message),
    });
  });

  it("is ended when it falls silent", async () => {
    await skill.close();
    skill = await made({ replySeconds: 1 });
    const workspace = await open();
    await expect(workspace.act(paint("hang"))).rejects.toMatchObject({ code: "SKILL_SILENT" });
    expect(await judged(await open(), "red")).toMatchObject({ passed: false });
  });

  it("may write a reply in pieces, and texts that no log could hold are mended", async () => {
    const workspace = await open();
    expect(await workspace.act(paint("halves"))).toEqual({ exitCode: 0, stdout: "\ufffd é", stderr: "" });
  });

  it("loses a workspace that a restore opens again", async () => {
    const workspace = await open();
    await workspace.act(paint("red"));
    const name = await workspace.checkpoint();
    await expect(workspace.act(paint("die"))).rejects.toMatchObject({ code: "SKILL_PROCESS_ENDED" });
    await workspace.restore(name);
    expect(await judged(workspace, "red")).toMatchObject({ passed: true });
  });
});

describe("the processes of a skill", () => {
  const isAlive = (pid: number) => {
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
    return stat !== "" && !/\) [ZX] /.test(stat);
  };
  const untilGone = async (pid: number) => {
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it("are gone once it is closed, with all that they started", async () => {
    const workspace = await open();
    const sleeper = Number((await workspace.act(paint("breed"))).stdout);
    expect(isAlive(sleeper)).toBe(true);
    await skill.close();
    await untilGone(sleeper);
  });

  it("are gone when the process that uses it is killed", async () => {
    const script = `
      import { executableSkill } from ${JSON.stringify(join(import.meta.dirname, "../../src/skills/executable.ts"))};
      const skill = executableSkill(${JSON.stringify(join(folder, "skill.json"))});
      const [item] = await skill.items({ seed: 1 });
      const workspace = await skill.open(item, { folder: ${JSON.stringify(join(folder, "place"))}, from: null });
      const { stdout } = await workspace.act({ name: "paint", arguments: { colour: "breed" } });
      console.log(stdout);
      setInterval(() => {}, 1000);`;
    const user = execa(process.execPath, ["--input-type=module", "-e", script], { reject: false });
    const sleeper = Number(String(await new Promise((resolve) => user.stdout.once("data", resolve))));
    expect(isAlive(sleeper)).toBe(true);
    user.kill("SIGKILL");
    await untilGone(sleeper);
  });

  it("do not keep the process that uses it alive", async () => {
    const script = `
      import { executableSkill } from ${JSON.stringify(join(import.meta.dirname, "../../src/skills/executable.ts"))};
      const skill = executableSkill(${JSON.stringify(join(folder, "skill.json"))});
      console.log((await skill.items({ seed: 1 })).length);`;
    const { stdout, exitCode } = await execa(process.execPath, ["--input-type=module", "-e", script]);
    expect([stdout, exitCode]).toEqual(["2", 0]);
  });
});

describe("a skill.json is refused", () => {
  it.each([
    ["a missing key", { command: undefined }, "command"],
    ["an unknown key", { comand: ["x"] }, "comand"],
    ["shares that do not sum to 1", { splitFractions: { ...SHARES, test: 0.5 } }, "splitFractions"],
    ["a failure mode that is not listed", { action: { ...MANIFEST.action, missing: "none" } }, "action.missing"],
    ["a tool of another name", { tool: { type: "function", function: { name: "wipe" } } }, "tool.function.name"],
    [
      "a tool with other arguments",
      { tool: { type: "function", function: { name: "paint", parameters: { properties: { x: {} } } } } },
      "tool.function.parameters",
    ],
  ])("for %s, with the field", async (_, changes, field) => {
    const file = await write(changes);
    expect(() => executableSkill(file)).toThrow(
      expect.objectContaining({ code: "BAD_SKILL", details: expect.objectContaining({ where: `${file}: ${field}` }) }),
    );
  });

  it("for text that is no JSON", async () => {
    const file = await write();
    await writeFile(file, "{");
    expect(() => executableSkill(file)).toThrow(expect.objectContaining({ code: "BAD_SKILL" }));
  });
});

describe("a worker's prompt is refused", () => {
  it("for a variable that skill.json does not name, with the nearest", async () => {
    const file = await write({}, "# user\n{{task}} {{rooom}}\n");
    expect(() => executableSkill(file)).toThrow(
      expect.objectContaining({
        code: "UNKNOWN_VARIABLE",
        details: expect.objectContaining({ got: "{{rooom}}", fix: "did you mean {{room}}?" }),
      }),
    );
  });

  it("where it is missing, or does not end with a user's message", async () => {
    const file = await write({}, "# user\n{{task}}\n# assistant\nSure.\n");
    expect(() => executableSkill(file)).toThrow(expect.objectContaining({ code: "BAD_TEMPLATE" }));
    await rm(join(folder, "prompts"), { recursive: true });
    expect(() => executableSkill(file)).toThrow(expect.objectContaining({ code: "NO_TEMPLATE" }));
  });
});
