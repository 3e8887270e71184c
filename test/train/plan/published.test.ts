import { expect, it } from "vitest";
import { contextBytes, spread, total } from "../../../src/train/plan/placement.ts";
import { PUBLISHED, type Published } from "./published.ts";

/** What is claimed: most within this, all within that. */
const MEDIAN_FRACTION = 0.1;
const WORST_FRACTION = 0.25;

/** What is left of the plan where a measurement leaves parts out. Units: bytes. */
function planned({ shape, setting, bytes, measured, offloads = false }: Published): number {
  const [share] = spread(shape, setting, [bytes]);
  const { context, activations, ...parts } = share?.parts ?? (expect.fail("no device") as never);
  const kept = offloads
    ? setting.batch * setting.tokens * shape.hidden * setting.storageBytes * shape.blocks.length
    : 0;
  const allocated = total({ ...parts, context: 0, activations: activations - kept });
  const { cuda, gaps } = contextBytes(allocated);
  return allocated + { allocated: 0, reserved: gaps, device: gaps + cuda }[measured];
}

it("agrees with what others measured and published", () => {
  const rows = PUBLISHED.map((row) => ({ ...row, planned: planned(row), error: planned(row) / row.bytes - 1 }));
  const lines = rows.map(
    ({ name, source, planned, bytes, error }) =>
      `| ${name} | ${(planned / 1e9).toFixed(1)} | ${(bytes / 1e9).toFixed(1)} | ${(error * 100).toFixed(0)} % | ${source} |`,
  );
  process.stdout.write(
    `| setting | planned GB | published GB | error | source |\n|---|---|---|---|---|\n${lines.join("\n")}\n`,
  );
  const errors = rows.map(({ error }) => Math.abs(error)).sort((a, b) => a - b);
  expect(new Set(rows.map(({ source }) => source)).size).toBeGreaterThanOrEqual(5);
  expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(MEDIAN_FRACTION);
  expect(errors.at(-1)).toBeLessThan(WORST_FRACTION);
});
