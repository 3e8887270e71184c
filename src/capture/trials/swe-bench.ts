/**
 * SWE-bench's reports, which lie beside the trajectories that they speak of: one of a single instance, one with
 * instances by their ids, or a summary with lists of ids. Whether an instance is `resolved` was found by running its
 * tests. An agent's own exit status is no outcome, and `patch_successfully_applied` is none either: some harnesses
 * write false beside tests that ran. A report is joined by the instance's id to the trajectory that lies nearest.
 */
import { basename, dirname } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import {
  type ForeignFailure,
  type ForeignPlace,
  type ForeignRun,
  type ForeignVerdict,
  foreignVerdict,
  type Rejected,
} from "../foreign.ts";
import type { FileStart, ImportInput } from "../importer.ts";
import { readDocument, readHead, rejected } from "../reading/json.ts";
import { isObject, type JsonObject, objectIn, textIn } from "../reading/shapes.ts";

/** What a report says of one instance. Of a summary `isWhole` is false: it says nothing but this. */
export interface SweBenchOutcome {
  /** The report. */
  file: string;
  where: string;
  instance: string;
  /** Null where the harness could not run it. */
  isResolved: boolean | null;
  isWhole: boolean;
  failureMode: string;
  /** The run that the report is about, where it says so. */
  model: string | null;
}

export interface JoinedReports {
  /** The files that are no reports. */
  trajectories: string[];
  /** What is said of a trajectory; null where nothing is, or nothing clear. */
  outcomeOf(trajectory: string): (SweBenchOutcome & { isContradicted: boolean }) | null;
  /** Reports that say nothing of any trajectory here, or not clearly of one. */
  rejected: Rejected[];
}

const HEAD_BYTES = 64 << 10;
const MOST_PATCH_CHARACTERS = 100_000;
const MOST_ID_CHARACTERS = 200;
const REPORT_KEY = /"(patch_is_None|patch_exists|patch_successfully_applied)"\s*:/;
const SUMMARY_KEY = /"(resolved_ids|unresolved_ids|ids_resolved|ids_unresolved|resolved_instances|no_generation)"\s*:/;
/** The lists of a summary, and what being in one means. */
const LISTS: readonly (readonly [key: string, isResolved: boolean | null, failureMode: string])[] = [
  ["resolved_ids", true, ""],
  ["ids_resolved", true, ""],
  ["resolved", true, ""],
  ["unresolved_ids", false, "unresolved"],
  ["ids_unresolved", false, "unresolved"],
  ["empty_patch_ids", false, "no-patch"],
  ["error_ids", null, "error"],
];

const UNCLEAR = "it does not say whether its instance is resolved";

