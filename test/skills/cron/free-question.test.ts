import { describe, expect, it } from "vitest";
import { answerFrom } from "../../../skills/cron/free-question.ts";
import { scheduleCall } from "../../../skills/cron/parse-answer.ts";
import skill from "../../../skills/cron/skill.ts";
import { scanItems } from "../../../src/skills/scan.ts";

const NOW = new Date("2024-02-28T11:30:00Z");

describe("a free question", () => {
  it("is put as an item's task is", async () => {
    const [item] = await scanItems(skill, { seed: 1, split: "train", limit: 1 });
    if (item === undefined) throw new Error("no item");
    const fields = (await skill.describe?.({ item })) ?? "";
    expect(skill.freePrompt?.(String(item.detail.words), fields)).toEqual(skill.prompt(item));
  });

  it("is answered with the next five fire times from now on", () => {
    expect(answerFrom(scheduleCall("0 12 * * 1-5"), NOW)).toEqual({
      columns: ["next fire times (UTC)"],
      rows: [
        ["Wed 2024-02-28 12:00"],
        ["Thu 2024-02-29 12:00"],
        ["Fri 2024-03-01 12:00"],
        ["Mon 2024-03-04 12:00"],
        ["Tue 2024-03-05 12:00"],
      ],
    });
    expect(answerFrom(scheduleCall("@daily"), NOW)).toEqual({ error: expect.stringMatching(/nicknames/) });
    expect(answerFrom(scheduleCall("0 0 31 2 *"), NOW)).toEqual({ error: "it never fires" });
  });

  it("counts from the present time where it is asked through the skill", async () => {
    const before = new Date().toISOString().slice(0, 16).replace("T", " ");
    const reply = await skill.answer?.(scheduleCall("* * * * *"), {});
    if (reply === undefined || "error" in reply) throw new Error("no rows");
    expect(reply.rows).toHaveLength(5);
    expect(String(reply.rows[0]?.[0]).slice(4) > before).toBe(true);
  });

  it("takes no file", async () => {
    await expect(skill.describe?.({ file: "x.csv" })).rejects.toMatchObject({ code: "NO_FILE_NEEDED" });
  });
});
