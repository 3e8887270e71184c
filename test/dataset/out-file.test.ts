/** Where the copy of a dataset's rows may be written: never over what the home is made of, however one gets there. */
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkOut, copyTrainRows, writeDataset } from "../../src/dataset/index.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { withHome } from "../store/sample-run.ts";
import { sampleBase, sampleExample, sampleOrigin, sampleSelection } from "./sample-selection.ts";

it.each([
  ["jsonl", ["completion"]],
  ["jsonl-flat", ["response"]],
])("tells of %s in which columns dates would be read as times by a loader without the card", (format, columns) =>
  withHome(async (home) => {
    const answers = (...contents: string[]) =>
      contents.map((content, n) => sampleExample(n, { completion: [{ role: "assistant", content }] }));
    const told = async (rows: ReturnType<typeof answers>) => {
      const manifest = await writeDataset(home, {
        ...{ origin: sampleOrigin(), format, minRows: 1, reasons: new Map<string, string>() },
        ...(await sampleBase()),
        selection: sampleSelection(rows),
      });
      return copyTrainRows(home, manifest, join(home.path, "rows.jsonl"));
    };
    expect(await told(answers("2024-05-14", "2024-05-14 10:00:00", "2024-05-14T10:00Z"))).toEqual(columns);
    expect(await told(answers("2024-05-14", "14 May"))).toEqual([]);
  }),
);

/** Copies a small dataset's rows to a place, and returns them. */
async function copied(home: Home, out: string): Promise<string> {
  const manifest = await writeDataset(home, {
    ...{ origin: sampleOrigin(), format: "jsonl", minRows: 1, reasons: new Map<string, string>() },
    ...(await sampleBase()),
    selection: sampleSelection([sampleExample(1)]),
  });
  await checkOut(home, out);
  await copyTrainRows(home, manifest, out);
  return readFile(join(home.datasetFolder(manifest.datasetHash), "train.jsonl"), "utf8");
}

describe("a place of the home's own", () => {
  it("is refused where a link leads there", () =>
    withHome(async (home) => {
      await writeFile(home.ledger, "what was said\n");
      const out = join(home.path, "rows.jsonl");
      await symlink(home.ledger, out);
      await expect(copied(home, out)).rejects.toMatchObject({ details: { got: "a place of tracemill's own" } });
      expect(await readFile(home.ledger, "utf8")).toBe("what was said\n");
    }));

  it("is refused where the home was named by a link, or the way to the file has one", () =>
    withHome(async (home) => {
      await mkdir(join(home.path, "runs"), { recursive: true });
      await mkdir(join(home.path, "imports"));
      const link = join(home.path, "link");
      await symlink(home.path, link);
      for (const [named, out] of [
        [homeAt(link), join(home.path, "runs", "rows.jsonl")],
        [home, join(link, "ledger.jsonl")],
        [home, join(link, "imports", "rows.jsonl")],
      ] as const)
        await expect(checkOut(named, out)).rejects.toMatchObject({ details: { got: "a place of tracemill's own" } });
    }));
});

describe("a link", () => {
  it("stays one, and the rows are where it leads, there or not", () =>
    withHome(async (home) => {
      const [there, absent] = [join(home.path, "there.jsonl"), join(home.path, "absent.jsonl")];
      await writeFile(there, "older");
      await symlink("there.jsonl", join(home.path, "to-there"));
      await symlink("absent.jsonl", join(home.path, "to-absent"));
      const rows = await copied(home, join(home.path, "to-there"));
      await copied(home, join(home.path, "to-absent"));
      expect([await readFile(there, "utf8"), await readFile(absent, "utf8")]).toEqual([rows, rows]);
      for (const name of ["to-there", "to-absent"])
        expect((await lstat(join(home.path, name))).isSymbolicLink()).toBe(true);
    }));

  it("that leads to itself is refused", () =>
    withHome(async (home) => {
      await mkdir(home.path, { recursive: true });
      const out = join(home.path, "around");
      await symlink("around", out);
      await expect(checkOut(home, out)).rejects.toMatchObject({ code: "OUT_NOT_WRITABLE", details: { got: "ELOOP" } });
    }));
});

it.each([
  ["longer than a file's name may be", "n".repeat(300), "ENAMETOOLONG"],
  ["as long as it may be, with no room for the temporary one beside it", "n".repeat(250), "ENAMETOOLONG"],
  ["below a file", "older.jsonl/rows.jsonl", "ENOTDIR"],
])("a name is refused as it was given: %s", (_, name, got) =>
  withHome(async (home) => {
    await mkdir(home.path, { recursive: true });
    await writeFile(join(home.path, "older.jsonl"), "older");
    const out = join(home.path, name);
    await expect(checkOut(home, out)).rejects.toMatchObject({
      code: "OUT_NOT_WRITABLE",
      details: { got, where: out },
    });
    expect(await readdir(home.path)).toEqual(["older.jsonl"]);
  }),
);
