/** The rules over a run that the real harness made, with a scripted model in every role. */
import { expect, it } from "vitest";
import { runHarness } from "../../../src/harness/index.ts";
import type { Role } from "../../../src/records/events.ts";
import type { RunId } from "../../../src/records/ids.ts";
import { startScriptedModel } from "../../fixtures/scripted-model.ts";
import { byRole, json, textOf } from "../../harness/role-models.ts";
import { eventsOf, itemsOf, only, runOptions, temporaryHome } from "../../harness/setting.ts";
import { labelsOf, told } from "../labels.ts";

it("every role's turns of a run are found again, each with the label of what came of it", async () => {
  const { home, remove } = temporaryHome();
  let answers = 0;
  const model = await startScriptedModel({
    replies: byRole({
      select: () => json({ item: "letters:b-0", plan: "first plan" }),
      replan: () => json({ choice: "re-plan", plan: "second plan", reason: "it fails" }),
      auditor: () => json({ rightReason: false, confidence: 0.9, why: "it guesses" }),
      reflector: () => ({ content: "Nothing to say." }),
      worker: (request) => ({
        content: textOf(request).includes("second plan") ? "abcdefghijklmnopqrstuvwxyz" : `${answers++}`,
      }),
    }),
  });
  try {
    const player = { url: model.url, model: "scripted", name: "scripted", baseHash: null, adapterHash: null };
    const options = await runOptions(
      { home, url: model.url },
      { items: await itemsOf("train", 2), attempts: 3, replanAfter: 2, concurrency: 1, memory: "grow" },
    );
    const roles = { worker: player, architect: player, auditor: player, reflector: player };
    const result = await runHarness({ ...options, roles });
    const turns = only(await eventsOf(home, result.run as RunId), "turn");
    const labels = async (role: Role) => {
      const found = await labelsOf(home, role, [result.run as RunId]);
      return turns.filter((turn) => turn.role === role).map(({ turn, phase }) => [phase, told(found.get(turn))]);
    };
    expect(await labels("architect")).toEqual([
      ["select", [true, "selected-solved", 0.667]],
      ["replan", [true, "replan-passed", 0.667]],
      ["select", [false, "unusable-answer", 1]],
      ["replan", [true, "replan-passed", 0.667]],
    ]);
    expect(await labels("auditor")).toEqual([
      ["review", [false, "verdict-alone", 0.6]],
      ["review", [false, "verdict-alone", 0.6]],
    ]);
    const reflected = await labels("reflector");
    expect(reflected).toHaveLength(4);
    expect(reflected.every(([, label]) => String(label) === "false,unusable-answer,1")).toBe(true);
  } finally {
    await model.close();
    remove();
  }
});
