/** Attributes whatever a skill throws to a boundary, so that one bad item cannot end the run. */
import { Failure } from "../foundation/errors.ts";

/** Takes a step of a skill's. Throws: a Failure of the boundary, or the one that the step threw itself. */
export async function atBoundary<T>(boundary: "workspace" | "environment", step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw skillFailure(boundary, cause);
  }
}

/** What a skill threw, or complains of, as a Failure; one that it threw itself stays as it is. */
export function skillFailure(boundary: "workspace" | "environment", cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = boundary === "environment" ? "ENVIRONMENT_BROKEN" : "WORKSPACE_FAILED";
  return new Failure({ boundary, code, message, cause });
}
