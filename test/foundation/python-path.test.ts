import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { pythonFix } from "../../src/foundation/python-path.ts";

it("a checkout is told of its Makefile, the published package of the lines that do without one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tracemill-python-"));
  try {
    const published = pythonFix(folder);
    expect(published).not.toContain("make");
    for (const words of ["python3 -m venv", join(folder, "python", "requirements.txt"), "TRACEMILL_PYTHON="])
      expect(published).toContain(words);
    await writeFile(join(folder, "Makefile"), "setup:\n");
    expect(pythonFix(folder)).toMatch(/^make setup /);
  } finally {
    await rm(folder, { recursive: true });
  }
});
