/**
 * Harbor's jobs: each trial is an attempt at its task. What the trial's trajectories hold comes in the order of their
 * files; token ids that only the trial's result has go to the turns where there is one of each.
 */
import { basename, dirname } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import type { Foreign, ForeignTurn, Rejected } from "../foreign.ts";
import { taskOf } from "../foreign-item.ts";
import { readDocument, rejected } from "../reading/json.ts";
import {
  countsIn,
  isObject,
  type JsonObject,
  known,
  objectIn,
  objectsIn,
  shortEntries,
  textIn,
  timeIn,
} from "../reading/shapes.ts";
import { agentName, atifMessages, atifRecords } from "./atif.ts";
import { type Documents, documentsOf, type Root } from "./harbor-files.ts";
import { resultRecords, taskDetail } from "./harbor-result.ts";
import { repositoryOf } from "./swe-bench.ts";

/** The agent's own trajectory among those of its helpers. */
const MAIN_NAME = "trajectory.json";

export interface Trial {
  file: string;
  folder: string;
  item: string;
  job: string;
  model: string | null;
  startedAt: Date | null;
  facts: Record<string, Json>;
  /** Its trajectories, each with those that it refers to. */
  roots: Root[];
}

/** Reads what must be known of a trial before its job is told. */
export function trialOf(file: string): Trial | Rejected {
  const read = readDocument(file);
  if ("reason" in read || !isObject(read.value)) {
    return rejected(file, "reason" in read ? read.reason : "it is no result of a trial");
  }
  const { task_name, trial_name, trial_uri, started_at, finished_at, config, agent_info, agent_result } = read.value;
  const { trials_dir, agent } = objectIn(config);
  const { n_input_tokens, n_output_tokens, cost_usd } = objectIn(agent_result);
  const folder = dirname(file);
  const { name, model_info } = objectIn(agent_info);
  return {
    ...{ file, folder, item: textIn(task_name) || basename(folder), roots: [] },
    job: basename(textIn(trials_dir) ?? "") || basename(dirname(folder)),
    model: textIn(objectIn(agent).model_name) ?? textIn(objectIn(model_info).name),
    startedAt: timeIn(started_at),
    facts: shortEntries({
      ...known({ trial_name, trial_uri, agent: name, started_at, finished_at }),
      ...known({ n_input_tokens, n_output_tokens, cost_usd }),
    }),
  };
}

/** Returns a function that finds the trial in whose folder, or below it, a file lies. */
export function trialFinder(trials: readonly Trial[]): (file: string) => Trial | undefined {
  const folders = new Map(trials.map((trial) => [trial.folder, trial]));
  return (file) => {
    for (let folder = dirname(file); ; folder = dirname(folder)) {
      const trial = folders.get(folder);
      if (trial !== undefined || folder === dirname(folder)) return trial;
    }
  };
}

/** The trials of each job, in the order in which they began. */
export function jobsOf(trials: readonly Trial[]): Trial[][] {
  const jobs = new Map<string, Trial[]>();
  for (const trial of trials) jobs.set(dirname(trial.folder), [...(jobs.get(dirname(trial.folder)) ?? []), trial]);
  return [...jobs.values()].map((job) => job.sort((x, y) => Number(x.startedAt) - Number(y.startedAt)));
}

/** Yields one job as a run. Shapes: `trials` are those of the job, at least one, in their order. */
export function* jobRecords(trials: readonly Trial[], documents: Documents): Generator<Foreign> {
  const counts = new Map<string, number>();
  const numbered = trials.map((trial) => {
    const attempt = (counts.get(trial.item) ?? 0) + 1;
    counts.set(trial.item, attempt);
    return { trial, attempt };
  });
  const models = new Set(trials.map(({ model }) => model));
  yield {
    ...{ kind: "run", nativeId: (trials[0] as Trial).job, skill: "coding" },
    files: trials.flatMap(({ file, roots }) => [file, ...roots.flatMap(({ files }) => files)]),
    startedAt: trials.find(({ startedAt }) => startedAt !== null)?.startedAt ?? null,
    model: models.size === 1 ? ([...models][0] as string | null) : null,
    facts: { trials: numbered.map(({ trial: { item, facts }, attempt }) => ({ item, attempt, ...facts })) },
  };
  for (const { trial, attempt } of numbered) yield* trialRecords(trial, attempt, documents);
}

function* trialRecords(trial: Trial, attempt: number, documents: Documents): Generator<Foreign> {
  const { file, item } = trial;
  const read = documents.input.document(file);
  const result = objectIn("value" in read ? read.value : null);
  const { temperature, top_p } = objectIn(objectIn(objectIn(result.config).agent).kwargs);
  const tokens = rolloutTokens(result);
  const isMain = ({ file }: Root) => basename(file) === MAIN_NAME;
  const hasMain = trial.roots.some(isMain);
  let task: string | null = null;
  const scanned = (): Foreign => ({
    ...{ kind: "item", item, family: repositoryOf(item), task: task ?? item, detail: taskDetail(result) },
  });
  const kept: Foreign[] = [];
  for (const root of trial.roots) {
    for (const told of documentsOf(root, documents)) {
      if ("kind" in told) {
        yield told;
        continue;
      }
      const { document, where, isSubagent } = told;
      if (task === null) {
        task = taskOf(atifMessages(document));
        yield scanned();
      }
      const role = isSubagent || (hasMain && !isMain(root)) ? agentName(document) : "worker";
      const records = atifRecords(document, { item, attempt, where, role, sampling: known({ temperature, top_p }) });
      if (tokens === null) yield* records;
      else kept.push(...records);
    }
  }
  if (task === null) yield scanned();
  yield* withTokens(kept, tokens ?? []);
  yield* resultRecords(result, { item, attempt, at: timeIn(result.finished_at), where: file });
}

type TokenIds = NonNullable<ForeignTurn["tokenIds"]>;

/** The tokens of the main agent's calls, as some agents collect them for the trial; null where this one did not. */
function rolloutTokens({ agent_result }: JsonObject): TokenIds[] | null {
  const [main] = objectsIn(objectIn(agent_result).rollout_details);
  const prompts = Array.isArray(main?.prompt_token_ids) ? main.prompt_token_ids : [];
  const completions = Array.isArray(main?.completion_token_ids) ? main.completion_token_ids : [];
  if (completions.length === 0) return null;
  return completions.map((ids, i) => ({ prompt: countsIn(prompts[i]), completion: countsIn(ids) }));
}

function* withTokens(records: readonly Foreign[], tokens: readonly TokenIds[]): Generator<Foreign> {
  const isMain = (record: Foreign): record is ForeignTurn => record.kind === "turn" && record.role === "worker";
  const isEach = records.filter(isMain).length === tokens.length;
  let next = 0;
  for (const record of records) {
    const tokenIds = isMain(record) ? tokens[next++] : undefined;
    const isNew = isEach && tokenIds !== undefined && isMain(record) && record.tokenIds === undefined;
    yield isNew ? { ...record, tokenIds } : record;
  }
}
