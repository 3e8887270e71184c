/** A comparison that may end early, with an arm that is there already and one that was interrupted. */
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { runArms } from "../../src/commands/validate-arms.ts";
import { openParts } from "../../src/commands/validate-draft.ts";
import { validateInput } from "../../src/commands/validate-input.ts";
import { openSession } from "../../src/commands/validate-session.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { Arm } from "../../src/records/comparison.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { readRunLog } from "../../src/store/runs.ts";
import { writePlan } from "../../src/validate/index.ts";
import { startScriptedModel } from "../fixtures/scripted-model.ts";
import { withHome } from "../store/sample-run.ts";
import { clock, letters, sampleDraft, writeAdapter, writeArm } from "../validate/sample-comparison.ts";

process.env.TRACEMILL_SKILLS = join(PACKAGE_FOLDER, "test", "fixtures", "skills");

const INTERRUPTED_AFTER = 5;
const LIVE = { isLive: true, notApplied: [] };

async function statesOf(home: Home, run: RunId): Promise<string[]> {
  const states: string[] = [];
  for await (const { type, data } of readRunLog(home, run)) if (type === "item_finished") states.push(data.state);
  return states;
}

test("an arm that is taken up counts with all that it finished before, so that the other one still ends early", () =>
  withHome(async (home) => {
    const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
    const options = validateInput.parse({ skill: "letters", sequential: true, concurrency: 1 });
    const parts = await openParts(options);
    const [{ part }] = parts;
    const plan = await writePlan(home, { ...sampleDraft([], 0, adapter), ...part, sequential: true }, clock);
    const before = await openSession(home, plan, clock);
    const base = await writeArm(home, plan, { arm: "base", number: 1, outcome: () => ({ passed: false }) });
    await before.note(LIVE);
    before.close();
    const stop = new AbortController();
    const model = await startScriptedModel({
      models: ["letters-v1"],
      replies() {
        if (model.requests.length === INTERRUPTED_AFTER) stop.abort();
        return { content: "abcdefghijklmnopqrstuvwxyz" };
      },
    });
    const endpointOf = ({ model: name, baseHash, adapterHash }: Arm) => {
      const served = { url: model.url, model: name, name, baseHash, adapterHash };
      return { ...served, contextTokens: 512, takesSeed: true, countTokens: (text: string) => text.length };
    };
    const tried = async (signal: AbortSignal) => {
      const stderr = new PassThrough() as never;
      const context = { home, clock, stdout: stderr, stderr, isJson: true, signal };
      const session = await openSession(home, plan, clock);
      const asked = { parts, endpointOf, options, session, onPartEnd: async () => {} };
      try {
        return await runArms(plan, asked, context);
      } finally {
        await session.note(LIVE);
        session.close();
      }
    };
    try {
      await expect(tried(stop.signal)).rejects.toMatchObject({ code: "STOPPED_EARLY" });
      expect(model.requests.length).toBe(INTERRUPTED_AFTER);
      const [first, second] = await tried(new AbortController().signal);
      expect(first?.run).toBe(base.run);
      const states = await statesOf(home, second?.run as RunId);
      // All pairs differ, so the first place at which it may end is enough.
      const quarter = Math.ceil(plan.items.length / 4);
      expect(states.filter((state) => state === "skipped")).toHaveLength(plan.items.length - quarter);
    } finally {
      await model.close();
    }
  }));
