/**
 * Judges what a script left: the rule's own result must be `pass`, nothing that passed before may fail now, and the
 * files that it changed must still be readable by their programs. The second and third are looked at only where the
 * first holds. Everything else that was seen is evidence.
 */
import { Failure } from "../../src/foundation/errors.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import { type Change, redirectedApt, touchedScanner } from "./changes.ts";
import { type FailureMode, VERIFIER } from "./manifest.ts";
import type { Ended } from "./process-output.ts";
import type { Sandbox } from "./sandbox.ts";
import { type Scan, scan } from "./scan.ts";
import type { FoundRule, Result } from "./setup-folder.ts";
import { syntaxFaults } from "./syntax-checks.ts";

const BASH_LIMIT_MS = 10_000;

export interface Case {
  sandbox: Sandbox;
  rule: FoundRule;
  /** What the scan said of every rule before the script. */
  before: ReadonlyMap<string, Result>;
  /** The rules that passed before and that a script can break, without the target. */
  watched: readonly string[];
  /** Whether the script ran on the root as it was set up. */
  isFromBaseline: boolean;
  changes: readonly Change[];
  /** False where the script changed more files than can be listed. */
  isWhole: boolean;
  /** How the script ended; null where none ran. */
  ended: Ended | null;
}

interface Fault {
  failureMode: FailureMode;
  reason: string;
}

interface Regression {
  /** It passed before. */
  rule: string;
  now: Result | "none";
}

/** Throws: a failure of the workspace where the scanner does not even judge the untouched root. */
export async function judge(given: Case): Promise<Verdict> {
  const nothing = { target: null, regressions: [], syntax: [] };
  if (!given.isWhole) {
    const reason = "the script changed more files than can be listed";
    return verdictOf(given, { failureMode: "too-many-changes", reason }, nothing);
  }
  const touched = [...touchedScanner(given.changes), ...(await redirectedApt(given.sandbox, given.changes))];
  if (touched.length > 0) {
    const reason = `the script changed what the scan stands on: ${touched.slice(0, 5).join(", ")}`;
    return verdictOf(given, { failureMode: "touched-scanner", reason }, nothing);
  }
  const target = await scan(given.sandbox, given.rule.id);
  const result = target.results.get(given.rule.id);
  if (target.fault !== null || result === undefined || result === "error") await refuseBrokenScanner(given);
  if (result !== "pass" || target.fault !== null) {
    return verdictOf(given, targetFault(given, target, result), { target, regressions: [], syntax: [] });
  }
  const regressions = await regressionsOf(given);
  const syntax = await syntaxFaults(given.sandbox, given.changes);
  const fault = regressions[0]
    ? { failureMode: "regression" as const, reason: `${shown(regressions)} passed before and does not now` }
    : syntax[0]
      ? { failureMode: "broken-syntax" as const, reason: syntax[0] }
      : null;
  return verdictOf(given, fault, { target, regressions, syntax });
}

/** Says whether the scanner still gives the untouched root the result that it had; null where it does. */
export async function scannerFault(sandbox: Sandbox, rule: FoundRule): Promise<string | null> {
  const { results, fault } = await scan(sandbox, rule.id, { isPristine: true });
  if (fault !== null) return fault;
  const result = results.get(rule.id);
  return result === rule.baseline ? null : `the untouched root gives ${result} where it gave ${rule.baseline}`;
}

/**
 * Says whether the root as it stands runs bash and can be scanned, and gives the rule the result that was kept with
 * it, where `expected` names one (no script ran since); null where it does.
 */
export async function stateFault(sandbox: Sandbox, rule: FoundRule, expected: Result | null): Promise<string | null> {
  const bash = await sandbox.run(["/usr/bin/bash", "-c", "exit 0"], { limitMs: BASH_LIMIT_MS });
  if (bash.exitCode !== 0)
    return `bash does not run in the workspace: ${bash.stderr.trim() || `exit code ${bash.exitCode}`}`;
  const { results, fault } = await scan(sandbox, rule.id);
  if (fault !== null) return `the workspace cannot be scanned: ${fault}`;
  const result = results.get(rule.id);
  const isKept = expected === null || result === expected;
  return isKept ? null : `the workspace gives ${result} for the rule where ${expected} was kept with it`;
}

async function refuseBrokenScanner({ sandbox, rule }: Case): Promise<void> {
  const fault = await scannerFault(sandbox, rule);
  if (fault === null) return;
  throw new Failure({ boundary: "workspace", code: "SCANNER_BROKEN", message: `The scanner does not work: ${fault}` });
}

function targetFault({ ended }: Case, { fault }: Scan, result: Result | undefined): Fault {
  if (ended?.isTimedOut) return { failureMode: "sandbox-timeout", reason: "the script ran into its time limit" };
  if (fault !== null || result === undefined || result === "error" || result === "unknown") {
    return { failureMode: "scan-error", reason: fault ?? `the scan of the rule gave ${result ?? "no result"}` };
  }
  if (result === "fail") return { failureMode: "not-fixed", reason: "the rule still fails" };
  return { failureMode: "not-applicable", reason: `the rule is ${result} now, which is no pass` };
}

/** Only rules that passed before can have been broken; their content alone is read where those are the set-up root's. */
async function regressionsOf({ sandbox, watched, isFromBaseline }: Case): Promise<Regression[]> {
  const { results, fault } = await scan(sandbox, isFromBaseline ? "regression" : "changeable");
  return watched
    .map((rule) => ({ rule, now: (fault === null && results.get(rule)) || ("none" as const) }))
    .filter(({ now }) => now !== "pass");
}

function verdictOf(
  { rule, before, changes, ended }: Case,
  fault: Fault | null,
  { target, regressions, syntax }: { target: Scan | null; regressions: Regression[]; syntax: string[] },
): Verdict {
  const passed = fault === null;
  const hadPassed = before.get(rule.id) === "pass";
  const isDirty = ended !== null && ended.exitCode !== 0;
  return {
    value: passed ? 1 : 0,
    confidence: 1,
    passed,
    failureMode: fault?.failureMode ?? null,
    signalType: "binary",
    verifier: VERIFIER,
    before: { value: hadPassed ? 1 : 0, passed: hadPassed },
    evidence: {
      reason: fault?.reason ?? null,
      rule: rule.id,
      result: target?.results.get(rule.id) ?? null,
      scan: target?.output ?? null,
      regressions: regressions.map((regression) => ({ ...regression })),
      syntax,
      script: ended && { exitCode: ended.exitCode, isTimedOut: ended.isTimedOut, isOutputCut: ended.isCut },
      changes: changes.map((change) => ({ ...change })),
      outside: changes.filter((change) => isOutside(change, rule)).map(({ path }) => path),
    },
    flags: [...(passed && hadPassed ? ["noop-pass" as const] : []), ...(isDirty ? ["dirty-exit" as const] : [])],
  };
}

/** Whether a file lies in none of the folders that the rule's checks look into. */
function isOutside({ path, kind }: Change, { paths }: FoundRule): boolean {
  if (kind === "folder") return false;
  const folders = paths.map((pattern) => /^\^?((?:\/[\w-]+|\\?\/[\w.-]*(?=\\?\/))*)/.exec(pattern)?.[1] ?? "");
  return !folders.some(
    (folder) => folder !== "" && `/${path}`.startsWith(folder.replaceAll("\\", "").replace(/\/[^/]*$/, "/")),
  );
}

function shown([first, ...rest]: Regression[]): string {
  return rest.length === 0 ? `${first?.rule}` : `${first?.rule} (and ${rest.length} more)`;
}
