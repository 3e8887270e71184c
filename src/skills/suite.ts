/**
 * The contract suite: what every skill must keep, whoever wrote it. `tracemill skill test` and the project's own tests
 * run the same checks.
 */
import type { Skill } from "./contract.ts";
import { ITEM_CHECKS } from "./suite-items.ts";
import { WORKSPACE_CHECKS } from "./suite-workspaces.ts";
import { openTrial, type SuiteCheck, type Trial } from "./trial.ts";

/** In the order in which they run: the last one closes the skill. */
export const SUITE: readonly SuiteCheck[] = [...ITEM_CHECKS, ...WORKSPACE_CHECKS];

/** A check that does not come to an end fails; what it began is left to the end of the process. */
const CHECK_LIMIT_MS = 300_000;

export interface Finding {
  title: string;
  outcome: "ok" | "warning" | "skipped" | "failed";
  /** Null where there is nothing to say. */
  why: string | null;
}

/** Runs every check on a skill, each whatever the others found; `onFinding` is told as they come. */
export async function runSuite(
  { id, skill, signal }: { id: string; skill: Skill; signal: AbortSignal },
  onFinding: (finding: Finding) => void,
): Promise<Finding[]> {
  const trial = await openTrial(id, skill);
  const findings: Finding[] = [];
  try {
    for (const check of SUITE) {
      signal.throwIfAborted();
      const finding = await findingOf(check, trial);
      findings.push(finding);
      onFinding(finding);
    }
    return findings;
  } finally {
    await trial.close();
  }
}

async function findingOf({ title, run }: SuiteCheck, trial: Trial): Promise<Finding> {
  try {
    const { kind, text } = (await withinLimit(run(trial))) ?? { kind: "note", text: null };
    return { title, outcome: kind === "note" ? "ok" : kind, why: text };
  } catch (error) {
    return { title, outcome: "failed", why: error instanceof Error ? error.message : String(error) };
  }
}

async function withinLimit<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${CHECK_LIMIT_MS / 1000} s`)), CHECK_LIMIT_MS);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
