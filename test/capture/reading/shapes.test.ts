/** Times as other programs write them. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PACKAGE_FOLDER } from "../../../src/foundation/package-folder.ts";

const SHAPES = join(PACKAGE_FOLDER, "src/capture/reading/shapes.ts");

/** What a process in that zone reads. */
function readIn(zone: string, values: unknown[]): unknown {
  const said = `console.log(JSON.stringify(${JSON.stringify(values)}.map(timeIn)))`;
  const code = `import { timeIn } from ${JSON.stringify(SHAPES)}; ${said}`;
  const words = ["--input-type=module", "-e", code];
  return JSON.parse(execFileSync(process.execPath, words, { env: { ...process.env, TZ: zone }, encoding: "utf8" }));
}

it.each(["UTC", "America/New_York", "Asia/Kolkata"])("a time is the same for a machine in %s", (zone) => {
  const without = [
    "2026-05-01T10:00:00",
    "2026-05-01 10:00",
    "2026-05-01 10:00:00.123456789",
    "2026-05-01 10:00:00,123",
  ];
  const others = ["2026-05-01", "2026-05-01T10:00:00+02:00", "2026-05-01 10:00:00.5+00", 1777629600, "1777629600000"];
  expect(readIn(zone, [...without, ...others, "soon", null])).toEqual([
    ...["2026-05-01T10:00:00.000Z", "2026-05-01T10:00:00.000Z", "2026-05-01T10:00:00.123Z", "2026-05-01T10:00:00.123Z"],
    ...["2026-05-01T00:00:00.000Z", "2026-05-01T08:00:00.000Z", "2026-05-01T10:00:00.500Z"],
    ...["2026-05-01T10:00:00.000Z", "2026-05-01T10:00:00.000Z", null, null],
  ]);
});
