/**
 * The next sensible command: the loop's step that is missing, judged by what is there. Does not read the store beyond what
 * tells whether a promotion would be taken.
 */
import { Refusal } from "../foundation/errors.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";
import type { Decision } from "../records/comparison.ts";
import type { RunId } from "../records/ids.ts";
import { BOTH_ROLES, JUDGED_ROLE } from "../records/role-names.ts";
import type { Tier } from "../records/selection.ts";
import {
  answeringPlace,
  championFor,
  placeName,
  possiblePromotion,
  readChampions,
  validateCommand,
} from "../registry/index.ts";
import type { Home } from "../store/home.ts";
import type { Tainted } from "./taint.ts";
import { wayToSeal } from "./way-to-seal.ts";

/** What is there. */
export interface Found {
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
    format: string;
    /** Null where the rows are texts alone. */
    base: string | null;
    runs: string[];
    trainRows: number;
    taint: Tainted | null;
  }[];
  adapters: {
    adapterHash: string;
    name: string | null;
    base: string;
    datasetHash: string;
    decisions: Judgement[];
    /** Comparisons whose decision is not the one any more that the ledger names: they tell nothing. */
    changedDecisions: Hash[];
    taint: Tainted | null;
    /** Whether something of its lineage is gone, so that nobody knows whether it is tainted. */
    isLineageGone: boolean;
  }[];
}

/** Units: difference of the deciding pair as a fraction; null where no pair of items could be made. */
export interface Judgement {
  verdict: Decision["verdict"];
  hasPassed: boolean;
  difference: number | null;
}

/** A command line, and why it is the next. */
export interface NextCommand {
  command: string;
  reason: string;
}

/** Returns the command that makes the most of what is there. */
export async function nextCommand(home: Home, { bases, runs, datasets, adapters }: Found): Promise<NextCommand> {
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
  if (dataset.taint !== null) {
    return {
      command: `tracemill dataset rebuild ${shortHash(dataset.datasetHash)}`,
      reason: `the newest dataset ${dataset.taint.isCertain ? "holds" : "may rest on"} what was revoked since`,
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
  const [judgedSkill = skill] = dataset.skills;
  if (adapter.decisions.length === 0) {
    const champion = championFor(await readChampions(home), { skill: judgedSkill, role: JUDGED_ROLE });
    return {
      command: validateCommand(adapter, { skill: judgedSkill, answering: champion?.adapterHash ?? null }),
      reason: "the newest dataset's adapter is not judged",
    };
  }
  const { verdict, hasPassed } = adapter.decisions.at(-1) as Judgement;
  if (hasPassed) return afterPass(home, { adapter, skill: judgedSkill, trainRuns });
  if (verdict !== "better") return afterNoLift(verdict, { dataset, base: adapter.base, trainRuns });
  return {
    command: `tracemill serve --base ${adapter.base} --adapter ${shown}`,
    reason: "the newest dataset's adapter is judged better, though the gate did not pass; look at it beside the base",
  };
}

/** The promotion, unless it was made already or would be refused: whoever answers there now need not be who was beaten. */
async function afterPass(
  home: Home,
  { adapter, skill, trainRuns }: { adapter: Found["adapters"][number]; skill: string; trainRuns: Found["runs"] },
): Promise<NextCommand> {
  const { adapterHash } = adapter;
  const shown = adapterLabel(adapter);
  const champions = await readChampions(home);
  const judged = { skill, role: JUDGED_ROLE };
  const champion = championFor(champions, judged);
  const place = answeringPlace(champions, judged);
  if (champion?.adapterHash === adapterHash) {
    return {
      command: `tracemill run --skill ${skill} --split train --model ${shown} --seed ${trainRuns.length + 1}`,
      reason: "the newest dataset's adapter is the champion: what it does now makes the next dataset",
    };
  }
  try {
    await possiblePromotion(home, { adapter: adapterHash, place });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const again = validateCommand(adapter, { skill, answering: champion?.adapterHash ?? null });
    const command = FIXED_OTHERWISE.includes(error.code) ? (error.details.fix ?? again) : again;
    return { command, reason: `the gate passed for the newest dataset's adapter, but: ${error.message}` };
  }
  return {
    command: `tracemill promote ${shown} --for ${placeName(place)}`,
    reason: "the gate passed for the newest dataset's adapter",
  };
}

/** Refusals of a promotion that the same comparison again would not mend; they say what does. */
const FIXED_OTHERWISE = [
  ...["OTHER_QUESTION_DECIDED", "DECISION_REVOKED", "TAINTED_ADAPTER", "LINEAGE_GONE", "PLACE_OF_ANOTHER_ROLE"],
];

/** More work of the same skill: first what is there and not in the dataset yet, else another run over other draws. */
function afterNoLift(
  verdict: string,
  { dataset, base, trainRuns }: { dataset: Found["datasets"][number]; base: string; trainRuns: Found["runs"] },
): NextCommand {
  const [skill] = dataset.skills;
  const reason = `the newest dataset's adapter is judged ${verdict}`;
  if (trainRuns.some(({ run }) => !dataset.runs.includes(run))) {
    return {
      command: `tracemill export ${exportWords(dataset, skill)}`,
      reason: `${reason}, and there are runs that it was not made of`,
    };
  }
  return {
    command: `tracemill run --skill ${skill} --split train --model ${base} --seed ${trainRuns.length + 1}`,
    reason: `${reason}: more verified work makes a larger dataset`,
  };
}

function exportWords({ role, tier, format }: Found["datasets"][number], skill: string | undefined): string {
  const words = role === BOTH_ROLES ? [] : [`--role ${role}`];
  words.push(`--skill ${skill}`);
  if (role === "worker") words.push("--filter eval_passed=true");
  if (format !== "jsonl") words.push(`--tier ${tier} --format ${format}`);
  return words.join(" ");
}
