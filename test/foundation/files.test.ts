import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeFileAtomic, writeFolderAtomic, writeJsonAtomic } from "../../src/foundation/files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracemill-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a file is written whole, over an older one, in a folder that need not be there", async () => {
  const path = join(folder, "new", "value.json");
  await writeFileAtomic(path, "old");
  await writeJsonAtomic(path, { a: 1 });
  expect(readFileSync(path, "utf8")).toBe('{\n  "a": 1\n}\n');
  expect(readdirSync(join(folder, "new"))).toEqual(["value.json"]);
});

test("a write that fails leaves the old file and nothing else", async () => {
  const path = join(folder, "taken");
  await writeFolderAtomic(path, async (temporary) => writeFileSync(join(temporary, "inside"), "kept"));
  await expect(writeFileAtomic(path, "new")).rejects.toThrow();
  expect(readdirSync(folder)).toEqual(["taken"]);
  expect(readFileSync(join(path, "inside"), "utf8")).toBe("kept");
});

test("a folder appears only when it is filled", async () => {
  const path = join(folder, "made");
  const filling = writeFolderAtomic(path, async (temporary) => {
    writeFileSync(join(temporary, "inside"), "x");
    expect(existsSync(path)).toBe(false);
    throw new Error("stop");
  });
  await expect(filling).rejects.toThrow("stop");
  expect(readdirSync(folder)).toEqual([]);
});

test("a folder that is there already is kept", async () => {
  const path = join(folder, "made");
  for (const content of ["first", "second"]) {
    await writeFolderAtomic(path, async (temporary) => writeFileSync(join(temporary, "inside"), content));
  }
  expect(readFileSync(join(path, "inside"), "utf8")).toBe("first");
  expect(readdirSync(folder)).toEqual(["made"]);
});

test("what a killed writer left is removed a day later, and nothing else is", async () => {
  const path = join(folder, "made");
  const [old, young, other] = [`${path}.tmp-0a`, `${path}.tmp-0b`, join(folder, "other.tmp-0c")] as const;
  for (const left of [old, young, other]) mkdirSync(left);
  const twoDaysAgo = new Date(Date.now() - 48 * 60 * 60_000);
  for (const left of [old, other]) utimesSync(left, twoDaysAgo, twoDaysAgo);
  await writeFolderAtomic(path, async () => {});
  expect(readdirSync(folder).sort()).toEqual(["made", "made.tmp-0b", "other.tmp-0c"]);
});
