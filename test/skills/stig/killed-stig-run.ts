/**
 * A process of its own that runs the harness over rules of stig in one lasting root, for tests that kill it.
 * Arguments: home folder, endpoint URL, and the run to resume where there is one. Prints the result as JSON.
 */

import skill from "../../../skills/stig/skill.ts";
import { SCRIPTS } from "../../../skills/stig/starters.ts";
import { hashText } from "../../../src/foundation/hashing.ts";
import { runHarness } from "../../../src/harness/index.ts";
import type { RunId } from "../../../src/records/ids.ts";
import type { Item } from "../../../src/records/item.ts";
import { homeAt } from "../../../src/store/home.ts";
import { runOptions } from "../../harness/setting.ts";
import { RULE } from "./set-up.ts";

const [folder = "", url = "", resume] = process.argv.slice(2);
const rules = Object.keys(SCRIPTS).slice(0, 4);
const items = (await skill.items({ seed: 1 }))
  .filter(({ item }) => rules.includes(item.slice(`stig:${RULE}`.length)))
  .map((draft): Item => ({ ...draft, split: "train" }));
const options = await runOptions(
  { home: homeAt(folder), url },
  {
    ...{ skill, skillHash: hashText("stig"), items, mode: "progress", concurrency: 1, attempts: 3, enough: 1 },
    ...{ memory: "grow", showsAttempts: true },
  },
);
const result = await runHarness({ ...options, ...(resume !== undefined && { resume: resume as RunId }) });
process.stdout.write(JSON.stringify(result));
