/**
 * A process that appends events to a run's log as fast as it can until it is killed, and tells each on its standard
 * output once `append` has returned: `<seq> <head>`. Arguments: home folder, run, seed.
 */
import { existsSync, writeSync } from "node:fs";
import { systemClock } from "../../src/foundation/clock.ts";
import { random } from "../../src/foundation/random.ts";
import type { RunId } from "../../src/records/ids.ts";
import { homeAt } from "../../src/store/home.ts";
import { createRunLog, reopenRunLog } from "../../src/store/run-log.ts";

const [folder = "", run = "", seed = ""] = process.argv.slice(2);
const home = homeAt(folder);
const options = { run: run as RunId, clock: systemClock };
const log = existsSync(home.runLog(run)) ? reopenRunLog(home, options).log : createRunLog(home, options);
const draw = random("appending", seed);

for (;;) {
  const content = "x".repeat(draw.next() < 0.01 ? 2_000_000 : draw.integer(0, 4000));
  if (draw.next() < 0.5) log.message({ role: "user", content: `${log.events} ${content}` });
  else {
    log.append({ type: "failure", data: { boundary: "test", code: "NOTE", message: content, attempt: null } });
  }
  tell(`${log.events - 1} ${log.head}\n`);
}

function tell(text: string): void {
  for (let done = false; !done; ) {
    try {
      writeSync(1, text);
      done = true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
