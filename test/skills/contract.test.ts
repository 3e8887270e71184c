/** The contract suite, as `tracemill skill test` runs it, on every skill that ships and on every example. */
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { listSkills, loadSkill, skillHash } from "../../src/skills/load.ts";
import { SUITE } from "../../src/skills/suite.ts";
import { openTrial } from "../../src/skills/trial.ts";

process.env.TRACEMILL_SKILLS = join(PACKAGE_FOLDER, "examples", "skills");
const ids = await listSkills();

/** `stig` needs root, overlay mounts and a set-up root; no other skill may lack anything and still pass here. */
const MACHINE_BOUND = ["stig"];

it("finds the skills that ship, and the examples", () => {
  expect(ids).toEqual(["cron", "date-sums", "glob-patterns", "sql", "stig", "test-command"]);
});

describe.each(ids)("the skill %s", async (id) => {
  const skill = await loadSkill(id);
  const lacking = (await skill.doctor?.())?.find(({ isMet }) => !isMet);
  if (lacking !== undefined) {
    const reason = `lacks ${lacking.what}: ${lacking.found}${lacking.fix === null ? "" : ` (${lacking.fix})`}`;
    console.warn(`skipped, the skill ${id} ${reason}`);
    it("lacks only what not every machine can have", ({ skip }) => {
      expect(MACHINE_BOUND).toContain(id);
      skip(reason);
    });
    return;
  }
  const trial = await openTrial(id, skill);

  afterAll(async () => {
    await trial.close();
    await skill.close();
  });

  it("has a hash that stays the same", async () => {
    expect(await skillHash(id)).toMatch(/^[0-9a-f]{64}$/);
    expect(await skillHash(id)).toBe(await skillHash(id));
  });

  for (const { title, run } of SUITE) {
    it(title, { timeout: 240_000 }, async ({ skip }) => {
      const remark = await run(trial);
      if (remark?.kind === "skipped") skip(remark.text);
      expect(remark).not.toMatchObject({ kind: "warning" });
    });
  }
});
