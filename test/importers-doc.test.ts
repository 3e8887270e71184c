/** docs/importers.md has a section for every importer, with a table of its fields and what is lost. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadImporters } from "../src/capture/source-files.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";

const page = readFileSync(join(PACKAGE_FOLDER, "docs", "importers.md"), "utf8");
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.split("\n", 1)[0] as string, section.split(/^## /m, 1)[0] as string]),
);

it("every importer has a section, and every section an importer", async () => {
  expect([...sections.keys()].sort()).toEqual([...(await loadImporters()).keys()].sort());
});

it.each([...sections.keys()])("the section of %s tells where fields go and what is lost", (format) => {
  const section = sections.get(format) ?? "";
  expect(section.match(/^\| .* \| .* \|$/gm)?.length).toBeGreaterThan(5);
  expect(section).toMatch(/lost|not there/i);
});
