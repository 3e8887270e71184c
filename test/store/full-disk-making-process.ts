/**
 * A process that makes a home's lake, a dataset of it, or a token table in it, under a limit on the size of its files,
 * and prints the code of the refusal that it ends with. Arguments: what (`lake`, `export` or `tokens`), home folder.
 */
import { join } from "node:path";
import { exportDataset } from "../../src/commands/export.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { Refusal } from "../../src/foundation/errors.ts";
import { random } from "../../src/foundation/random.ts";
import { systemRefusal } from "../../src/foundation/system-refusal.ts";
import { homeAt } from "../../src/store/home.ts";
import { buildLake } from "../../src/store/lake.ts";
import { createTokenTable } from "../../src/store/token-table.ts";

process.on("SIGXFSZ", () => {}); // else the kernel ends the process before `write` can fail
const [what, folder = ""] = process.argv.slice(2);
const home = homeAt(folder);

/** Ids that hardly compress, in rows whose pieces stay below the limit while the table does not. */
async function fillTokenTable(): Promise<void> {
  const { integer } = random(1);
  const table = createTokenTable(join(folder, "train.parquet"));
  for (let row = 0; row < 1000; row++) {
    const ids = Array.from({ length: 1000 }, () => integer(0, 49_151));
    await table.add(String(row), [{ ids, mask: ids.map(() => 1) }]);
  }
  await table.finish();
}

try {
  if (what === "lake") await buildLake(home);
  else if (what === "export") await exportDataset({ skills: ["sql"] }, { home, clock: systemClock });
  else await fillTokenTable();
} catch (error) {
  const refusal = error instanceof Refusal ? error : systemRefusal(error);
  process.stdout.write(refusal?.code ?? String(error));
}
