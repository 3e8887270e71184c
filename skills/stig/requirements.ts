/**
 * What the skill needs of the machine, each with what was found and how to get it.
 */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { Refusal } from "../../src/foundation/errors.ts";
import type { Check } from "../../src/skills/contract.ts";
import { tryControlGroup } from "./cgroup.ts";
import { runProgram } from "./process-output.ts";
import { readSetup, setupFolder } from "./setup-folder.ts";

const RUN_PROGRAMS: Record<string, string> = {
  bwrap: "bubblewrap",
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
};
const SETUP_PROGRAMS: Record<string, string> = { debootstrap: "debootstrap" };

const ELSEWHERE = "run tracemill as root, in a virtual machine if need be; the skill sql works everywhere";

/** What running needs. */
export async function runChecks(): Promise<Check[]> {
  const isLinux = process.platform === "linux";
  const system: Check = { what: "Linux", isMet: isLinux, found: process.platform, fix: isLinux ? null : ELSEWHERE };
  if (!isLinux) return [system];
  const isRoot = process.getuid?.() === 0;
  const root = {
    what: "root, for overlay mounts",
    isMet: isRoot,
    found: `user ${process.getuid?.()}`,
    fix: isRoot ? null : ELSEWHERE,
  };
  const programs = await programChecks(RUN_PROGRAMS);
  if (!isRoot || programs.some(({ isMet }) => !isMet)) return [system, root, ...programs];
  return [system, root, ...programs, ...(await kernelChecks()), groupCheck()];
}

/** What building the root needs on top; not where it comes from a tarball. */
export function buildChecks(): Promise<Check[]> {
  return programChecks(SETUP_PROGRAMS);
}

/** Says whether the setup is there and sound. Throws: what reading it throws and is no refusal. */
export async function setupCheck(): Promise<Check> {
  const unsound = await readSetup().then(
    () => null,
    (error) => {
      if (error instanceof Refusal) return error;
      throw error;
    },
  );
  const found = unsound === null ? setupFolder() : `${unsound.details.where}: ${unsound.message}`;
  const fix = unsound === null ? null : "tracemill skill setup stig";
  return { what: "the set-up root and content", isMet: unsound === null, found, fix };
}

/** Throws: `STIG_NEEDS` naming the first thing that is missing. */
export function refuseUnmet(checks: readonly Check[]): void {
  const missing = checks.find(({ isMet }) => !isMet);
  if (missing === undefined) return;
  throw new Refusal({
    code: "STIG_NEEDS",
    message: "The skill stig cannot run here.",
    expected: missing.what,
    got: missing.found,
    ...(missing.fix !== null && { fix: missing.fix }),
  });
}

async function programChecks(programs: Record<string, string>): Promise<Check[]> {
  return Promise.all(
    Object.entries(programs).map(async ([program, debianPackage]) => {
      const path = await pathOf(program);
      const fix = path === null ? `apt-get install ${debianPackage}` : null;
      return { what: `the program ${program}`, isMet: path !== null, found: path ?? "not found", fix };
    }),
  );
}

async function pathOf(program: string): Promise<string | null> {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]) {
    const path = join(folder, program);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}

/** Each tried out, as containers often forbid one of them. */
const KERNEL_NEEDS: Record<string, string> = {
  "mount namespaces": "true",
  "overlay mounts":
    "cd /; mount -t tmpfs t /tmp; cd /tmp; mkdir l u w m; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o m",
  "process namespaces": "bwrap --ro-bind / / --unshare-pid --proc /proc --dev /dev true",
  "network namespaces": "bwrap --ro-bind / / --unshare-net true",
};

async function kernelChecks(): Promise<Check[]> {
  return Promise.all(
    Object.entries(KERNEL_NEEDS).map(async ([what, script]) => {
      const words = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-ec", script];
      const { exitCode, stderr } = await runProgram(words, { limitMs: 10_000 });
      const isMet = exitCode === 0;
      return { what, isMet, found: isMet ? "they work" : stderr.trim(), fix: isMet ? null : ELSEWHERE };
    }),
  );
}

function groupCheck(): Check {
  const what = "a control group that bounds processes";
  try {
    return { what, isMet: true, found: tryControlGroup().join(", "), fix: null };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { what, isMet: false, found: error.details.got ?? error.message, fix: error.details.fix ?? null };
  }
}
