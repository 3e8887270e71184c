/** Which steps make would take, asked with `make -n` in a folder that has the files of a checkout but no packages. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../fixtures/venv.ts";

const INPUTS = ["package.json", "package-lock.json", "python/requirements.txt", "python/requirements-base.txt"];
const EARLIER = new Date("2026-01-01");
const LATER = new Date("2026-01-02");
let checkout: string;

beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), "tracemill-"));
  for (const path of ["Makefile", "scripts", ...INPUTS]) {
    cpSync(join(ROOT, path), join(checkout, path), { recursive: true });
  }
});

afterAll(() => rmSync(checkout, { recursive: true }));

async function stepsOfSetup(): Promise<string> {
  return (await execa("make", ["-n", "--no-print-directory", "setup"], { cwd: checkout })).stdout;
}

/** Stands for an install that went through: make looks at nothing else. */
function stamp(): void {
  for (const path of INPUTS) utimesSync(join(checkout, path), EARLIER, EARLIER);
  for (const folder of ["node_modules", ".venv"]) {
    mkdirSync(join(checkout, folder), { recursive: true });
    writeFileSync(join(checkout, folder, ".installed"), "");
    utimesSync(join(checkout, folder, ".installed"), LATER, LATER);
  }
}

test("the first setup installs both worlds", async () => {
  const steps = await stepsOfSetup();
  expect(steps).toContain("npm ci");
  expect(steps).toContain("pip install");
});

test("a second setup installs nothing", async () => {
  stamp();
  expect(await stepsOfSetup()).not.toMatch(/npm|pip|preflight/);
});

test.each([
  ["package-lock.json", "npm ci", "pip install"],
  ["python/requirements.txt", "pip install", "npm ci"],
])("a new %s brings its own install and no other", async (path, own, other) => {
  stamp();
  utimesSync(join(checkout, path), new Date("2026-01-03"), new Date("2026-01-03"));
  const steps = await stepsOfSetup();
  expect(steps).toContain(own);
  expect(steps).not.toContain(other);
});
