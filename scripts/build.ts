/**
 * Emits plain JavaScript and types to `dist/`: a published package may not hold TypeScript that Node would strip.
 * Files that are no TypeScript (prompt templates, a skill's data) are copied beside it.
 */
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";

const dist = join(PACKAGE_FOLDER, "dist");
await rm(dist, { recursive: true, force: true });
await execa(process.execPath, ["node_modules/.bin/tsc", "-p", "tsconfig.build.json"], {
  cwd: PACKAGE_FOLDER,
  stdio: "inherit",
});
for (const folder of ["skills", "src/harness/prompts"]) {
  await cp(join(PACKAGE_FOLDER, folder), join(dist, folder), {
    recursive: true,
    filter: (path) => !path.endsWith(".ts"),
  });
}
