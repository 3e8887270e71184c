/**
 * A run's log that is watched while it is written: what its events mean for the items in work (time, tokens, what was
 * judged since the last sound state) is counted in one place, whoever appends them.
 */
import type { RunEvent } from "../records/events.ts";
import { attemptParts, type ItemId } from "../records/ids.ts";
import type { Verdict } from "../records/verdict.ts";
import type { RunLog } from "../store/run-log.ts";
import type { HarnessOptions } from "./harness-options.ts";
import type { ItemWork } from "./run-state.ts";
import { foldSinceKept, type SinceKept } from "./since-kept.ts";

export interface Watching {
  work: readonly ItemWork[];
  sinceKept: SinceKept;
  onItemFinished: HarnessOptions["onItemFinished"];
}

export interface LiveState {
  completionTokens: number;
  item: string | null;
  sinceKept: SinceKept;
}

/** Returns the log with its events counted into `live`, which goes on from `sinceKept`, and into the items of `work`. */
export function watchedLog(
  log: RunLog,
  { work, sinceKept, onItemFinished }: Watching,
): { log: RunLog; live: LiveState } {
  const items = new Map<ItemId, ItemWork>(work.map((one) => [one.item.item, one]));
  const live: LiveState = { completionTokens: 0, item: null, sinceKept };

  function count(event: RunEvent): void {
    foldSinceKept(sinceKept, event);
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
      holds: (hash) => log.holds(hash),
      message: (message) => log.message(message),
      tools: (tools) => log.tools(tools),
      sync: () => log.sync(),
      flush: () => log.flush(),
      close: () => log.close(),
    },
  };
}

/** Writes again, as suspect, every verdict since the last sound state: what was judged on a broken environment proves little. */
export function flagSuspects(log: RunLog, { sinceKept }: LiveState): void {
  for (const [attempt, verdict] of sinceKept.verdicts) {
    if (isSuspect(verdict)) continue;
    log.append({ type: "verdict", data: { attempt, verdict: suspect(verdict) } });
  }
  sinceKept.verdicts.clear();
}

/** The same verdict, flagged and with at most half the confidence. */
export function suspect(verdict: Verdict): Verdict {
  const flags = isSuspect(verdict) ? verdict.flags : [...verdict.flags, "environment-suspect" as const];
  return { ...verdict, confidence: Math.min(verdict.confidence, SUSPECT_CONFIDENCE), flags };
}

function isSuspect({ flags }: Verdict): boolean {
  return flags.includes("environment-suspect");
}

const SUSPECT_CONFIDENCE = 0.5;
