/**
 * One item's workspace: a schedule is only looked at, never set, so there is nothing here to change or to restore.
 */
import { assert, Failure } from "../../src/foundation/errors.ts";
import type { ActionCall } from "../../src/records/events.ts";
import type { Item } from "../../src/records/item.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { ActionResult, Workspace } from "../../src/skills/contract.ts";
import { judgeFor, type Outcome } from "./judge.ts";
import { manifest, VERIFIER } from "./manifest.ts";
import { taskDetail } from "./task-detail.ts";

const SHOWN_TIMES = 5;

/** Throws: `BAD_REFERENCE` as a failure of the workspace where the item's own schedule is none. */
export function openWorkspace(item: Item): Workspace {
  const { reference } = taskDetail(item);
  const judge = judgeOf(item, reference);
  const outcomes = new Map<string, Outcome>();

  function find(call: ActionCall): Outcome {
    const expression = expressionOf(call);
    const outcome = outcomes.get(expression) ?? judge(expression);
    outcomes.set(expression, outcome);
    return outcome;
  }

  return {
    async act(call) {
      return actionResult(find(call));
    },
    async verify(call, parsed) {
      if (call !== null) return verdictOf(find(call));
      assert("failureMode" in parsed, "an answer with an action is verified by its call");
      const { failureMode, reason } = parsed;
      assert(manifest.failureModes.includes(failureMode), `unknown failure mode ${failureMode}`);
      return verdictOf({ failureMode, reason, comparisons: [] });
    },
    checkpoint: async () => "baseline",
    restore: async () => {},
    close: async () => {},
  };
}

/** The schedule that a call sets. */
export function expressionOf(call: ActionCall): string {
  const expression = call.arguments.expression;
  assert(call.name === "set_schedule" && typeof expression === "string", "the call is not set_schedule with fields");
  return expression;
}

function judgeOf(item: Item, reference: string): (expression: string) => Outcome {
  try {
    return judgeFor(reference);
  } catch (cause) {
    const message = `The reference of ${item.item} is no schedule: ${(cause as Error).message}`;
    throw new Failure({ boundary: "workspace", code: "BAD_REFERENCE", message, cause });
  }
}

/** The next fire times, one a line, or what is wrong with the schedule. */
function actionResult({ next, failureMode, reason }: Outcome): ActionResult {
  if (next === null) return { exitCode: 1, stdout: "", stderr: `${failureMode}: ${reason}` };
  return {
    exitCode: 0,
    stdout: next
      .slice(0, SHOWN_TIMES)
      .map((time) => `${time}\n`)
      .join(""),
    stderr: "",
  };
}

function verdictOf(found: Pick<Outcome, "reason" | "comparisons"> & { failureMode: string | null }): Verdict {
  const { failureMode, reason, comparisons } = found;
  return {
    signalType: "binary",
    verifier: VERIFIER,
    // Before the action there is no schedule, and so no right one.
    before: { value: 0, passed: false },
    value: failureMode === null ? 1 : 0,
    confidence: 1,
    passed: failureMode === null,
    failureMode,
    evidence: { reason, comparisons },
    flags: [],
  };
}
