/** A run of stig through the whole harness, killed at random moments: nothing is lost, and nothing is left behind. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { answerText } from "../../../skills/stig/parse-answer.ts";
import skill from "../../../skills/stig/skill.ts";
import type { Item } from "../../../src/records/item.ts";
import type { Home } from "../../../src/store/home.ts";
import { verifyHome } from "../../../src/store/verify.ts";
import { type ScriptedModel, startScriptedModel } from "../../fixtures/scripted-model.ts";
import { killedRuns } from "../../harness/killed.ts";
import { eventsOf, only, temporaryHome } from "../../harness/setting.ts";
import { leftBy } from "./left-by.ts";
import { stig } from "./set-up.ts";

const KILLS = process.env.TRACEMILL_LONG ? 200 : 6;

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(() => {
  ({ home, remove } = temporaryHome());
});

afterEach(async () => {
  await model?.close();
  remove();
});

it.skipIf(stig === null)(
  `killed ${KILLS} times, keeps what was mended and leaves nothing behind`,
  {
    timeout: 30_000 * KILLS,
  },
  async () => {
    const items = (await skill.items({ seed: 1 })).map((draft): Item => ({ ...draft, split: "train" }));
    const solved = (skill.starters?.(items) ?? []).map(({ item, call }) => [item.task, answerText(call)] as const);
    let calls = 0;
    model = await startScriptedModel({
      replies: (request) => {
        calls++;
        // The last message only: tips show other rules' tasks as earlier turns.
        const asked = request.messages.at(-1)?.content ?? "";
        const right = solved.find(([task]) => asked.includes(task))?.[1] ?? "";
        return { content: asked.includes("Attempt 1:") ? right : "echo nothing > /etc/mark" };
      },
    });
    const most = { calls: 2, ms: 400 };
    const seen: number[] = [];
    const results = await killedRuns({
      ...{ home, url: model.url, kills: KILLS, most },
      script: join(import.meta.dirname, "killed-stig-run.ts"),
      asked: () => calls,
      async onKilled({ pid }) {
        const look = () => leftBy(pid ?? 0);
        for (let waits = 0; waits < 50 && look().length > 0; waits++) await sleep(100);
        expect(look()).toEqual([]);
        seen.push(pid ?? 0);
      },
    });
    expect(seen).toHaveLength(KILLS);
    for (const { run, ...result } of results) {
      const events = await eventsOf(home, run);
      expect(result).toMatchObject({ items: 4, solved: 4, isComplete: true });
      const verdicts = only(events, "verdict").map(({ attempt, verdict }) => [
        attempt.split("/").slice(1).join("/"),
        verdict.passed,
      ]);
      expect(new Set(verdicts.map(([attempt]) => attempt)).size).toBe(verdicts.length);
      expect(verdicts.filter(([, passed]) => passed)).toHaveLength(4);
      // A fix that was lost would make its rule fail again, which a later verdict would call a regression.
      expect(only(events, "verdict").filter(({ verdict }) => verdict.failureMode === "regression")).toEqual([]);
    }
    expect(await verifyHome(home)).toMatchObject({ isSound: true, hasTornTail: false });
  },
);
