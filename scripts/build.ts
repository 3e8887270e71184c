/**
 * Emits plain JavaScript and types to `dist/`: a published package may not hold TypeScript that Node would strip.
 * Files that are no TypeScript (prompt templates, a skill's data) are copied beside it. The worked examples, which
 * `skill new` writes from, become texts: `.txt` stands behind each name.
 */
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { execa } from "execa";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";

const dist = join(PACKAGE_FOLDER, "dist");
await rm(dist, { recursive: true, force: true });
await execa(process.execPath, ["node_modules/.bin/tsc", "-p", "tsconfig.build.json"], {
  cwd: PACKAGE_FOLDER,
  stdio: "inherit",
});
for (const folder of ["skills", "src/harness/prompts", "src/validate"]) {
  await cp(join(PACKAGE_FOLDER, folder), join(dist, folder), {
    recursive: true,
    filter: (path) => !path.endsWith(".ts"),
  });
}

const examples = join(PACKAGE_FOLDER, "examples", "skills");
for (const entry of await readdir(examples, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || path.includes("__pycache__")) continue;
  const target = join(dist, "scaffolds", `${relative(examples, path)}.txt`);
  await mkdir(dirname(target), { recursive: true });
  await cp(path, target);
}
