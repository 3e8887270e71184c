/**
 * Which process listens at a port of this machine, as Linux tells it.
 * Source: proc(5), /proc/net/tcp and /proc/PID/fd; addresses and ports are hexadecimal, 0A is the state LISTEN.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const LISTENING = "0A";
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[?::1\]?|localhost)$/;
const DEFAULT_PORTS: Record<string, string> = { "http:": "80", "https:": "443" };

export interface PortOwner {
  /** Null where it is another user's, or lies in a container: this one may not see which. */
  pid: number | null;
  /** The command line, for people. */
  command: string;
}

/** Whether a URL leads to this machine alone. */
export function isLoopback(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname);
}

/** Whether a host's name or address is this machine's alone. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Returns who listens where a loopback URL leads; null where nobody does, or this system does not tell. */
export function portOwner(url: string): PortOwner | null {
  if (!isLoopback(url)) return null;
  const { protocol, port } = new URL(url);
  const inodes = listeningInodes(Number(port || DEFAULT_PORTS[protocol]));
  if (inodes.size === 0) return null;
  const pid = pids().find((candidate) => socketsOf(candidate).some((inode) => inodes.has(inode)));
  return pid === undefined ? { pid: null, command: "a process that is not told" } : { pid, command: commandOf(pid) };
}

function listeningInodes(port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) => textOf(path).split("\n").slice(1));
  const fields = rows.map((row) => row.trim().split(/\s+/));
  return new Set(fields.flatMap((row) => (row[1]?.endsWith(suffix) && row[3] === LISTENING && row[9] ? [row[9]] : [])));
}

function pids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => inodeOf(`/proc/${pid}/fd/${fd}`) ?? []);
  } catch {
    return []; // gone, or another user's
  }
}

function inodeOf(link: string): string | null {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1] ?? null;
  } catch {
    return null;
  }
}

function commandOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
