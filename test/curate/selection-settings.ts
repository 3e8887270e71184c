/** Settings of a selection as the command's defaults are, but for what a test changes. */
import { parseFilter, type SelectionSettings } from "../../src/curate/index.ts";
import type { RunId } from "../../src/records/ids.ts";

export function settingsOf(runs: readonly RunId[], changed: Partial<SelectionSettings> = {}): SelectionSettings {
  return {
    tier: "demonstrations",
    unit: "turn",
    role: "worker",
    skills: ["sql"],
    runs,
    filter: parseFilter("split != nothing"),
    labels: null,
    withBad: false,
    tips: "drop",
    answerText: null,
    maxPerItem: 2,
    maxTokens: null,
    gatesOff: [],
    allowTeachers: [],
    isServedElsewhere: () => false,
    tries: "all",
    band: null,
    dampEasy: 0,
    balance: { families: 1, skills: 1 },
    nearThreshold: 0.85,
    splitRuns: new Map(runs.map((run) => [run, `tracemill revoke ${run}`])),
    heldOut: [],
    seed: 1,
    ...changed,
  };
}
