import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fillTemplate, readTemplate, type Template } from "../../src/skills/template.ts";

const KNOWN = ["task", "plan", "attempts"];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-template-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function template(text: string): Promise<Template> {
  const file = join(folder, "worker.md");
  await writeFile(file, text);
  return readTemplate(file, "worker", KNOWN);
}

const count = (text: string) => text.length;
const TEXT = `# system
You work.

# user
{{task}}

## plan (2)
Plan: {{plan}}

## attempts (1)
Tried: {{attempts}}
`;

describe("a template", () => {
  it("gives one message for each heading of the first level, with its sections in order", async () => {
    const filled = fillTemplate(await template(TEXT), { task: "Do it.", plan: "slowly", attempts: "none" });
    expect(filled).toEqual({
      messages: [
        { role: "system", content: "You work." },
        { role: "user", content: "Do it.\n\nPlan: slowly\n\nTried: none" },
      ],
      leftOut: [],
    });
  });

  it("leaves out a section whose variables are all empty, without calling that left out", async () => {
    const filled = fillTemplate(await template(TEXT), { task: "Do it.", plan: "" });
    expect(filled.messages.at(-1)?.content).toBe("Do it.");
    expect(filled.leftOut).toEqual([]);
  });

  it("puts values in as they are, also one that looks like a variable", async () => {
    const filled = fillTemplate(await template(TEXT), { task: "{{plan}} $& {{", plan: "p" });
    expect(filled.messages.at(-1)?.content).toBe("{{plan}} $& {{\n\nPlan: p");
  });

  it("leaves sections out by their number, the highest first, until the rest fits", async () => {
    const values = { task: "Do it.", plan: "x".repeat(50), attempts: "y".repeat(20) };
    const read = await template(TEXT);
    expect(fillTemplate(read, values, { tokens: 60, count }).leftOut).toEqual(["plan"]);
    expect(fillTemplate(read, values, { tokens: 30, count }).leftOut).toEqual(["plan", "attempts"]);
    expect(fillTemplate(read, values, { tokens: 1, count }).messages.at(-1)?.content).toBe("Do it.");
  });

  it("has a hash that changes with its text", async () => {
    expect((await template(TEXT)).hash).not.toBe((await template(`${TEXT} `)).hash);
  });
});

describe("a template is refused", () => {
  it("for a variable that its prompt does not have, with the nearest known one", async () => {
    await expect(template("# user\n{{taks}}")).rejects.toMatchObject({
      code: "UNKNOWN_VARIABLE",
      details: { got: "{{taks}}", fix: "did you mean {{task}}?" },
    });
  });

  it("for a heading that is no message, with its line", async () => {
    await expect(template("# user\nhello\n# boss\n")).rejects.toMatchObject({
      code: "BAD_TEMPLATE",
      details: { where: expect.stringMatching(/worker\.md:3$/), got: "# boss" },
    });
  });

  it("for text before any heading, and for a file that is not there", async () => {
    await expect(template("hello\n")).rejects.toMatchObject({ code: "BAD_TEMPLATE" });
    expect(() => readTemplate(join(folder, "none.md"), "none", KNOWN)).toThrow(
      expect.objectContaining({ code: "NO_TEMPLATE" }),
    );
  });
});
