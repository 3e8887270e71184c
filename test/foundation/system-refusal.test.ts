import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Refusal } from "../../src/foundation/errors.ts";
import { systemRefusal } from "../../src/foundation/system-refusal.ts";

/** What Node throws for a system call that fails, made by hand: a test cannot fill a disk. */
const failed = (code: string, syscall: string) =>
  Object.assign(new Error(`${code}: ${syscall} failed`), { code, syscall, path: "/home/lake" });

test.each([
  ["DISK_FULL", "ENOSPC", "write"],
  ["NO_ACCESS", "EROFS", "open"],
  ["NO_ACCESS", "ENOENT", "mkdir"],
  ["NOT_A_FOLDER", "ENOTDIR", "open"],
])("%s is what %s from %s amounts to", (refused, code, syscall) => {
  expect(systemRefusal(failed(code, syscall))?.details).toMatchObject({
    code: refused,
    got: `${code}: ${syscall} failed`,
    where: "/home/lake",
    fix: expect.stringMatching(/./),
  });
});

test("a folder read as a file is refused with what the system says", () => {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-"));
  const file = join(folder, "file");
  writeFileSync(file, "text");
  try {
    expect(() => readFileSync(join(file, "inside"))).toThrow(
      expect.toSatisfy((error: unknown) => systemRefusal(error)?.code === "NOT_A_FOLDER"),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a full disk is known by what DuckDB says of it, which gives no code", () => {
  const said = 'IO Error: Could not write file "/home/rows.parquet": No space left on device';
  expect(systemRefusal(new Error(said))?.details).toMatchObject({ code: "DISK_FULL", got: said });
});

test("a bug stays a bug", () => {
  expect(systemRefusal(new TypeError("x is not a function"))).toBeNull();
  expect(systemRefusal(failed("ENOENT", "open"))).toBeNull();
  expect(systemRefusal(new Refusal({ code: "OTHER", message: "No space left." }))).toBeNull();
  expect(systemRefusal(Object.assign(new Error("not of the system"), { code: "ENOSPC" }))).toBeNull();
});
