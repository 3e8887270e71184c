/**
 * What Harbor says came of a trial: the rewards of the task's own verifier, and what went wrong. Its `result.json` says
 * it, and so does the `metadata` of the rows that NeMo Gym makes of trials.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { type Foreign, type ForeignPlace, foreignVerdict } from "../foreign.ts";
import { rejected } from "../reading/json.ts";
import { isObject, type JsonObject, known, numberIn, objectIn, shortEntries, textIn } from "../reading/shapes.ts";
import { repositoryOf } from "./swe-bench.ts";

export interface ResultPlace extends ForeignPlace {
  where: string;
}

/** The outcome of a trial: of several rewards the one called `reward`, else the first. */
export function* resultRecords(result: JsonObject, { where, ...place }: ResultPlace): Generator<Foreign> {
  const { exception_info, verifier_result } = result;
  if (isObject(exception_info)) {
    const { exception_type, exception_message } = exception_info;
    const code = textIn(exception_type) || "EXCEPTION";
    yield { kind: "failure", boundary: "harbor", code, message: textIn(exception_message) ?? "", place };
  }
  const reward = rewardOf(verifier_result);
  if (reward !== undefined) yield* rewardVerdict(result, { reward, evidence: verifier_result ?? null, where, place });
}

/** A reward and where it comes from as a verdict; on another scale it is none that a verdict could hold. */
export function* rewardVerdict(
  { task_name, task_checksum }: JsonObject,
  { reward, evidence, where, place }: { reward: Json; evidence: Json; where: string; place: ForeignPlace },
): Generator<Foreign> {
  const value = typeof reward === "boolean" ? Number(reward) : numberIn(reward);
  if (value === null || value < 0 || value > 1) {
    yield rejected(where, "its reward is no number from 0 to 1");
    return;
  }
  const verifier = { id: textIn(task_name) || place.item, version: textIn(task_checksum) || "unknown" };
  yield { kind: "verdict", ...place, verdict: foreignVerdict({ value, verifier, evidence }) };
}

/** What is known of a trial's task; the repository is known where the task is SWE-bench's. */
export function taskDetail(result: JsonObject): Record<string, Json> {
  const { source, task_id, task_checksum } = result;
  return known({
    repository: repositoryOf(textIn(result.task_name) ?? ""),
    source,
    task_checksum,
    ...shortId(task_id),
  });
}

function shortId(taskId: Json | undefined): Record<string, Json> {
  return isObject(taskId) ? shortEntries(taskId) : known({ task_id: textIn(taskId) });
}

function rewardOf(verifierResult: Json | undefined): Json | undefined {
  const { rewards, reward } = objectIn(verifierResult);
  const named = isObject(rewards)
    ? Object.hasOwn(rewards, "reward")
      ? rewards.reward
      : Object.values(rewards)[0]
    : rewards;
  return named ?? reward ?? undefined;
}
