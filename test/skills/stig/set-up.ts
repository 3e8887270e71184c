/** The set-up root, where this machine has one, and one attempt at a rule on it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { fixCall } from "../../../skills/stig/parse-answer.ts";
import { refuseUnmet, runChecks } from "../../../skills/stig/requirements.ts";
import { type FoundRule, readSetup, type SetUp } from "../../../skills/stig/setup-folder.ts";
import { openWorkspace } from "../../../skills/stig/workspace.ts";
import { Refusal } from "../../../src/foundation/errors.ts";
import type { Verdict } from "../../../src/records/verdict.ts";
import type { ActionResult, Workspace } from "../../../src/skills/contract.ts";

export const RULE = "xccdf_org.ssgproject.content_rule_";

/** Null where the skill cannot run here; the reason is printed once. */
export const stig: SetUp | null = await (async () => {
  refuseUnmet(await runChecks());
  return readSetup();
})().catch((error) => {
  if (!(error instanceof Refusal)) throw error;
  console.warn(`skipped, the skill stig cannot run here: ${error.message} ${error.details.fix ?? ""}`);
  return null;
});

export function ruleNamed(name: string): FoundRule {
  const rule = stig?.setup.rules.find(({ id }) => id === RULE + name);
  if (rule === undefined) throw new Error(`no rule ${name}`);
  return rule;
}

/** A folder that goes with the test that asked for it. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tracemill-stig-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function open(rule: string, place?: { folder: string; from: string | null }): Promise<Workspace> {
  return openWorkspace(ruleNamed(rule), place ?? { folder: await newFolder(), from: null }, stig as SetUp);
}

export async function apply(workspace: Workspace, script: string): Promise<{ action: ActionResult; verdict: Verdict }> {
  const call = fixCall(script);
  const action = await workspace.act(call);
  return { action, verdict: await workspace.verify(call, { call }) };
}

/** One script on the root as it was set up. */
export async function attempt(rule: string, script: string): Promise<{ action: ActionResult; verdict: Verdict }> {
  const workspace = await open(rule);
  try {
    return await apply(workspace, script);
  } finally {
    await workspace.close();
  }
}

export function evidence(verdict: Verdict): Record<string, unknown> {
  return verdict.evidence as Record<string, unknown>;
}
