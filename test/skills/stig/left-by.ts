/** What a process that used workspaces of stig and was killed left on the machine. */
import { readdirSync, readFileSync } from "node:fs";

const CONTROL_GROUPS = ["/sys/fs/cgroup", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/memory"];

/**
 * Lists processes with the mark or named for that process, its mounts in whatever namespace a process holds, and its
 * control groups.
 */
export function leftBy(pid: number, { mark }: { mark?: string } = {}): string[] {
  const name = `tracemill-stig-${pid}-`;
  const processes = readdirSync("/proc").filter((id) => /^\d+$/.test(id));
  const marked = processes.filter((id) => {
    const command = textOf(`/proc/${id}/cmdline`);
    return command.includes(name) || (mark !== undefined && command.includes(mark));
  });
  const holders = processes.filter((id) => textOf(`/proc/${id}/mounts`).includes(name));
  const groups = CONTROL_GROUPS.flatMap((at) => entriesOf(at).filter((group) => group.startsWith(name)));
  return [...marked.map((id) => `process ${id}`), ...holders.map((id) => `mount in ${id}`), ...groups];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // it ended meanwhile
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // there is no such controller here
  }
}
