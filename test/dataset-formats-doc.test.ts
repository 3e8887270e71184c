/** docs/datasets.md names every format with what reads it, its tiers and each reason for which it refuses rows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadFormats } from "../src/dataset/index.ts";
import { REASONS } from "../src/dataset/reasons.ts";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";

const page = readFileSync(join(PACKAGE_FOLDER, "docs", "datasets.md"), "utf8");
const section = page.slice(page.indexOf("## Formats\n")).split(/\n## (?!Formats)/, 1)[0] as string;
const rows = [...section.matchAll(/^\| `([\w-]+)` \| (.+) \| (.+) \| (.*) ?\|$/gm)].map(
  ([, id, readers, tiers, refuses]) => ({
    ...{ id, readers, tiers: quoted(tiers), refuses: quoted(refuses) },
  }),
);
const formats = await loadFormats();

it("every format has a row, in the order of their names, and every row a format", () => {
  expect(rows.map(({ id }) => id)).toEqual([...formats.keys()]);
});

describe.each(rows)("the row of $id", ({ id, readers, tiers, refuses }) => {
  const format = formats.get(id ?? "");

  it("names its tiers and what it refuses", () => {
    expect(readers?.length).toBeGreaterThan(10);
    expect(tiers).toEqual([...(format?.tiers ?? [])]);
    expect(refuses.sort()).toEqual([...(format?.reasons ?? [])].sort());
  });
});

it("every reason is on the page, but the one that the choice of a format rules out", () => {
  const missing = Object.keys(REASONS).filter((reason) => !page.includes(`\`${reason}\``));
  expect(missing).toEqual(["other-tier"]);
});

function quoted(text = ""): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
}
