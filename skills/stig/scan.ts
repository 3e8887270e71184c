/**
 * One scan by the real scanner: the overlay read-only, the scanner, its libraries and the package database from the
 * root as it was set up, the content from outside. The verdict is read from whole lines `rule:result` alone.
 */
import { PROFILE } from "./datastream.ts";
import type { Ended } from "./process-output.ts";
import type { Sandbox } from "./sandbox.ts";
import { contentName, RESULTS, type Result, SCANNER } from "./setup-folder.ts";

/** Some seconds for all rules; the rest is for a host that is busy with a model. */
const SCAN_LIMIT_MS = 180_000;

export interface Scan {
  /** By full rule id; empty where the scanner gave none. */
  results: Map<string, Result>;
  /** Why the scan is not whole; null where it is. */
  fault: string | null;
  /** The scanner's own words. */
  output: { exitCode: number | null; stdout: string; stderr: string };
}

/** Shapes: `content` is a full rule id, or the name of the content of many rules, as `contentName` has it. */
export async function scan(
  sandbox: Sandbox,
  content: string,
  { isPristine = false }: { isPristine?: boolean } = {},
): Promise<Scan> {
  const words = [`/${SCANNER}`, "xccdf", "eval", "--skip-valid", "--progress", "--profile", PROFILE];
  const ended = await sandbox.run([...words, `/run/scap/${contentName(content)}`], {
    limitMs: SCAN_LIMIT_MS,
    isReadOnly: true,
    isPristine,
  });
  const { exitCode, stdout, stderr } = ended;
  return { results: resultsOf(stdout), fault: faultOf(ended), output: { exitCode, stdout, stderr } };
}

/** 2 says that a rule did not pass. */
function faultOf({ exitCode, isTimedOut, isCut, stderr }: Ended): string | null {
  if (isTimedOut) return `the scan took longer than ${SCAN_LIMIT_MS} ms`;
  if (isCut) return "the scan printed too much";
  if (exitCode === 0 || exitCode === 2) return null;
  return `the scanner ended with ${exitCode ?? "a signal"}: ${stderr.trim().split("\n").at(-1) ?? ""}`;
}

function resultsOf(stdout: string): Map<string, Result> {
  const lines = stdout.matchAll(/^(xccdf_[\w.-]+):(\w+)$/gm);
  const known: readonly string[] = RESULTS;
  return new Map(
    [...lines]
      .filter(([, , result = ""]) => known.includes(result))
      .map(([, rule, result]) => [rule, result] as [string, Result]),
  );
}
