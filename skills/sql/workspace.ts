/**
 * One item's workspace: the query is run and judged in the verifier's process, so there is nothing here to change
 * or to restore.
 */
import { assert, Failure } from "../../src/foundation/errors.ts";
import type { ActionCall } from "../../src/records/events.ts";
import type { Item } from "../../src/records/item.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { ActionResult, ParsedAnswer, Workspace } from "../../src/skills/contract.ts";
import { manifest, VERIFIER } from "./manifest.ts";
import { taskDetail } from "./task-detail.ts";
import type { Reply, Verifier } from "./verifier.ts";
import type { Outcome } from "./verifier-protocol.ts";

/** What is known of a query: the verifier's outcome, or that its process was lost over it. */
type Finding = Outcome & { isLost: boolean };

/** Opens an item; a query that comes again is not run again. */
export function openWorkspace(item: Item, verifier: Verifier): Workspace {
  const task = taskDetail(item);
  const findings = new Map<string, Promise<Finding>>();

  function find(call: ActionCall): Promise<Finding> {
    const query = queryOf(call);
    const known = findings.get(query);
    if (known !== undefined) return known;
    const finding = verifier.ask({ verb: "verify", task, query }).then((reply) => findingOf(reply, item));
    findings.set(query, finding);
    return finding;
  }

  return {
    async act(call) {
      return actionResult(await find(call));
    },
    async verify(call, parsed) {
      if (call !== null) return verdictOf(await find(call));
      assert("failureMode" in parsed, "an answer with an action is verified by its call");
      return verdictWithoutAction(parsed);
    },
    checkpoint: async () => "baseline",
    restore: async () => {},
    close: async () => {},
  };
}

/** The query that a call runs. */
export function queryOf(call: ActionCall): string {
  const query = call.arguments.query;
  assert(call.name === "run_sql" && typeof query === "string", "the call is not run_sql with a query");
  return query;
}

function findingOf(reply: Reply<"verify">, item: Item): Finding {
  const empty = { contents: [], result: null, isSpent: false };
  if ("lost" in reply) {
    const failureMode = reply.lost === "hung" ? "timeout" : "runtime";
    return { ...empty, failureMode, reason: reply.reason, isLost: reply.lost === "ended" };
  }
  if ("error" in reply.answer) {
    const message = `The reference of ${item.item} cannot be run: ${reply.answer.error}`;
    throw new Failure({ boundary: "workspace", code: "BAD_REFERENCE", message });
  }
  return { ...reply.answer, isLost: false };
}

/** The rows on the first content, one JSON array a line, or the error. */
function actionResult({ result, reason, failureMode }: Finding): ActionResult {
  if (result === null) return { exitCode: 1, stdout: "", stderr: `${failureMode}: ${reason}` };
  const lines = [result.columns, ...result.rows].map((row) => JSON.stringify(row));
  return { exitCode: 0, stdout: `${lines.join("\n")}\n`, stderr: "" };
}

function verdictOf({ failureMode, reason, contents, isLost }: Finding): Verdict {
  return {
    ...verdictShape,
    value: failureMode === null ? 1 : 0,
    // A process that ended twice at one query was most likely ended by it; something outside may have done it too.
    confidence: isLost ? 0.5 : 1,
    passed: failureMode === null,
    failureMode,
    evidence: { reason, contents },
    flags: isLost ? ["environment-suspect"] : [],
  };
}

function verdictWithoutAction(parsed: Extract<ParsedAnswer, { failureMode: string }>): Verdict {
  assert(manifest.failureModes.includes(parsed.failureMode), `unknown failure mode ${parsed.failureMode}`);
  const { failureMode, reason } = parsed;
  return {
    ...verdictShape,
    value: 0,
    confidence: 1,
    passed: false,
    failureMode,
    evidence: { reason, contents: [] },
    flags: [],
  };
}

/** Before the action there is no query, and so no right result. */
const verdictShape = {
  signalType: "binary" as const,
  verifier: VERIFIER,
  before: { value: 0, passed: false },
};
