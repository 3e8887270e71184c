/**
 * `tracemill status`: what is there, and the next sensible command.
 */
import { z } from "zod";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { textTable } from "../foundation/text-table.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";
import type { Decision } from "../records/comparison.ts";
import type { RunId } from "../records/ids.ts";
import type { Tier } from "../records/selection.ts";
import { taintOfAdapter } from "../registry/index.ts";
import { points } from "../statistics/figures.ts";
import { listDecisions } from "../store/comparisons.ts";
import { listAdapters, listBases, listDatasets } from "../store/manifests.ts";
import { listRuns } from "../store/run-log.ts";
import { type Context, defineCommand } from "./command.ts";
import { allTainted } from "./taint.ts";
import { wayToSeal } from "./way-to-seal.ts";

interface Status {
  home: string;
  bases: { name: string; baseHash: string }[];
  runs: {
    run: RunId;
    skill: string;
    split: string | null;
    state: string;
    arm: string | null;
    /** The command that made it. */
    command: string | null;
    events: number;
  }[];
  /** As the adapters: oldest first. */
  datasets: {
    datasetHash: string;
    skills: string[];
    role: string;
    tier: Tier;
    /** Null where the rows are texts alone. */
    base: string | null;
    runs: string[];
    trainRows: number;
    /** Whether something of its rows is revoked by now. */
    isTainted: boolean;
  }[];
  adapters: {
    adapterHash: string;
    name: string | null;
    base: string;
    datasetHash: string;
    decisions: Judgement[];
    /** Comparisons whose decision is not the one any more that the ledger names: they tell nothing. */
    changedDecisions: Hash[];
    /** Whether its dataset is. */
    isTainted: boolean;
  }[];
  /** The next sensible command, and why. */
  next: { command: string; reason: string };
}

/** Units: difference of the deciding pair as a fraction; null where no pair of items could be made. */
interface Judgement {
  verdict: Decision["verdict"];
  hasPassed: boolean;
  difference: number | null;
}

async function status({ home }: Context): Promise<Status> {
  const [bases, runs, datasets, adapters, { decisions, changed }, tainted] = await Promise.all([
    listBases(home),
    listRuns(home),
    listDatasets(home),
    listAdapters(home),
    listDecisions(home),
    allTainted(home),
  ]);
  const found = {
    home: home.path,
    bases: bases.map(({ name, baseHash }) => ({ name, baseHash })),
    runs: runs.map(({ run, skill, split, isSealed, comparison, command, events }) => ({
      run,
      skill,
      split,
      state: isSealed ? "sealed" : "unfinished",
      arm: comparison?.arm ?? null,
      command,
      events,
    })),
    datasets: datasets.map(({ datasetHash, skills, role, tier, base, inputs, counts }) => ({
      datasetHash,
      skills,
      role,
      tier,
      base,
      runs: inputs.runs.map(({ run }) => run),
      trainRows: counts.trainRows,
      isTainted: tainted.has(datasetHash),
    })),
    adapters: adapters.map(({ adapterHash, name, base, datasetHash }) => ({
      adapterHash,
      name,
      base,
      datasetHash,
      decisions: decisions.filter((decision) => decision.adapterHash === adapterHash).map(judgementOf),
      changedDecisions: changed.flatMap((one) => (one.adapterHash === adapterHash ? one.comparisonHash : [])),
      isTainted: taintOfAdapter({ adapters }, tainted, adapterHash) !== null,
    })),
  };
  return { ...found, next: nextCommand(found) };
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

function nextCommand({ bases, runs, datasets, adapters }: Omit<Status, "next" | "home">): Status["next"] {
  const base = bases[0]?.name;
  if (base === undefined) return { command: "tracemill base add smollm2", reason: "there is no base yet" };
  const open = runs.find(({ state }) => state === "unfinished");
  if (open !== undefined && open.arm === null) {
    return { command: wayToSeal(open), reason: "a run is not finished" };
  }
  const skill = runs.at(-1)?.skill ?? "sql";
  const trainRuns = runs.filter((run) => run.skill === skill && run.split === "train" && run.state === "sealed");
  if (trainRuns.length === 0) {
    return {
      command: `tracemill run --skill ${skill} --split train --model ${base}`,
      reason: "no run over train items is sealed",
    };
  }
  const dataset = datasets.findLast(({ tier, base }) => tier === "demonstrations" && base !== null); // what `train` takes
  if (dataset === undefined) {
    return {
      command: `tracemill export --role worker --skill ${skill} --filter eval_passed=true`,
      reason: "no dataset is made of the runs yet",
    };
  }
  if (dataset.isTainted) {
    return {
      command: `tracemill dataset rebuild ${shortHash(dataset.datasetHash)}`,
      reason: "the newest dataset holds what was revoked since",
    };
  }
  const adapter = adapters.findLast(({ datasetHash }) => datasetHash === dataset.datasetHash);
  if (adapter === undefined) {
    return {
      command: `tracemill train --dataset ${shortHash(dataset.datasetHash)} --base ${dataset.base}`,
      reason: "the newest dataset has no adapter",
    };
  }
  const shown = adapterLabel(adapter);
  if (adapter.decisions.length === 0) {
    return {
      command: `tracemill validate --skill ${dataset.skills[0]} --base ${adapter.base} --candidate ${shown}`,
      reason: "the newest dataset's adapter is not judged",
    };
  }
  const { verdict, hasPassed } = adapter.decisions.at(-1) as Judgement;
  if (hasPassed) {
    return {
      command: `tracemill promote ${shown} --for ${dataset.skills[0]}`,
      reason: "the gate passed for the newest dataset's adapter",
    };
  }
  if (verdict !== "better") return afterNoLift(verdict, { dataset, base: adapter.base, trainRuns });
  return {
    command: `tracemill serve --base ${adapter.base} --adapter ${shown}`,
    reason: "the newest dataset's adapter is judged better, though the gate did not pass; look at it beside the base",
  };
}

/** More work of the same skill: first what is there and not in the dataset yet, else another run over other draws. */
function afterNoLift(
  verdict: string,
  { dataset, base, trainRuns }: { dataset: Status["datasets"][number]; base: string; trainRuns: Status["runs"] },
): Status["next"] {
  const [skill] = dataset.skills;
  const reason = `the newest dataset's adapter is judged ${verdict}`;
  if (trainRuns.some(({ run }) => !dataset.runs.includes(run))) {
    return {
      command: `tracemill export --role ${dataset.role} --skill ${skill} --filter eval_passed=true`,
      reason: `${reason}, and there are runs that it was not made of`,
    };
  }
  return {
    command: `tracemill run --skill ${skill} --split train --model ${base} --seed ${trainRuns.length + 1}`,
    reason: `${reason}: more verified work makes a larger dataset`,
  };
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
        `${shortHash(dataset.datasetHash)}${dataset.isTainted ? " TAINTED" : ""}`,
        dataset.skills.join(","),
        dataset.role,
        String(dataset.trainRows),
      ]),
    ),
    ...section(
      "adapters",
      ["hash", "name", "base", "dataset", "decisions"],
      adapters.map((adapter) => [
        `${shortHash(adapter.adapterHash)}${adapter.isTainted ? " TAINTED" : ""}`,
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
