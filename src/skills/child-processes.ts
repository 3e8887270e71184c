/**
 * The processes that this one started, directly or not, as Linux lists them in /proc.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface ChildProcess {
  pid: number;
  /** Distinguishes it from a later process of the same number. */
  startTime: string;
  command: string;
}

/** Whether this system lists processes in a way that is understood here. */
export const CAN_LIST_PROCESSES: boolean = process.platform === "linux";

/** Returns every living descendant of this process. */
export function livingDescendants(): ChildProcess[] {
  const all = listed();
  const family = new Set([process.pid]);
  // A parent need not have the lower number, so that one pass may not find all.
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => pid !== process.pid && family.has(pid));
}

/** Returns those that still live, wherever they now belong. */
export function stillLiving(processes: readonly ChildProcess[]): ChildProcess[] {
  const living = new Set(listed().map(keyOf));
  return processes.filter((one) => living.has(keyOf(one)));
}

function keyOf({ pid, startTime }: ChildProcess): string {
  return `${pid} ${startTime}`;
}

/** All processes but those that ended and wait to be collected. */
function listed(): (ChildProcess & { parent: number })[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const stat = statOf(pid);
    const [, command = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
    const fields = rest.split(" ");
    const [state = "Z", parent = "0"] = fields;
    if (state === "Z" || state === "X") return [];
    return [{ pid: Number(pid), parent: Number(parent), startTime: fields[19] ?? "", command }];
  });
}

/** Empty where the process ended just now. */
function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}
