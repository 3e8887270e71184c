/**
 * The Python that has the packages of `python/requirements.txt`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "./errors.ts";
import { PACKAGE_FOLDER } from "./package-folder.ts";

/** Returns the interpreter's path: `TRACEMILL_PYTHON`, else that of `.venv` beside package.json. Throws: `NO_PYTHON`. */
export function pythonPath(): string {
  const asked = process.env.TRACEMILL_PYTHON;
  const inVenv = process.platform === "win32" ? "Scripts/python.exe" : "bin/python";
  const executable = asked ?? join(PACKAGE_FOLDER, ".venv", inVenv);
  if (existsSync(executable)) return executable;
  throw new Refusal({
    code: "NO_PYTHON",
    message: "The Python that trains and converts models is not there.",
    expected: "a Python >= 3.10 with the packages of python/requirements.txt",
    got: asked === undefined ? `no ${executable}` : `no ${executable} (from TRACEMILL_PYTHON)`,
    fix: pythonFix(PACKAGE_FOLDER),
  });
}

/** Returns what gives such a Python: a checkout has a Makefile, the published package has none. */
export function pythonFix(packageFolder: string): string {
  if (existsSync(join(packageFolder, "Makefile")))
    return `make setup (in ${packageFolder}), or set TRACEMILL_PYTHON to such a Python`;
  const requirements = join(packageFolder, "python", "requirements.txt");
  return `python3 -m venv .venv && .venv/bin/python -m pip install -r ${requirements} && export TRACEMILL_PYTHON=$PWD/.venv/bin/python`;
}
