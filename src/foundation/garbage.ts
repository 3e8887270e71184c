/**
 * Garbage collected in time. V8 lets garbage grow to several times of what is alive before it looks for it, which is
 * hundreds of megabytes; long work over a log of gigabytes asks for it now and then, at a cost of milliseconds.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Returns a function that is told how much was dropped, and collects it whenever that is `everyBytes` in sum. From now
 * on the young generation grows no more: in long work it would take a hundred megabytes and keep them.
 * Units: estimates will do.
 */
export function garbageMeter(everyBytes: number): (droppedBytes: number) => void {
  setFlagsFromString("--semi-space-growth-factor=1");
  let sumBytes = 0;
  return (droppedBytes) => {
    sumBytes += droppedBytes;
    if (sumBytes < everyBytes) return;
    sumBytes = 0;
    collect();
  };
}

function collect(): void {
  setFlagsFromString("--expose-gc"); // the function is then there in every new context
  const gc = runInNewContext("globalThis.gc") as (() => void) | undefined;
  gc?.();
}
