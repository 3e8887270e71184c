import { expect, it } from "vitest";
import type { TipId } from "../../../src/records/ids.ts";
import { withHome } from "../../store/sample-run.ts";
import { labelsOf } from "../labels.ts";
import { lessons, MISSED, writeDrawnRun, writeRoleRun } from "../role-run.ts";

/** Answers of one tip each, but the last two, which have two. */
const ANSWERS: Record<string, number[]> = {
  helps: [0.3],
  harms: [-0.3],
  idle: [0],
  both: [0.2, 0.2],
  mixed: [0.25, -0.25],
};

/** One of the items has an id that holds what SQL would trip over. */
const itemOf = (name: string) => (name === "harms" ? "harms/it's \u0000; --" : `${name}/a`);

async function taught(home: Parameters<Parameters<typeof withHome>[0]>[0]) {
  const turns: Record<string, string> = {};
  const effects: { tip: TipId; effect: number }[] = [];
  const names = Object.keys(ANSWERS);
  const run = await writeRoleRun(home, { items: names.map(itemOf) }, (writer) => {
    for (const name of names) {
      const texts = ANSWERS[name]?.map((_, i) => `Tip ${i} of ${name}.`) ?? [];
      turns[name] = writer.turn("reflector", itemOf(name), 1, { answer: lessons(...texts) });
      for (const [i, text] of texts.entries())
        effects.push({ tip: writer.tip(itemOf(name), 1, text), effect: ANSWERS[name]?.[i] ?? 0 });
      writer.verdict(itemOf(name), 1, MISSED);
    }
    turns.babble = writer.turn("reflector", "helps/a", 2, { parseFlags: ["not-understood"] });
    turns.untested = writer.turn("reflector", "helps/a", 3, { answer: lessons("Never drawn.") });
    writer.tip("helps/a", 3, "Never drawn.");
  });
  return { run, turns, effects };
}

it("an answer is as good as the effects of its tips, and nothing is said of one whose effects are not told from none", () =>
  withHome(async (home) => {
    const { run, turns, effects } = await taught(home);
    const drawn = await writeDrawnRun(home, effects, { number: 2, items: 900, seed: 3 });
    const labels = await labelsOf(home, "reflector", [run, drawn]);
    const rules = Object.entries(turns).map(([name, turn]) => [name, labels.get(turn)?.passed, labels.get(turn)?.rule]);
    expect(rules).toEqual([
      ["helps", true, "tip-effect"],
      ["harms", false, "tip-effect"],
      ["idle", undefined, undefined],
      ["both", true, "tip-effect"],
      ["mixed", undefined, undefined],
      ["babble", false, "unusable-answer"],
      ["untested", undefined, undefined],
    ]);
    const helps = labels.get(turns.helps as string);
    expect(helps).toMatchObject({ run, confidence: 0.95 });
    expect(helps?.value).toBeGreaterThan(0.55);
    expect(labels.get(turns.harms as string)?.value).toBeLessThan(0.45);
  }));

it("effects that are only observed label nothing", () =>
  withHome(async (home) => {
    const { run, turns, effects } = await taught(home);
    const drawn = await writeDrawnRun(home, effects, { number: 2, items: 100, dropProbability: 0 });
    expect([...(await labelsOf(home, "reflector", [run, drawn])).keys()]).toEqual([turns.babble]);
    expect((await labelsOf(home, "reflector", [])).size).toBe(0);
  }));
