/**
 * `tracemill status`: what is there, and the next sensible command.
 */
import { z } from "zod";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { textTable } from "../foundation/text-table.ts";
import type { Decision } from "../records/comparison.ts";
import type { RunId } from "../records/ids.ts";
import { points } from "../statistics/figures.ts";
import { listDecisions } from "../store/comparisons.ts";
import { coveredRuns, revokedRuns } from "../store/ledger.ts";
import { listAdapters, listBases, listDatasets } from "../store/manifests.ts";
import { listRuns } from "../store/runs.ts";
import { type Context, defineCommand } from "./command.ts";
import { type Found, type Judgement, type NextCommand, nextCommand } from "./next-command.ts";
import { taintMark, taintsIn } from "./taint.ts";

interface Status extends Found {
  home: string;
  next: NextCommand;
}

async function status({ home }: Context): Promise<Status> {
  const [bases, runs, datasets, adapters, { decisions, changed }, taints] = await Promise.all([
    listBases(home),
    listRuns(home),
    listDatasets(home),
    listAdapters(home),
    listDecisions(home),
    taintsIn(home),
  ]);
  const covered = coveredRuns(home);
  const revoked = revokedRuns(home);
  const stateOf = (run: RunId, isSealed: boolean) => {
    if (covered.has(run)) return `left out for ${covered.get(run)}`;
    if (revoked.has(run)) return "revoked";
    return isSealed ? "sealed" : "unfinished";
  };
  const found: Found = {
    bases: bases.map(({ name, baseHash }) => ({ name, baseHash })),
    runs: runs.map(({ run, skill, split, isSealed, comparison, command, events }) => ({
      run,
      skill,
      split,
      state: stateOf(run, isSealed),
      arm: comparison?.arm ?? null,
      command,
      events,
    })),
    datasets: datasets.map(({ datasetHash, skills, role, tier, format, base, inputs, counts }) => ({
      datasetHash,
      skills,
      role,
      tier,
      format,
      base,
      runs: inputs.runs.map(({ run }) => run),
      trainRows: counts.trainRows,
      taint: taints.ofDataset(datasetHash),
    })),
    adapters: adapters.map(({ adapterHash, name, base, datasetHash }) => ({
      adapterHash,
      name,
      base,
      datasetHash,
      decisions: decisions.filter((decision) => decision.adapterHash === adapterHash).map(judgementOf),
      changedDecisions: changed.flatMap((one) => (one.adapterHash === adapterHash ? one.comparisonHash : [])),
      taint: taints.ofAdapter(adapterHash),
      isLineageGone: taints.isLineageGone(adapterHash),
    })),
  };
  return { home: home.path, ...found, next: await nextCommand(home, found) };
}

function judgementOf({ verdict, hasPassed, pairs }: Decision): Judgement {
  return { verdict, hasPassed, difference: pairs[0]?.difference ?? null };
}

function judgementText({ verdict, hasPassed, difference }: Judgement): string {
  const gate = hasPassed ? ", gate passed" : "";
  return difference === null ? `${verdict}${gate}` : `${verdict} (${points(difference)} points${gate})`;
}

function changedText(comparisonHash: Hash): string {
  return `${shortHash(comparisonHash)} CHANGED`;
}

function printed({ home, bases, runs, datasets, adapters, next }: Status): string {
  const section = (title: string, header: string[], rows: string[][]) =>
    rows.length === 0 ? [`${title}: none`, ""] : [title, textTable(header, rows), ""];
  return [
    `home: ${home}`,
    "",
    ...section(
      "bases",
      ["name", "hash"],
      bases.map((base) => [base.name, shortHash(base.baseHash)]),
    ),
    ...section(
      "runs",
      ["run", "skill", "split", "arm", "state", "events"],
      runs.map((run) => [run.run, run.skill, run.split ?? "all", run.arm ?? "-", run.state, String(run.events)]),
    ),
    ...section(
      "datasets",
      ["hash", "skills", "role", "train rows"],
      datasets.map((dataset) => [
        `${shortHash(dataset.datasetHash)} ${taintMark(dataset.taint)}`.trimEnd(),
        dataset.skills.join(","),
        dataset.role,
        String(dataset.trainRows),
      ]),
    ),
    ...section(
      "adapters",
      ["hash", "name", "base", "dataset", "decisions"],
      adapters.map((adapter) => [
        `${shortHash(adapter.adapterHash)} ${taintMark(adapter.taint) || (adapter.isLineageGone ? "LINEAGE GONE" : "")}`.trimEnd(),
        adapter.name ?? "-",
        adapter.base,
        shortHash(adapter.datasetHash),
        [...adapter.decisions.map(judgementText), ...adapter.changedDecisions.map(changedText)].join("; ") || "-",
      ]),
    ),
    `next: ${next.command}`,
    `      (${next.reason})`,
  ].join("\n");
}

export default defineCommand({
  summary: "Show runs, datasets and adapters, and the next sensible command.",
  input: z.object({}),
  run: (_, context) => status(context),
  print: printed,
});
