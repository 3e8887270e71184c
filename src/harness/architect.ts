/**
 * The architect chooses the item to work on and, where a model plays it, plans it, and decides how to go on when an item
 * resists. A rule only chooses. An answer that cannot be used never stops the run: the first open item is taken, or the
 * plan stays, and the record says so.
 */
import type { ArchitectDecision } from "../records/events.ts";
import { type AttemptId, attemptId, itemId, type TurnId } from "../records/ids.ts";
import { REPLAN, SELECTION } from "../records/role-answer.ts";
import type { Bench } from "./bench.ts";
import type { Endpoint } from "./endpoint.ts";
import { historyText, isPlateau } from "./history.ts";
import type { ArchitectRule } from "./role.ts";
import { callRole } from "./role-call.ts";
import type { ItemWork } from "./run-state.ts";

/** Items that one prompt lists. */
const LISTED_ITEMS = 15;

export interface Architect {
  /** Whether an item that was chosen is worked on to its end before another is chosen in its place. */
  stays: boolean;
  /** Shapes: `open` lies in scan order and holds no item that is in work. */
  pick(open: readonly [ItemWork, ...ItemWork[]]): Promise<ItemWork>;
  /**
   * Decides how to go on with an item that has failed again; null where there is nothing to decide yet.
   * Shapes: `attempt` is the one that comes next, `turnNumber` the number of its first turn.
   */
  replan(item: ItemWork, next: { attempt: AttemptId; turnNumber: number }): Promise<ArchitectDecision | null>;
}

/** Shapes: `work` is all of the run's items. */
export function ruleArchitect(rule: ArchitectRule, work: readonly ItemWork[]): Architect {
  return { stays: false, pick: async (open) => rule.pick(open, work), replan: async () => null };
}

/**
 * Shapes: `selections` counts those that the log holds already, `work` is all of the run's items.
 * Units: `replanAfter` is the number of failed attempts since the plan was last looked at.
 */
export function modelArchitect(
  bench: Bench,
  endpoint: Endpoint,
  { work, selections, replanAfter }: { work: readonly ItemWork[]; selections: number; replanAfter: number },
): Architect {
  const { log, skill } = bench;
  let round = selections;

  function decide(decision: ArchitectDecision): ArchitectDecision {
    log.append({ type: "architect_decided", data: decision });
    return decision;
  }

  async function pick(open: readonly [ItemWork, ...ItemWork[]]): Promise<ItemWork> {
    if (open.length === 1 && open[0].tried > 0) return open[0];
    const listed = open.slice(0, LISTED_ITEMS);
    round++;
    const { turn, value } = await callRole(bench, {
      role: "architect",
      endpoint,
      prompt: "architect-select",
      form: SELECTION,
      attempt: attemptId(log.run, itemId(skill.manifest.id, "@select"), round),
      turnNumber: 1,
      variables: {
        items: listed.map(({ item }) => `${item.item}: ${firstLine(item.task)}`).join("\n"),
        solved: String(work.filter(({ passed }) => passed > 0).length),
        unsolved: String(work.filter(({ isFinished, passed }) => isFinished && passed === 0).length),
      },
    });
    const named = listed.find(({ item }) => item.item === value?.item);
    const chosen = named ?? open[0];
    chosen.plan = named === undefined ? null : (value?.plan ?? null);
    decide({
      item: chosen.item.item,
      turn,
      choice: "select",
      plan: chosen.plan,
      isFallback: named === undefined,
      reason: named !== undefined ? null : value === null ? "no item was named" : `"${value.item}" is not open`,
    });
    return chosen;
  }

  async function replan(item: ItemWork, next: { attempt: AttemptId; turnNumber: number }) {
    const since = item.history.filter(({ n }) => n > item.plannedAfter);
    if (since.length === 0 || (since.length < replanAfter && !isPlateau(since))) return null;
    const { turn, value } = await callRole(bench, {
      role: "architect",
      endpoint,
      prompt: "architect-replan",
      form: REPLAN,
      variables: { task: item.item.task, plan: item.plan ?? "", attempts: historyText(skill, item.history) },
      ...next,
    });
    return decide(decisionOf(item, turn, value));
  }

  return { stays: true, pick, replan };
}

type Replan = { choice: Exclude<ArchitectDecision["choice"], "select">; plan: string | null; reason: string | null };

function decisionOf(item: ItemWork, turn: TurnId, value: Replan | null): ArchitectDecision {
  const { choice, plan, reason } = value ?? { choice: "continue", plan: null, reason: "the answer was not understood" };
  const kept = { item: item.item.item, turn, plan: item.plan };
  if (value === null) return { ...kept, choice, isFallback: true, reason };
  if (choice !== "re-plan") return { ...kept, choice, isFallback: false, reason };
  if (plan === null) return { ...kept, choice: "continue", isFallback: true, reason: "a new plan without a text" };
  return { ...kept, choice, plan, isFallback: false, reason };
}

function firstLine(task: string): string {
  return task.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
}
