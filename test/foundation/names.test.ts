import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { extensionIds, loadExtension } from "../../src/foundation/discovery.ts";
import { describeRefusal, type Refusal } from "../../src/foundation/errors.ts";
import { nearest, unknownName } from "../../src/foundation/nearest.ts";

test("the nearest names come first, far ones not at all", () => {
  expect(nearest("sqll", ["cron", "sql", "stig", "sqlx"])).toEqual(["sql", "sqlx"]);
  expect(nearest("zzzzzz", ["cron", "sql"])).toEqual([]);
});

test("an unknown name is refused with what there is and what was meant", () => {
  expect(describeRefusal(unknownName("skill", "sqll", ["cron", "sql"]))).toBe(
    `UNKNOWN_SKILL: There is no skill named "sqll".
  expected: one of: cron, sql
  got:      "sqll"
  fix:      did you mean "sql"?`,
  );
  expect(unknownName("base", "x", []).details.expected).toBe("a base (none is there yet)");
});

test("every file of a folder is an extension under its own name", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tracemill-"));
  writeFileSync(join(folder, "one.ts"), "export default 1 as number;");
  writeFileSync(join(folder, "two.js"), "export default 2;");
  writeFileSync(join(folder, "two.d.ts"), "");
  writeFileSync(join(folder, "notes.md"), "");
  expect(await extensionIds(folder)).toEqual(["one", "two"]);
  expect(await loadExtension<number>(folder, "number", "two")).toBe(2);
  await expect(loadExtension(folder, "number", "tow")).rejects.toSatisfy(
    (refusal: Refusal) => refusal.code === "UNKNOWN_NUMBER" && refusal.details.fix === 'did you mean "two"?',
  );
  rmSync(folder, { recursive: true });
});
