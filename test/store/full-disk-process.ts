/**
 * A process that appends to a run's log until the disk is full, then prints what it met and how far it came, makes room
 * and goes on. Arguments: home folder, run. Started with a limit on the size of its files, which stands for a full disk.
 */
import { systemClock } from "../../src/foundation/clock.ts";
import { Refusal } from "../../src/foundation/errors.ts";
import type { RunId } from "../../src/records/ids.ts";
import { homeAt } from "../../src/store/home.ts";
import { createRunLog } from "../../src/store/run-log.ts";

process.on("SIGXFSZ", () => {}); // else the kernel ends the process before `write` can fail
const [folder = "", run = ""] = process.argv.slice(2);
const log = createRunLog(homeAt(folder), { run: run as RunId, clock: systemClock });
const note = (bytes: number) =>
  log.append({
    type: "failure",
    data: { boundary: "test", code: "NOTE", message: "x".repeat(bytes), attempt: null },
  });
try {
  for (;;) note(1000);
} catch (error) {
  const { code } = error as Refusal;
  const met = { code, isRefusal: error instanceof Refusal, events: log.events, head: log.head };
  note(0); // a shorter line still fits
  process.stdout.write(JSON.stringify({ ...met, eventsAfter: log.events }));
}
