/**
 * A process that verifies a home or makes its lake, then prints the most memory it had, in MB.
 * Arguments: what (`verify` or `lake`), home folder.
 */
import { homeAt } from "../../src/store/home.ts";
import { buildLake } from "../../src/store/lake.ts";
import { verifyHome } from "../../src/store/verify.ts";

const [what, folder = ""] = process.argv.slice(2);
if (what === "verify") await verifyHome(homeAt(folder));
else await buildLake(homeAt(folder));
process.stdout.write(String(process.resourceUsage().maxRSS / 1000));
