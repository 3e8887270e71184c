/**
 * A memory of tips whose effects are known: a sealed run that saved them, and a model whose success depends on which of
 * them its prompt holds. Everything between is the real harness.
 */
import { steppingClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import { itemId, type RunId, type TipId } from "../../src/records/ids.ts";
import type { Tip } from "../../src/records/tip.ts";
import type { Home } from "../../src/store/home.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { sealRun } from "../../src/store/runs.ts";
import type { ChatRequest, ScriptedAnswer } from "../fixtures/scripted-model.ts";

const RUN = "20260101-000000-abcd" as RunId;
const BASE_RATE = 0.5;
const EVERY_LETTER = "abcdefghijklmnopqrstuvwxyz";

/** A tip of the `letters` skill that every prompt of it retrieves. */
export function taughtTip(name: string, changes: Partial<Tip> = {}): Tip {
  const item = itemId("letters", `taught-${name}`);
  return {
    tip: `tip-${hashText(name).slice(0, 16)}` as TipId,
    skill: "letters",
    family: `taught-${name}`,
    type: "strategy",
    text: `Tip ${name}.`,
    example: null,
    mechanism: null,
    conditions: null,
    about: "Write a text with the letter",
    source: { run: RUN, item, attempt: `${RUN}/${item}/1` as never },
    ...changes,
  };
}

/** Seals a train run that saved these tips. */
export async function teach(home: Home, tips: readonly Tip[], run = RUN) {
  const clock = steppingClock(new Date("2026-01-01T00:00:00.000Z"), 7);
  const log = createRunLog(home, { run, clock });
  log.append({
    type: "run_started",
    data: {
      run,
      skill: { id: "letters", version: "1", hash: hashText("letters") },
      models: {},
      sampling: { temperature: 0, topP: 1, maxTokens: 1 },
      seed: 1,
      split: "train",
      memory: "grow",
      tipRuns: [],
      codeVersion: "test",
      config: {},
      comparison: null,
    },
  });
  const items = [...new Set(tips.map(({ source }) => source.item))].map((item) => ({
    ...{ item, family: item, split: "train" as const, kind: null, task: "", detail: {} },
  }));
  log.append({ type: "items_scanned", data: { items } });
  for (const tip of tips) log.append({ type: "tip_saved", data: tip });
  log.append({ type: "run_finished", data: { items: items.length, attempts: 0, passed: 0, failures: 0 } });
  log.close();
  return { run, head: await sealRun(home, run, clock) };
}

/** Answers rightly with probability one half plus the effects of the tips whose texts the prompt holds. */
export function swayedBy(effects: ReadonlyMap<string, number>): (request: ChatRequest) => ScriptedAnswer {
  return ({ seed, messages }) => {
    const prompt = messages.map(({ content }) => content).join("\n");
    const shift = sumOf([...effects], ([text, effect]) => (prompt.includes(text) ? effect : 0));
    const chance = Number.parseInt(hashText(`${seed} ${prompt}`).slice(0, 8), 16) / 2 ** 32;
    return { content: chance < BASE_RATE + shift ? EVERY_LETTER : "0" };
  };
}
