/** A process that adds one to a number in a file so many times, each time under a lock. Arguments: lock, file, times. */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { acquireLock } from "../../src/foundation/lock-file.ts";

const [lock = "", counter = "", times = "0"] = process.argv.slice(2);
for (let done = 0; done < Number(times); ) {
  try {
    const release = acquireLock(lock, "The number");
    writeFileSync(counter, String(Number(readFileSync(counter, "utf8")) + 1));
    release();
    done += 1;
  } catch (error) {
    if ((error as { code?: string }).code !== "LOCKED") throw error;
    await setTimeout(1);
  }
}
