/**
 * Garbage collected in time. V8 lets garbage grow to several times of what is alive before it looks for it, which is
 * hundreds of megabytes; long work over a log of gigabytes asks for it now and then, at a cost of milliseconds.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Returns a function to be called after each step of long work (some microseconds), which collects whenever the heap has
 * grown by `mostBytes` since it was smallest. From now on the young generation grows no more: in long work it would take a
 * hundred megabytes and keep them.
 */
export function garbageMeter(mostBytes: number): () => void {
  setFlagsFromString("--semi-space-growth-factor=1");
  let leastBytes = 0; // what work before it has left is collected after the first step
  return () => {
    const used = usedBytes();
    leastBytes = Math.min(leastBytes, used); // V8 collects by itself, too
    if (used - leastBytes < mostBytes) return;
    collect();
    leastBytes = usedBytes();
  };
}

/** With what lies outside of the heap but goes with an object in it, as the bytes of a file do. */
function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function collect(): void {
  setFlagsFromString("--expose-gc"); // the function is then there in every new context
  const gc = runInNewContext("globalThis.gc") as (() => void) | undefined;
  gc?.();
}
