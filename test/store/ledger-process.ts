/** A process that appends so many entries to a ledger. Arguments: home folder, name, how many. */
import { systemClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { homeAt } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";

const [folder = "", name = "", count = "0"] = process.argv.slice(2);
for (let i = 0; i < Number(count); i++) {
  const data = { name: `${name}-${i}`, baseHash: hashText(`${name}-${i}`) };
  appendLedger(homeAt(folder), { type: "base_registered", data }, systemClock);
}
