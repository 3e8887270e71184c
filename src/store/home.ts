/**
 * Where everything lies: the folders and files under `TRACEMILL_HOME`.
 */
import { join, resolve } from "node:path";

export interface Home {
  path: string;
  ledger: string;
  lake: string;
  checkedLogs: string;
  /** One file for each server of this home that runs. */
  servers: string;
  runFolder(run: string): string;
  runLog(run: string): string;
  /** What the workspaces of a run keep while it is not finished: checkpoints. */
  workspaceFolder(run: string): string;
  baseFolder(name: string): string;
  /** Held while a model comes to have a name, so that a base or an adapter has it for good. */
  nameLock(name: string): string;
  datasetFolder(datasetHash: string): string;
  adapterFolder(adapterHash: string): string;
  comparisonFolder(comparisonHash: string): string;
}

/** Names the places under `path`; nothing is created. */
export function homeAt(path: string): Home {
  const root = resolve(path);
  return {
    path: root,
    ledger: join(root, "ledger.jsonl"),
    lake: join(root, "lake"),
    checkedLogs: join(root, "checked-logs.json"),
    servers: join(root, "servers"),
    runFolder: (run) => join(root, "runs", run),
    runLog: (run) => join(root, "runs", run, "events.jsonl"),
    workspaceFolder: (run) => join(root, "workspaces", run),
    baseFolder: (name) => join(root, "bases", name),
    nameLock: (name) => join(root, "bases", `${name}.lock`),
    datasetFolder: (datasetHash) => join(root, "datasets", datasetHash),
    adapterFolder: (adapterHash) => join(root, "adapters", adapterHash),
    comparisonFolder: (comparisonHash) => join(root, "comparisons", comparisonHash),
  };
}
