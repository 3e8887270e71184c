/**
 * A process of its own that runs the harness against an endpoint, for tests that kill it.
 * Arguments: home folder, endpoint URL, and the run to resume where there is one. Prints the result as JSON.
 */
import { runHarness } from "../../src/harness/index.ts";
import type { RunId } from "../../src/records/ids.ts";
import { homeAt } from "../../src/store/home.ts";
import { itemsOf, runOptions } from "./setting.ts";

const [folder = "", url = "", resume] = process.argv.slice(2);
const items = await itemsOf("train", 12);
const options = await runOptions({ home: homeAt(folder), url }, { items, attempts: 3, concurrency: 3, memory: "grow" });
const result = await runHarness({ ...options, ...(resume !== undefined && { resume: resume as RunId }) });
process.stdout.write(JSON.stringify(result));
