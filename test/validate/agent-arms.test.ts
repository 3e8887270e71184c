/** Arms that the user's own agent makes, as real processes, at an endpoint that fails some of its calls. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { runAgent } from "../../src/capture/agent-run.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { Arm, Plan } from "../../src/records/comparison.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Item } from "../../src/records/item.ts";
import type { Home } from "../../src/store/home.ts";
import { type ArmRun, decide, writePlan } from "../../src/validate/index.ts";
import { type ScriptedReply, startScriptedModel } from "../fixtures/scripted-model.ts";
import skill from "../fixtures/skills/letters/skill.ts";
import { withHome } from "../store/sample-run.ts";
import { clock, FOUND, letters, sampleDraft, writeAdapter } from "./sample-comparison.ts";

const COMMAND = `${process.execPath} ${join(import.meta.dirname, "../fixtures/programs/agent.mjs")}`;
const MOST_TRIES = 6;

/** Runs an arm until it is sealed, as the same command given again does. */
async function madeArm(
  home: Home,
  plan: Plan,
  { arm, items, reply }: { arm: Arm; items: readonly Item[]; reply(asked: string): ScriptedReply },
): Promise<ArmRun> {
  const model = await startScriptedModel({ replies: ({ messages }) => reply(messages.at(-1)?.content ?? "") });
  let resume: { resume?: RunId } = {};
  try {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { run, sealed } = await runAgent({
        ...{ home, codeVersion: "test", clock: systemClock, config: {}, skill, skillHash: plan.skill.hash, items },
        ...{ split: plan.split, attempts: plan.attempts, enough: 1, concurrency: 2 },
        comparison: { comparisonHash: plan.comparisonHash, arm: arm.arm, sample: 1 },
        agent: { command: COMMAND, timeoutMs: 20_000 },
        model: { ...arm, name: arm.model, model: "scripted", endpoint: model.url },
        ...{ durability: "kernel", timeoutMs: 20_000, signal: new AbortController().signal, ...resume },
        onBug: (error) => expect.unreachable(String(error)),
      });
      if (sealed !== null) return { skill: plan.skill.id, arm: arm.arm, sample: 1, run };
      resume = { resume: run };
    }
    return expect.unreachable(`not sealed after ${MOST_TRIES} tries`);
  } finally {
    await model.close();
  }
}

test("an endpoint that dies in one arm costs that arm no item that it answers later, and drops the others from both", async () => {
  await withHome(async (home) => {
    const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
    const draft = sampleDraft(await letters("test", 10), 5, adapter);
    const plan = await writePlan(home, { ...draft, agent: COMMAND, agentTimeoutMs: 20_000 }, clock);
    const items = plan.items.map(
      ({ item, family }): Item => ({
        ...{ item, family, split: "test", kind: null, task: `Write ${item}.`, detail: { letter: family } },
      }),
    );
    const [base, candidate] = plan.arms as [Arm, Arm];
    const answer = { content: "abcdefghijklmnopqrstuvwxyz" };
    let calls = 0;
    const dying = (task: string): ScriptedReply => {
      calls += 1;
      return calls <= 3 || task === items[9]?.task ? { status: 500, body: "{}" } : answer;
    };
    const runs = [
      await madeArm(home, plan, { arm: base, items, reply: () => answer }),
      await madeArm(home, plan, { arm: candidate, items, reply: dying }),
    ];
    const decision = await decide(home, plan.comparisonHash, { runs, found: FOUND, clock });
    expect(decision.dropped).toEqual([{ item: items[9]?.item, arm: "candidate" }]);
    expect(decision.arms).toMatchObject([
      { arm: "base", passed: 49, n: 49 },
      { arm: "candidate", passed: 49, n: 49, metrics: { suspect: 0, attemptsToSuccess: 1 } },
    ]);
  });
}, 120_000);
