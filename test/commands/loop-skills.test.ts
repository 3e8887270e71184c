import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FIRST_ROUND, judgedBy, loopSettings } from "../../src/commands/loop-settings.ts";
import { loopSkills } from "../../src/commands/loop-skills.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";

process.env.TRACEMILL_SKILLS = join(PACKAGE_FOLDER, "test", "fixtures", "skills");

const round = { ...FIRST_ROUND };
const work = {
  base: "b",
  seed: 1,
  target: "t",
  serverArgs: "",
  startTimeout: "1m",
  sides: [],
  continues: false,
  round,
};

describe("the skills of a loop", () => {
  test("are the one that it is about, and sql where none is named", async () => {
    expect(await loopSkills({})).toEqual({ skill: "sql", learns: ["sql"] });
    expect(await loopSkills({ skill: "cron" })).toEqual({ skill: "cron", learns: ["cron"] });
  });

  test("are all that are ready but one, which is judged", async () => {
    const { skill, learns } = await loopSkills({ skills: "all,-sql" });
    expect(skill).toBe("sql");
    expect(learns).toEqual(expect.arrayContaining(["cron", "letters", "parity"]));
    expect(learns).not.toContain("sql");
    expect(await loopSkills({ skills: "parity, cron,-letters" })).toEqual({
      skill: "letters",
      learns: ["cron", "parity"],
    });
  });

  test.each([
    ["two left out", { skills: "all,-sql,-cron" }, "BAD_ARGUMENT"],
    ["none left out", { skills: "all" }, "BAD_ARGUMENT"],
    ["none left to train on", { skills: "sql,-sql" }, "BAD_ARGUMENT"],
    ["one that is not known", { skills: "all,-sqll" }, "UNKNOWN_SKILL"],
    ["the same said twice", { skill: "sql", skills: "all,-sql" }, "BAD_ARGUMENT"],
  ])("are refused with %s", async (_, given, code) => {
    await expect(loopSkills(given)).rejects.toMatchObject({ code });
  });
});

describe("what a loop asks of its comparison", () => {
  test("is whether the candidate beats the champion that the round began with, on families of the round's own", () => {
    const champion = hashText("champion");
    const settings = loopSettings("tiny", {
      ...{ ...work, skill: "sql", learns: ["sql"] },
      round: { ...round, number: 2, champion, isFresh: true },
    });
    expect(judgedBy(settings)).toEqual({ against: "champion", champion, freshFamilies: true });
  });

  test("is without tips where it was trained on other skills", () => {
    const settings = loopSettings("tiny", { ...work, skill: "sql", learns: ["cron"] });
    expect(judgedBy(settings)).toEqual({ against: "base", freshFamilies: false, arms: ["base", "candidate"] });
  });
});
