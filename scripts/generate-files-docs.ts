/**
 * Writes docs/files.md from the files' own headers; a test checks that it is fresh.
 */
import { join } from "node:path";
import { writeFileAtomic } from "../src/foundation/files.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import { filesPage } from "./files-page.ts";

await writeFileAtomic(join(PACKAGE_FOLDER, "docs", "files.md"), filesPage(PACKAGE_FOLDER));
