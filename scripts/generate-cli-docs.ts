/**
 * Writes docs/cli.md from the commands' own tables; a test checks that it is fresh.
 */
import { join } from "node:path";
import { commandsOf, loadAll } from "../src/commands/command-line.ts";
import { cliReference } from "../src/commands/reference-page.ts";
import { writeFileAtomic } from "../src/foundation/files.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";

const commands = await loadAll(await commandsOf(join(PACKAGE_FOLDER, "src", "commands")));
await writeFileAtomic(join(PACKAGE_FOLDER, "docs", "cli.md"), cliReference(commands));
