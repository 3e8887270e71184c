/**
 * What `make` says on a machine that cannot run tracemill. Programs of other machines (an old Node, macOS's uname) are
 * stood in for by scripts at the front of PATH, as no such machine is here.
 */
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ROOT } from "../fixtures/venv.ts";

let folder: string;

/** PATH holds what the script itself calls, the node that runs this, and what a test adds. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-preflight-"));
  for (const name of ["bash", "env", "uname"]) {
    const { stdout } = await execa("which", [name]);
    await symlink(stdout, join(folder, name));
  }
  await symlink(process.execPath, join(folder, "node"));
  await program("python3", 'case "$*" in *--version*) echo Python 3.12.1;; esac');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function program(name: string, script: string): Promise<void> {
  const path = join(folder, name);
  await rm(path, { force: true });
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

function preflight(...words: string[]) {
  const env = { PATH: folder, HOME: folder };
  return execa(join(ROOT, "scripts", "preflight.sh"), words, { cwd: folder, env, extendEnv: false, reject: false });
}

test("a machine that can run tracemill is told nothing", async () => {
  expect(await preflight()).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
});

describe("a machine is refused in one line that names what works", () => {
  async function refusal(): Promise<string> {
    const { exitCode, stdout, stderr } = await preflight();
    expect([exitCode, stdout]).toEqual([2, ""]);
    return stderr;
  }

  test("where it is a Mac", async () => {
    await program("uname", 'case "$1" in -s) echo Darwin;; -m) echo arm64;; esac');
    expect(await refusal()).toBe(
      "tracemill: Darwin/arm64 is not supported yet; Linux on x86-64 or arm64 works, also in a virtual machine",
    );
  });

  test("where its Node is too old, or missing", async () => {
    await program("node", 'case "$1" in --version) echo v18.19.0;; *) exit 1;; esac');
    expect(await refusal()).toBe("tracemill: Node v18.19.0 is too old: Node 20 or newer is needed");
    await rm(join(folder, "node"));
    expect(await refusal()).toBe("tracemill: Node is missing: install Node 20 or newer");
  });

  test("where its Python is too old, or missing", async () => {
    await program("python3", 'case "$*" in *--version*) echo Python 3.9.2;; *version_info*) exit 1;; esac');
    expect(await refusal()).toMatch(
      /^tracemill: Python 3\.9\.2 is too old: Python 3\.10 or newer is needed \(PYTHON=.*$/,
    );
    await rm(join(folder, "python3"));
    expect(await refusal()).toBe("tracemill: Python is missing: install Python 3.10 or newer");
  });

  test("where its Python cannot make a virtual environment", async () => {
    await program("python3", 'case "$*" in *ensurepip*) echo "No module named ensurepip" >&2; exit 1;; esac');
    expect(await refusal()).toBe("tracemill: python3 cannot make a virtual environment: apt-get install python3-venv");
  });
});

test("what the demo costs is said before anything is downloaded, and less where all is there", async () => {
  const first = await preflight("--announce");
  expect(first.stdout).toMatch(
    /^This downloads about [\d.]+ GB [\s\S]*needs about 3 GB of disk[\s\S]*Time on two cores: /,
  );
  await execa("mkdir", ["-p", join(folder, "node_modules"), join(folder, ".venv")]);
  for (const name of ["node_modules", ".venv"]) await writeFile(join(folder, name, ".installed"), "");
  expect((await preflight("--announce")).stdout).toMatch(/^Everything is installed already; the loop itself takes /);
});
