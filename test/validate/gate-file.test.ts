import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { gateSchema, QUESTION_MARGIN } from "../../src/records/gate.ts";
import { readGate } from "../../src/validate/index.ts";
import { withHome } from "../store/sample-run.ts";

/** What a file comes to: a plan says every margin, also one that the file leaves out. */
function read(given: { general?: object; [key: string]: unknown }) {
  return gateSchema.parse({ ...given, general: { margin: 0.02, questionMargin: QUESTION_MARGIN, ...given.general } });
}

test("the gate that ships is what holds where nothing is said", () =>
  withHome(async (home) => {
    expect(await readGate(home)).toEqual(read({}));
  }));

test("the home's gate comes before the one that ships, and a named one before both", () =>
  withHome(async (home) => {
    await writeFile(join(home.path, "gate.yaml"), "alpha: 0.1\n");
    const named = join(home.path, "mine.yaml");
    await writeFile(
      named,
      "skills: { margin: 0.05 }\ngeneral: { margin: 0.1, questionMargin: 0.2 }\nkl: { atMost: 0.5 }\n",
    );
    expect(await readGate(home)).toEqual(read({ alpha: 0.1 }));
    expect(await readGate(home, named)).toEqual(
      read({ skills: { margin: 0.05 }, general: { margin: 0.1, questionMargin: 0.2 }, kl: { atMost: 0.5 } }),
    );
  }));

describe("a gate is refused", () => {
  const copies = `a: &a [x, x]\nb: &b [*a, *a]\nalpha: *b\n`;
  for (const [what, text] of [
    ["that is no YAML", "alpha: [0.1"],
    ["with a key that it does not have", "alhpa: 0.1"],
    ["with an alpha of nothing", "alpha: 0"],
    ["with copies of copies", copies],
    ["that is larger than any gate", `# ${"x".repeat(70_000)}`],
    ["of bytes that are no text", "\u0000\u0001"],
  ] as const) {
    test(what, () =>
      withHome(async (home) => {
        const path = join(home.path, "gate.yaml");
        await writeFile(path, text);
        await expect(readGate(home)).rejects.toMatchObject({ code: "BAD_GATE", details: { where: path } });
      }),
    );
  }

  test("that is not there", () =>
    withHome(async (home) => {
      await expect(readGate(home, join(home.path, "none.yaml"))).rejects.toMatchObject({ code: "BAD_GATE" });
    }));
});
