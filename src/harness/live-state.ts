/**
 * A run's log that is watched while it is written: what its events mean for the items in work (time, tokens, what was
 * judged since the last sound state) is counted in one place, whoever appends them.
 */
import type { RunEvent } from "../records/events.ts";
import { type AttemptId, attemptParts, type ItemId } from "../records/ids.ts";
import type { Verdict } from "../records/verdict.ts";
import type { RunLog } from "../store/run-log.ts";
import type { HarnessOptions } from "./harness-options.ts";
import type { ItemWork } from "./run-state.ts";

export interface LiveState {
  completionTokens: number;
  item: string | null;
  /** Verdicts since the last kept state, that attempt's own not among them. */
  sinceKept: { attempt: AttemptId; verdict: Verdict }[];
}

/** Returns the log with its events counted into `live` and into the items of `work`. */
export function watchedLog(
  log: RunLog,
  work: readonly ItemWork[],
  onItemFinished: HarnessOptions["onItemFinished"],
): { log: RunLog; live: LiveState } {
  const items = new Map<ItemId, ItemWork>(work.map((one) => [one.item.item, one]));
  const live: LiveState = { completionTokens: 0, item: null, sinceKept: [] };
  let keptBy: AttemptId | null = null;

  function count(event: RunEvent): void {
    if (event.type === "turn") {
      const { attempt, usage, latencyMs } = event.data;
      const item = items.get(attemptParts(attempt).item);
      live.completionTokens += usage?.completionTokens ?? 0;
      if (item === undefined) return;
      live.item = item.item.item;
      item.spentMs += latencyMs;
      item.spentTokens += (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0);
    } else if (event.type === "action") {
      const item = items.get(attemptParts(event.data.attempt).item);
      if (item !== undefined) item.spentMs += event.data.durationMs;
    } else if (event.type === "checkpoint") {
      keptBy = event.data.attempt;
    } else if (event.type === "verdict" && event.data.verdict.signalType !== "judgment") {
      if (event.data.attempt === keptBy) live.sinceKept = [];
      else live.sinceKept.push(event.data);
    } else if (event.type === "item_finished") {
      onItemFinished?.(event.data);
    }
  }

  return {
    live,
    log: {
      get run() {
        return log.run;
      },
      get head() {
        return log.head;
      },
      get events() {
        return log.events;
      },
      append(event) {
        log.append(event);
        count(event);
      },
      message: (message) => log.message(message),
      tools: (tools) => log.tools(tools),
      sync: () => log.sync(),
      close: () => log.close(),
    },
  };
}

/** Writes again, as suspect, every verdict since the last sound state: what was judged on a broken environment proves little. */
export function flagSuspects(log: RunLog, live: LiveState): void {
  const suspects = live.sinceKept.filter(({ verdict }) => !verdict.flags.includes("environment-suspect"));
  for (const { attempt, verdict } of suspects) {
    const confidence = Math.min(verdict.confidence, SUSPECT_CONFIDENCE);
    const flags = [...verdict.flags, "environment-suspect" as const];
    log.append({ type: "verdict", data: { attempt, verdict: { ...verdict, confidence, flags } } });
  }
  live.sinceKept = [];
}

const SUSPECT_CONFIDENCE = 0.5;
