/**
 * Harbor's files: jobs with a folder a trial (`result.json`, and trajectories in ATIF below it), trajectories alone, and
 * the rows that NeMo Gym's Harbor agent writes. The trials of one job are one run; a trajectory alone is one with what
 * it goes on in. A trajectory that another one refers to is told with it. Passed over: a job's own `result.json` (sums
 * of its trials'), configurations and logs.
 */
import { basename } from "node:path";
import { hashText, shortHash } from "../../foundation/hashing.ts";
import type { Foreign } from "../foreign.ts";
import { taskOf } from "../foreign-item.ts";
import type { Importer } from "../importer.ts";
import { readHead } from "../reading/json.ts";
import { objectIn, objectsIn, shortEntries, textIn, timeIn } from "../reading/shapes.ts";
import { agentName, atifMessages, atifRecords } from "../trials/atif.ts";
import { gymRecords } from "../trials/gym-rows.ts";
import {
  type Documents,
  documentsOf,
  type HarborFile,
  harborFileOf,
  linksAmong,
  type Root,
} from "../trials/harbor-files.ts";
import { jobRecords, jobsOf, type Trial, trialFinder, trialOf } from "../trials/harbor-job.ts";

const HEAD_BYTES = 64 << 10;
/** Of a trajectory: what turns tell. */
const TOLD_KEYS = ["steps", "subagent_trajectories", "agent"];

const importer: Importer = {
  summary: "Harbor's jobs and trials, trajectories in ATIF (v1.0 to v1.8), and NeMo Gym's rows of Harbor trials",
  lossy: ["the system prompt, tools and sampling of most agents", "log probabilities", "costs of single turns"],
  detects: ({ name, head }) => harborFileOf(name, head) !== null,
  *read(input) {
    const trials: Trial[] = [];
    const trajectories: string[] = [];
    for (const file of input.files) {
      const kind = kindOf(file);
      if (kind === "rows") yield* gymRecords(file, input);
      else if (kind === "trajectory") trajectories.push(file);
      else {
        const trial = trialOf(file);
        if ("kind" in trial) yield trial;
        else trials.push(trial);
      }
    }
    const links = linksAmong(trajectories);
    const trialAbove = trialFinder(trials);
    for (const root of links.roots) {
      const trial = trialAbove(root.file);
      if (trial === undefined) yield* loneRecords(root, { links, input });
      else trial.roots.push(root);
    }
    for (const job of jobsOf(trials)) yield* jobRecords(job, { links, input });
  },
};

export default importer;

/** A file that was named alone is taken for a trajectory, whatever it begins with. */
function kindOf(file: string): HarborFile {
  return harborFileOf(file, readHead(file, HEAD_BYTES)) ?? (file.endsWith(".jsonl") ? "rows" : "trajectory");
}

/** A trajectory alone: its item is its first question, as the format knows no tasks. */
function* loneRecords(root: Root, documents: Documents): Generator<Foreign> {
  let item: string | null = null;
  for (const told of documentsOf(root, documents)) {
    if ("kind" in told) {
      yield told;
      continue;
    }
    const { document, where, isSubagent } = told;
    if (item === null) {
      const messages = atifMessages(document);
      const task = taskOf(messages);
      item = `question-${shortHash(hashText(task))}`;
      const { session_id, trajectory_id } = document;
      const agent = objectIn(document.agent);
      yield {
        ...{ kind: "run", files: root.files, skill: "atif", model: textIn(agent.model_name) },
        nativeId: textIn(session_id) || textIn(trajectory_id) || basename(root.file),
        startedAt:
          objectsIn(document.steps)
            .map(({ timestamp }) => timeIn(timestamp))
            .find((at) => at !== null) ?? null,
        facts: { ...shortEntries(document, TOLD_KEYS), agent: shortEntries(agent, ["tool_definitions"]) },
      };
      yield { kind: "item", item, family: null, task, detail: {} };
    }
    const role = isSubagent ? agentName(document) : "worker";
    yield* atifRecords(document, { item, attempt: 1, where, role, sampling: {} });
  }
}
