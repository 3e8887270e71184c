/**
 * A process of its own in which four roles work in one lasting workspace, for tests that kill it.
 * Arguments: home folder, endpoint URL, and the run to resume where there is one. Prints the result as JSON.
 */
import { runHarness } from "../../src/harness/index.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Item } from "../../src/records/item.ts";
import { homeAt } from "../../src/store/home.ts";
import { house } from "./house-skill.ts";
import { runOptions } from "./setting.ts";

const [folder = "", url = "", resume] = process.argv.slice(2);
const { skill } = house({ rooms: Array.from({ length: 12 }, (_, i) => `room-${i}`), slowRooms: ["room-3", "room-7"] });
const items = (await skill.items({ seed: 1 })).map((draft): Item => ({ ...draft, split: "train" }));
const player = { url, model: "scripted", name: "scripted", baseHash: null, adapterHash: null };
const options = await runOptions(
  { home: homeAt(folder), url },
  {
    ...{ skill, items, mode: "progress", concurrency: 1, attempts: 4, enough: 1, memory: "grow" },
    ...{ showsAttempts: true, replanAfter: 2, tipDropout: 0.3 },
    roles: { worker: player, architect: player, auditor: player, reflector: player },
  },
);
const result = await runHarness({ ...options, ...(resume !== undefined && { resume: resume as RunId }) });
process.stdout.write(JSON.stringify(result));
