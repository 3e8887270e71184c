/**
 * What Harbor's files are, by how they begin, and which of them belong together: the trajectories below a trial's folder,
 * and those that a trajectory refers to, as what it goes on in or as what another agent did for it.
 */
import { basename, dirname, join } from "node:path";
import { garbageMeter } from "../../foundation/garbage.ts";
import type { Rejected } from "../foreign.ts";
import type { ImportInput } from "../importer.ts";
import { MOST_GARBAGE_BYTES, readDocument, rejected } from "../reading/json.ts";
import { isObject, type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";
import { isAtif, type SubagentRef, subagentRefs } from "./atif.ts";

export type HarborFile = "trajectory" | "trial" | "rows";

/** What a file is; null where it is not Harbor's. */
export function harborFileOf(name: string, head: Buffer): HarborFile | null {
  const text = head.toString("latin1");
  if (!/^\s*\{/.test(text)) return null;
  if (name.endsWith(".jsonl")) return /"responses_create_params"\s*:/.test(text) ? "rows" : null;
  if (/"schema_version"\s*:\s*"ATIF-v\d/.test(text)) return "trajectory";
  const isTrial = basename(name) === "result.json" && /"trial_name"\s*:/.test(text) && /"task_name"\s*:/.test(text);
  return isTrial ? "trial" : null;
}

/** A trajectory's file that another one refers to. */
export interface LinkedFile {
  file: string;
  isSubagent: boolean;
}

/** A file that is told by itself, and all that are told with it. */
export interface Root {
  file: string;
  files: string[];
}

export interface Links {
  roots: Root[];
  /** The files that a document in a file refers to, and where in it are references to what is not here. */
  of(file: string, document: JsonObject): { linked: LinkedFile[]; broken: string[] };
}

/** Finds how trajectories refer to each other. */
export function linksAmong(files: readonly string[]): Links {
  const here = new Set(files);

  function of(file: string, document: JsonObject): { linked: LinkedFile[]; broken: string[] } {
    const embedded = new Set(objectsIn(document.subagent_trajectories).map(({ trajectory_id }) => trajectory_id));
    const linked: LinkedFile[] = [];
    const broken: string[] = [];
    const resolve = (ref: string) =>
      [join(dirname(file), ref), join(dirname(file), basename(ref))].find((path) => here.has(path));
    const isEmbedded = ({ id }: SubagentRef) => id !== null && embedded.has(id);
    for (const ref of subagentRefs(document).filter((ref) => !isEmbedded(ref))) {
      const path = ref.path === null ? undefined : resolve(ref.path);
      if (path === undefined) broken.push("subagent_trajectory_ref");
      else linked.push({ file: path, isSubagent: true });
    }
    const next = textIn(document.continued_trajectory_ref);
    const path = next === null ? undefined : resolve(next);
    if (path !== undefined) linked.push({ file: path, isSubagent: false });
    else if (next !== null) broken.push("continued_trajectory_ref");
    return { linked, broken };
  }

  const targets = new Map<string, string[]>();
  const noteGarbage = garbageMeter(MOST_GARBAGE_BYTES);
  for (const file of files) {
    const read = files.length > 1 ? readDocument(file) : null;
    const isRead = read !== null && "value" in read && isObject(read.value);
    targets.set(file, isRead ? of(file, read.value as JsonObject).linked.map((link) => link.file) : []);
    noteGarbage();
  }
  return { roots: rootsOf(files, targets), of };
}

/** Those that none refers to come first; files that refer to each other in a circle have the first of them as root. */
function rootsOf(files: readonly string[], targets: ReadonlyMap<string, string[]>): Root[] {
  const linked = new Set([...targets].flatMap(([from, to]) => to.filter((file) => file !== from)));
  const reached = new Set<string>();
  const roots: Root[] = [];
  for (const file of [...files.filter((file) => !linked.has(file)), ...files]) {
    if (reached.has(file)) continue;
    const told = [file];
    reached.add(file);
    for (const one of told) {
      for (const target of targets.get(one) ?? []) {
        if (reached.has(target)) continue;
        reached.add(target);
        told.push(target);
      }
    }
    roots.push({ file, files: told });
  }
  return roots;
}

export interface Documents {
  links: Links;
  input: ImportInput;
}

export interface ToldDocument {
  document: JsonObject;
  where: string;
  isSubagent: boolean;
}

/** Reads a trajectory and all that is told with it, one after the other: subagents first, then what it goes on in. */
export function* documentsOf(root: Root, { links, input }: Documents): Generator<ToldDocument | Rejected> {
  const waiting: LinkedFile[] = [{ file: root.file, isSubagent: false }];
  const own = new Set(root.files);
  const told = new Set<string>();
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (told.has(next.file) || !own.has(next.file)) continue;
    told.add(next.file);
    const { file: where, isSubagent } = next;
    const read = input.document(where);
    if ("reason" in read || !isObject(read.value) || !isAtif(read.value)) {
      yield rejected(where, "reason" in read ? read.reason : "it is no ATIF document with `steps`");
      continue;
    }
    const { linked, broken } = links.of(where, read.value);
    for (const key of broken) yield rejected(`${where}#${key}`, "the trajectory that it refers to is not here");
    waiting.unshift(...linked.map((link) => ({ ...link, isSubagent: isSubagent || link.isSubagent })));
    yield { document: read.value, where, isSubagent };
  }
}
