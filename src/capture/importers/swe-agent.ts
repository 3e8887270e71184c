/**
 * SWE-agent's trajectories: one `.traj` file an instance, with its `trajectory` of steps, its `history` of messages, and
 * in `replay_config` how it was run. Where the agent tried again, `attempts` holds each try and the file itself the best
 * one once more. Passed over: `edited_files30` and its like, which are views of the patch, and a step's `state`, which
 * the next prompt tells.
 */
import { basename } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import { textOf } from "../conversations.ts";
import { type Foreign, type ForeignPlace, type ForeignRun, foreignVerdict } from "../foreign.ts";
import type { Importer, ImportInput } from "../importer.ts";
import { parseJson, rejected } from "../reading/json.ts";
import { isObject, type JsonObject, known, numberIn, objectIn, objectsIn, textIn } from "../reading/shapes.ts";
import { stepRecords } from "../trials/swe-agent-steps.ts";
import {
  isSweBenchReport,
  type JoinedReports,
  joinReports,
  outcomeRecord,
  patchDetail,
  repositoryOf,
  runSource,
} from "../trials/swe-bench.ts";

const SUFFIX = ".traj";

const importer: Importer = {
  summary: "SWE-agent's `.traj` files, with SWE-bench reports below the same folder",
  lossy: ["tools", "times", "usage of single turns", "calls of an answer that was asked for again", "token ids"],
  detects(file) {
    if (!file.name.endsWith(SUFFIX)) return isSweBenchReport(file);
    const text = file.head.toString("latin1");
    return /^\s*\{/.test(text) && /"(trajectory|history|attempts|environment)"\s*:/.test(text);
  },
  *read(input) {
    const reports = joinReports(input, SUFFIX);
    yield* reports.rejected;
    for (const file of reports.trajectories) yield* readFile(file, input, reports);
  },
};

export default importer;

function* readFile(file: string, input: ImportInput, reports: JoinedReports): Generator<Foreign> {
  const read = input.document(file);
  const document = "value" in read ? objectIn(read.value) : {};
  const attempts = Array.isArray(document.attempts) && document.attempts.length > 0 ? document.attempts : null;
  const tries = attempts ?? [document];
  const isTold = tries.some((one) => isObject(one) && (Array.isArray(one.trajectory) || Array.isArray(one.history)));
  if ("reason" in read || !isTold) {
    yield rejected(file, "reason" in read ? read.reason : "it has neither a `trajectory` nor a `history`");
    return;
  }
  const outcome = reports.outcomeOf(file);
  const config = configOf(document.replay_config ?? objectIn(tries[0]).replay_config);
  const item = textIn(objectIn(config.problem_statement).id) || basename(file, SUFFIX);
  const info = objectIn(document.info);
  yield runOf(item, { file, config, info, outcome });
  const entries = objectsIn(objectIn(tries[0]).history);
  yield itemOf(item, { config, info, entries });
  for (const [i, one] of tries.entries()) {
    const where = attempts === null ? file : `${file}#/attempts/${i}`;
    if (!isObject(one)) yield rejected(where, "it is no object");
    else {
      yield* stepRecords(one, { item, attempt: i + 1, where, agent: agentOf(config, i) });
      yield* reviewVerdict(one, { item, attempt: i + 1 }, where);
      const patch = attempts === null ? null : textIn(objectIn(one.info).submission);
      const commit = textIn(objectIn(objectIn(configOf(one.replay_config).env).repo).base_commit);
      if (patch !== null) yield { kind: "patch", item, attempt: i + 1, patch, commit };
    }
  }
  const best = numberIn(info.best_attempt_idx) ?? 0;
  if (outcome !== null) yield outcomeRecord(outcome, { item, attempt: tries[best] === undefined ? 1 : best + 1 });
}

/** A text with JSON, in files of later versions. */
function configOf(value: Json | undefined): JsonObject {
  const read = typeof value === "string" ? parseJson(value) : { value };
  return objectIn("value" in read ? read.value : null);
}

/** Of an agent that tries again each attempt has a configuration, in turn. */
function agentOf(config: JsonObject, attempt: number): JsonObject | null {
  const agent = isObject(config.agent) ? config.agent : null;
  const each = objectsIn(agent?.agent_configs);
  return each[attempt % each.length] ?? agent;
}

interface Told {
  config: JsonObject;
  info: JsonObject;
}

function runOf(
  item: string,
  told: Told & { file: string; outcome: ReturnType<JoinedReports["outcomeOf"]> },
): ForeignRun {
  const { config, info, file, outcome } = told;
  const { swe_agent_version, swe_agent_hash, swe_rex_version, model_stats, rloop_model_stats } = info;
  return {
    ...{ kind: "run", nativeId: item, ...runSource(file, outcome) },
    ...{ startedAt: null, skill: "coding", model: textIn(objectIn(agentOf(config, 0)?.model).name) },
    facts: known({ swe_agent_version, swe_agent_hash, swe_rex_version, model_stats, rloop_model_stats }),
  };
}

function itemOf(item: string, { config, info, entries }: Told & { entries: JsonObject[] }): Foreign {
  const { deployment, repo } = objectIn(config.env);
  const { github_url, base_commit } = objectIn(repo);
  const [, github] = /github\.com\/([^/]+\/[^/#?]+)/.exec(textIn(github_url) ?? "") ?? [];
  const repository = github ?? repositoryOf(item);
  const { exit_status, submission } = info;
  const asked = entries.find((entry) => entry.role === "user" && entry.is_demo !== true);
  return {
    ...{ kind: "item", item, family: repository, itemKind: null },
    task: textIn(objectIn(config.problem_statement).text) ?? textOf(asked?.content),
    detail: known({
      ...{ repository, base_commit, image: objectIn(deployment).image, exit_status },
      ...patchDetail(submission),
    }),
  };
}

/** What a model that reviews attempts thought of one. Some score from 0 to 10, which no verdict could hold. */
function* reviewVerdict({ info }: JsonObject, place: ForeignPlace, where: string): Generator<Foreign> {
  const { review } = objectIn(info);
  if (review === undefined) return;
  const { accept, outputs } = objectIn(review);
  const value = typeof accept === "boolean" ? Number(accept) : numberIn(accept);
  if (value === null || value < 0 || value > 1) {
    yield rejected(`${where}#/info/review`, "its `accept` is no score from 0 to 1");
    return;
  }
  const verifier = { id: "swe-agent-review", version: "unknown" };
  const evidence = { outputs: outputs ?? null };
  yield { kind: "verdict", ...place, verdict: foreignVerdict({ value, verifier, evidence, isJudgment: true }) };
}