/** Whether a file is such a report; those in a `verifier` folder belong to the trial whose verifier wrote them. */
export function isSweBenchReport({ name, head }: FileStart): boolean {
  if (!name.endsWith(".json") || name.endsWith(".traj.json") || /(^|\/)verifier\//.test(name)) return false;
  const text = head.toString("latin1");
  return /^\s*\{/.test(text) && (REPORT_KEY.test(text) || SUMMARY_KEY.test(text));
}

/** Reads the reports among the input's files, and finds for each the trajectory that it speaks of. */
export function joinReports(input: ImportInput, suffix: string): JoinedReports {
  const isReportFile = input.files.map((file) =>
    isSweBenchReport({ name: file, head: readHead(file, HEAD_BYTES), value: undefined }),
  );
  const trajectories = input.files.filter((_, i) => !isReportFile[i]);
  const byInstance = grouped(trajectories, (path) => basename(path, suffix));
  const byFolder = grouped(trajectories, dirname);
  const faults: Rejected[] = [];
  const said = new Map<string, SweBenchOutcome[]>();
  for (const file of input.files.filter((_, i) => isReportFile[i])) {
    const [beside, ...others] = byFolder.get(dirname(file)) ?? [];
    const name = beside === undefined || others.length > 0 ? basename(dirname(file)) : basename(beside, suffix);
    for (const outcome of outcomesIn(file, name, input)) {
      if ("kind" in outcome) {
        faults.push(outcome);
        continue;
      }
      const near = nearest(byInstance.get(outcome.instance) ?? [], outcome);
      const [path] = near;
      if (path === undefined) faults.push(rejected(outcome.where, "no trajectory of its instance is here"));
      else if (near.length > 1) faults.push(rejected(outcome.where, "it could speak of several trajectories"));
      else said.set(path, [...(said.get(path) ?? []), outcome]);
    }
  }
  const chosen = new Map<string, NonNullable<ReturnType<JoinedReports["outcomeOf"]>>>();
  for (const [path, outcomes] of said) {
    const outcome = clearOutcome(path, outcomes);
    if (outcome !== null) chosen.set(path, outcome);
    else for (const { where } of outcomes) faults.push(rejected(where, "another report says otherwise"));
  }
  return { trajectories, outcomeOf: (path) => chosen.get(path) ?? null, rejected: faults };
}

/** What a report says as a record of an attempt; its evidence is the report itself, read once more. */
export function outcomeRecord(
  outcome: SweBenchOutcome & { isContradicted: boolean },
  place: ForeignPlace,
): ForeignVerdict | ForeignFailure {
  const { isResolved, isWhole, failureMode, isContradicted, file, where, instance } = outcome;
  if (isResolved === null) {
    return { kind: "failure", boundary: "swe-bench", code: "NOT_EVALUATED", message: `according to ${where}`, place };
  }
  const read = isWhole ? readDocument(file) : { reason: "a summary tells nothing more" };
  const document: Json = "value" in read ? read.value : null;
  const own = isObject(document) && Object.hasOwn(document, instance) ? document[instance] : document;
  const verdict = foreignVerdict({
    ...{ value: Number(isResolved), verifier: { id: "swe-bench", version: "unknown" } },
    ...{ failureMode, evidence: own ?? { resolved: isResolved }, flags: isContradicted ? ["conflict"] : [] },
  });
  return { kind: "verdict", ...place, verdict };
}

/** What tells a run apart that such a report speaks of: a summary is about others, too. */
export function runSource(
  file: string,
  outcome: SweBenchOutcome | null,
): Pick<ForeignRun, "files"> & Partial<Pick<ForeignRun, "version">> {
  if (outcome === null) return { files: [file] };
  return { files: outcome.isWhole ? [file, outcome.file] : [file], version: `${outcome.isResolved}` };
}

/** The patch that was handed in, for an item's detail; of a long one its length. */
export function patchDetail(patch: unknown): Record<string, Json> {
  if (typeof patch !== "string") return {};
  return patch.length > MOST_PATCH_CHARACTERS ? { patch_characters: patch.length } : { patch };
}

/** The repository of an instance, as SWE-bench's ids and those of its kin begin with it: `owner__name-1`. */
export function repositoryOf(instance: string): string | null {
  if (instance.length > MOST_ID_CHARACTERS) return null;
  const [, owner, name] = /^([\w.-]+?)__([\w.-]+?)(?:-i?\d+|\.[0-9a-f]{8}\..*)$/.exec(instance) ?? [];
  return owner === undefined || name === undefined ? null : `${owner}/${name}`;
}

/** `name` is the instance of a report that names none itself. */
function* outcomesIn(file: string, name: string, input: ImportInput): Generator<SweBenchOutcome | Rejected> {
  const read = input.document(file);
  const document = "value" in read && isObject(read.value) ? read.value : null;
  const lists = LISTS.filter(([key]) => Array.isArray(document?.[key]));
  if (document === null) yield rejected(file, "reason" in read ? read.reason : "it is no report");
  else if (lists.length > 0) yield* listedOutcomes(file, document, lists);
  else if (isReport(document)) yield outcomeOf(file, file, [textIn(document.instance_id) ?? name, document]);
  else if (!Object.values(document).some(isObject)) yield rejected(file, UNCLEAR);
  else {
    for (const [instance, report] of Object.entries(document)) {
      const where = `${file}#${instance}`;
      const isClear = isObject(report) && isReport(report);
      yield isClear ? outcomeOf(file, where, [instance, report]) : rejected(where, UNCLEAR);
    }
  }
}

function* listedOutcomes(
  file: string,
  document: JsonObject,
  lists: typeof LISTS,
): Generator<SweBenchOutcome | Rejected> {
  for (const [key, isResolved, failureMode] of lists) {
    for (const [i, instance] of (document[key] as Json[]).entries()) {
      const where = `${file}#/${key}/${i}`;
      yield typeof instance === "string"
        ? { file, where, instance, isResolved, isWhole: false, failureMode, model: null }
        : rejected(where, "it is no instance's id");
    }
  }
}

function isReport({ resolved, tests_status, patch_exists, patch_is_None, patch_successfully_applied }: JsonObject) {
  const about = [tests_status, patch_exists, patch_is_None, patch_successfully_applied];
  return typeof resolved === "boolean" && about.some((value) => value !== undefined);
}

function outcomeOf(file: string, where: string, [instance, report]: [string, JsonObject]): SweBenchOutcome {
  const model = textIn(report.model_name_or_path);
  const failureMode = failureModeOf(report);
  return { file, where, instance, isResolved: report.resolved === true, isWhole: true, failureMode, model };
}

function failureModeOf({ patch_is_None, patch_exists, patch_successfully_applied, tests_status }: JsonObject): string {
  const failures = (kind: string) => objectIn(objectIn(tests_status)[kind]).failure;
  if (patch_is_None === true || patch_exists === false) return "no-patch";
  if (!isObject(tests_status)) return patch_successfully_applied === false ? "patch-not-applied" : "unresolved";
  const isBroken = (kind: string) => ((list) => Array.isArray(list) && list.length > 0)(failures(kind));
  return isBroken("FAIL_TO_PASS") ? "fail-to-pass" : isBroken("PASS_TO_PASS") ? "pass-to-pass" : "unresolved";
}

function grouped(paths: readonly string[], keyOf: (path: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const group = groups.get(keyOf(path));
    if (group === undefined) groups.set(keyOf(path), [path]);
    else group.push(path);
  }
  return groups;
}

/** Of several trajectories of one instance those that share the most folders with the report, or are of its run. */
function nearest(trajectories: readonly string[], { file, model }: SweBenchOutcome): string[] {
  const shared = trajectories.map((path) => sharedFolders(path, file));
  const near = trajectories.filter((_, i) => shared[i] === Math.max(...shared));
  const ofRun = near.filter((path) => model !== null && path.split("/").includes(model));
  return ofRun.length > 0 ? ofRun : near;
}

function sharedFolders(path: string, other: string): number {
  const [folders, others] = [dirname(path).split("/"), dirname(other).split("/")];
  const apart = folders.findIndex((folder, i) => folder !== others[i]);
  return apart === -1 ? folders.length : apart;
}

/** Of whole reports the nearest, else of summaries; null where these contradict each other. */
function clearOutcome(path: string, outcomes: readonly SweBenchOutcome[]) {
  const whole = outcomes.filter(({ isWhole }) => isWhole);
  const pool = whole.length > 0 ? whole : outcomes;
  const shared = pool.map(({ file }) => sharedFolders(path, file));
  const near = pool.filter((_, i) => shared[i] === Math.max(...shared));
  const [first] = near;
  if (first === undefined || near.some(({ isResolved }) => isResolved !== first.isResolved)) return null;
  return { ...first, isContradicted: outcomes.some(({ isResolved }) => isResolved !== first.isResolved) };
}
