/**
 * A control group that bounds the processes (and, where the kernel offers it, the memory) of one sandbox. Root is
 * exempt from the limit on processes that `ulimit` sets, so that nothing else stops a fork bomb. Knows both layouts:
 * one tree for all controllers (v2), or one tree for each (v1).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Refusal } from "../../src/foundation/errors.ts";
import { isAlive } from "../../src/foundation/lock-file.ts";

const PREFIX = "tracemill-stig-";
const PID_LIMIT = 128;
const MEMORY_LIMIT_BYTES = 1 << 30;

/** One limit of a control group: the group's folder, the file of the limit, and its value. */
export interface GroupLimit {
  folder: string;
  file: string;
  value: number;
}

let count = 0;
let isSwept = false;

/**
 * Names a new control group and its limits; the process that will remove it makes it, so that it never stays behind.
 * Throws: `NO_PID_LIMIT` where there is no controller that counts processes.
 */
export function planControlGroup(): GroupLimit[] {
  const parents = controllerFolders();
  if (!isSwept) for (const { folder } of parents) sweep(folder);
  isSwept = true;
  const name = `${PREFIX}${process.pid}-${count++}`;
  return parents.flatMap(({ folder, limits }) =>
    limits.map(([file, value]) => ({ folder: join(folder, name), file, value })),
  );
}

/** Makes a control group, removes it again and returns where it was. Throws: `NO_PID_LIMIT`. */
export function tryControlGroup(): string[] {
  const plan = planControlGroup();
  const folders = [...new Set(plan.map(({ folder }) => folder))];
  try {
    for (const folder of folders) mkdirSync(folder);
    for (const { folder, file, value } of plan) writeFileSync(join(folder, file), String(value));
  } catch (cause) {
    throw noPidLimit(folders.join(", "), cause);
  } finally {
    for (const folder of folders.filter((folder) => existsSync(folder))) rmdirSync(folder);
  }
  return folders.map((folder) => dirname(folder));
}

/** Where groups are made, and the limits that are written there. Throws: `NO_PID_LIMIT`. */
function controllerFolders(): { folder: string; limits: [string, number][] }[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .map(([, folder = "", type = "", options = ""]) => ({ folder, type, options: options.split(",") }));
  const v1 = (controller: string) =>
    mounts.find(({ type, options }) => type === "cgroup" && options.includes(controller))?.folder;
  const pids = v1("pids");
  if (pids !== undefined) {
    const memory = v1("memory");
    return [
      { folder: pids, limits: [["pids.max", PID_LIMIT]] },
      ...(memory === undefined
        ? []
        : [{ folder: memory, limits: [["memory.limit_in_bytes", MEMORY_LIMIT_BYTES] satisfies [string, number]] }]),
    ];
  }
  const folder = mounts.find(({ type }) => type === "cgroup2")?.folder;
  if (folder === undefined) throw noPidLimit("/sys/fs/cgroup", "no control groups are mounted");
  return [{ folder, limits: limitsOfV2(folder) }];
}

function limitsOfV2(folder: string): [string, number][] {
  const enabled = () => readFileSync(join(folder, "cgroup.subtree_control"), "utf8").trim().split(" ");
  for (const controller of ["pids", "memory"]) {
    if (enabled().includes(controller)) continue;
    try {
      writeFileSync(join(folder, "cgroup.subtree_control"), `+${controller}`);
    } catch (cause) {
      if (controller === "pids") throw noPidLimit(folder, cause);
    }
  }
  const memory: [string, number][] = enabled().includes("memory") ? [["memory.max", MEMORY_LIMIT_BYTES]] : [];
  return [["pids.max", PID_LIMIT], ...memory];
}

/** Removes the groups of tracemills that are gone; one whose last process is still ending is left for the next time. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder).filter((name) => name.startsWith(PREFIX))) {
    const owner = Number.parseInt(name.slice(PREFIX.length), 10);
    if (isAlive(owner) || !existsSync(join(folder, name))) continue;
    try {
      rmdirSync(join(folder, name));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EBUSY" && code !== "ENOENT") throw error; // still ending, or swept by another tracemill just now
    }
  }
}

function noPidLimit(where: string, cause: unknown): Refusal {
  return new Refusal({
    code: "NO_PID_LIMIT",
    message: "The sandbox cannot bound the number of a script's processes here.",
    expected: "a control group with the pids controller that root may write",
    got: cause instanceof Error ? cause.message : String(cause),
    where,
    fix: "run on the host itself, in a virtual machine, or in a container whose /sys/fs/cgroup is writable",
    cause,
  });
}
