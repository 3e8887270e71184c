/**
 * How many cores are idle. llama.cpp's threads wait for each other by spinning, so one thread more than there are free
 * cores makes it many times slower, not faster.
 */
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const SAMPLE_MS = 250;

/** Returns the number of cores that were idle over a quarter of a second, at least 1. */
export async function freeCores(): Promise<number> {
  const before = times();
  await sleep(SAMPLE_MS);
  const after = times();
  const idleFraction = (after.idleMs - before.idleMs) / Math.max(1, after.allMs - before.allMs);
  return Math.max(1, Math.round(idleFraction * cpus().length));
}

function times(): { idleMs: number; allMs: number } {
  const cores = cpus().map((core) => core.times);
  const sum = (numbers: number[]) => numbers.reduce((total, n) => total + n, 0);
  return {
    idleMs: sum(cores.map(({ idle }) => idle)),
    allMs: sum(cores.map(({ idle, user, nice, sys, irq }) => idle + user + nice + sys + irq)),
  };
}
