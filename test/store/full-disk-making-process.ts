/** A process that makes a home's lake under a limit on the size of its files, and prints what it met. Argument: home folder. */
import type { Refusal } from "../../src/foundation/errors.ts";
import { homeAt } from "../../src/store/home.ts";
import { buildLake } from "../../src/store/lake.ts";

process.on("SIGXFSZ", () => {}); // else the kernel ends the process before `write` can fail
await buildLake(homeAt(process.argv[2] ?? "")).catch((error: Refusal) => process.stdout.write(error.code));
