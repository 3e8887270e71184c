/** `tracemill runs`: the runs that there are, or one of them in full, or how complete its records are. */
import { z } from "zod";
import { runCalled } from "../capture/index.ts";
import { shortHash } from "../foundation/hashing.ts";
import { textTable } from "../foundation/text-table.ts";
import type { RunId } from "../records/ids.ts";
import { withLake } from "../store/lake.ts";
import { coveredRuns, revokedRuns } from "../store/ledger.ts";
import { RECORD_PARTS, type RoleCompleteness, readCompleteness } from "../store/run-figures.ts";
import { listRuns, type RunSummary } from "../store/runs.ts";
import { defineCommand } from "./command.ts";

const ACTIONS = ["list", "show"] as const;

const input = z.object({
  action: z.enum(ACTIONS).default("list").describe("list the runs, or show one"),
  run: z.string().optional().describe("show: the run, its id or another program's own name for it"),
  completeness: z.boolean().default(false).describe("show: how much of each role's turns was recorded"),
});

interface ListedRun extends RunSummary {
  /** The run that stands for this one now; null where it stands itself. */
  coveredBy: RunId | null;
  isRevoked: boolean;
}

type Result = ListedRun[] | ListedRun | { run: RunId; roles: RoleCompleteness[] };

export default defineCommand<z.infer<typeof input>, Result>({
  summary: "List the runs, or show one.",
  details: "Example: tracemill runs show 20261101-120000-3fa1 --completeness",
  positional: ["action", "run"],
  input,
  async run({ action, run, completeness }, { home }) {
    const covered = coveredRuns(home);
    const revoked = revokedRuns(home);
    const listed = (one: RunSummary) => ({
      ...one,
      coveredBy: covered.get(one.run) ?? null,
      isRevoked: revoked.has(one.run),
    });
    if (action === "list") return (await listRuns(home)).map(listed);
    const one = await runCalled(home, run ?? "");
    return completeness
      ? { run: one.run, roles: await withLake(home, (lake) => readCompleteness(lake, one.run)) }
      : listed(one);
  },
  print: (result) => {
    if (Array.isArray(result)) return listPage(result);
    return "roles" in result ? completenessPage(result.roles) : JSON.stringify(result, null, 2);
  },
});

function completenessPage(roles: readonly RoleCompleteness[]): string {
  if (roles.length === 0) return "Only sealed runs are in the lake, and this one has no turn there.";
  const rows = roles.map((role) => [
    role.role,
    String(role.turns),
    ...RECORD_PARTS.map((part) => shareText(role[part])),
  ]);
  return [
    textTable(["role", "turns", ...RECORD_PARTS.map((part) => part.replaceAll("_", " "))], rows, 160),
    "Share of the turns whose record holds the part whole; outcome, verifier version and environment are those of their attempts.",
  ].join("\n");
}

function shareText(fraction: number): string {
  return fraction === 1 ? "yes" : fraction === 0 ? "no" : `${(100 * fraction).toFixed(0)} %`;
}

function listPage(runs: readonly ListedRun[]): string {
  if (runs.length === 0) return "No run yet. Make one: tracemill run --skill sql";
  const rows = runs.map(({ run, skill, split, memory, comparison, events, ...rest }) => [
    run,
    skill,
    split ?? "all",
    memory,
    workerText(rest),
    comparison === null ? "" : `${shortHash(comparison.comparisonHash)} ${comparison.arm}`,
    String(events),
    stateText(rest),
  ]);
  return textTable(["run", "skill", "split", "memory", "worker", "comparison", "events", "state"], rows);
}

function workerText({ models: { worker }, command, label }: Pick<RunSummary, "models" | "command" | "label">): string {
  if (worker === undefined) return [command, label].filter((part) => part !== null).join(" ");
  return "rule" in worker ? worker.rule : worker.name;
}

function stateText({
  isSealed,
  coveredBy,
  isRevoked,
}: Pick<ListedRun, "isSealed" | "coveredBy" | "isRevoked">): string {
  if (!isSealed) return "open";
  if (coveredBy !== null) return `left out for ${coveredBy}`;
  return isRevoked ? "revoked" : "sealed";
}
