/** Asks a skill's workspace for its verdict. */
import type { ActionCall } from "../records/events.ts";
import { type Verdict, verdictSchema } from "../records/verdict.ts";
import { atBoundary } from "./at-boundary.ts";
import type { ParsedAnswer, Skill, Workspace } from "./contract.ts";

/** Checks the verdict's shape too. Throws: a Failure of the boundary `workspace`. */
export async function verified(workspace: Workspace, call: ActionCall | null, parsed: ParsedAnswer): Promise<Verdict> {
  return atBoundary("workspace", async () => verdictSchema.parse(await workspace.verify(call, parsed)));
}

/** Whether what failed can only show after the workspace was settled. */
export function isDeferrable({ manifest }: Skill, { failureMode }: Verdict): boolean {
  return failureMode !== null && manifest.deferrableFailureModes?.includes(failureMode) === true;
}
