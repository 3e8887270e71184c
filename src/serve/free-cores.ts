/**
 * How many cores are left for this process. llama.cpp's threads wait for each other by spinning, so one thread more
 * than there are free cores makes it many times slower, not faster; and what is free changes while it serves.
 */
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { sumOf } from "../foundation/sums.ts";

const SAMPLE_MS = 250;
const FOLLOW_MS = 1000;
/** A core counts as free from this much less than the whole of it: the system itself always takes a little. */
const ALLOWANCE_CORES = 0.25;

/** Time since the machine and this process began. */
export interface CpuTimes {
  /** Wall time times cores. */
  allMs: number;
  /** Time in which no core worked, or only for processes that step back for others (nice). */
  spareMs: number;
  /** CPU time of this process, all threads. */
  ownMs: number;
}

/** Returns the whole cores that other processes left free between two readings, at least 1. */
export function freeBetween(before: CpuTimes, after: CpuTimes, cores: number): number {
  const allMs = Math.max(1, after.allMs - before.allMs);
  const usableMs = after.spareMs - before.spareMs + (after.ownMs - before.ownMs);
  const free = (usableMs / allMs) * cores;
  return Math.min(cores, Math.max(1, Math.floor(free + ALLOWANCE_CORES)));
}

/** Returns the number of free cores over a quarter of a second, at least 1. */
export async function freeCores(): Promise<number> {
  const before = cpuTimes();
  await sleep(SAMPLE_MS);
  return freeBetween(before, cpuTimes(), cpus().length);
}

/** Tells the number of free cores every second, until it is stopped. Contract: `onCount` must not throw. */
export function followFreeCores(onCount: (cores: number) => void): { stop(): void } {
  let before = cpuTimes();
  const timer = setInterval(() => {
    const after = cpuTimes();
    onCount(freeBetween(before, after, cpus().length));
    before = after;
  }, FOLLOW_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function cpuTimes(): CpuTimes {
  const cores = cpus().map((core) => core.times);
  const { user, system } = process.cpuUsage();
  return {
    allMs: sumOf(cores, (times) => sumOf(Object.values(times))),
    spareMs: sumOf(cores, ({ idle, nice }) => idle + nice),
    ownMs: (user + system) / 1000,
  };
}
