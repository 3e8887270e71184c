/**
 * Runs a repository's test command to its end or to its time limit, behind the best walls that this machine has: bubblewrap (no
 * network, nothing writable but the copy), else a network namespace, else none.
 */
import { spawn, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";

/** Of stdout and stderr together; what is beyond is dropped, and the verdict says so. */
const OUTPUT_LIMIT_BYTES = 1_000_000;

/** So that output is the same everywhere, and npm looks for no newer npm. */
const SETTINGS = { LC_ALL: "C.UTF-8", NO_COLOR: "1", CI: "1", npm_config_update_notifier: "false" };

export interface TestRun {
  /** Null where it was stopped. */
  exitCode: number | null;
  output: string;
  isTimedOut: boolean;
  isCut: boolean;
  /** Each test by its name and whether it passed, where the output is TAP; empty where it is not. */
  tests: Map<string, boolean>;
}

export type Walls = "bubblewrap" | "network namespace" | "none";

let known: Walls | null = null;

/** The walls that can be had here, tried out once. */
export function walls(): Walls {
  known ??= works(bubblewrap(tmpdir())) ? "bubblewrap" : works(networkNamespace) ? "network namespace" : "none";
  return known;
}

function works([program = "", ...words]: readonly string[]): boolean {
  return spawnSync(program, [...words, "true"]).status === 0;
}

function bubblewrap(folder: string): string[] {
  const view = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--bind", folder, folder];
  return ["bwrap", ...view, "--unshare-net", "--unshare-pid", "--die-with-parent", "--new-session", "--"];
}

const networkNamespace = ["unshare", "-rn", "--pid", "--fork", "--kill-child", "--"];

/** Runs the command by `sh -c` in the folder, and leaves nothing running. */
export async function runTests(folder: string, command: string, limitSeconds: number): Promise<TestRun> {
  const wall = { bubblewrap: bubblewrap(folder), "network namespace": networkNamespace, none: [] }[walls()];
  const [program = "", ...words] = [...wall, "sh", "-c", command];
  const child = spawn(program, words, {
    cwd: folder,
    detached: true, // a group of its own, so that all of it can be ended
    env: { PATH: process.env.PATH ?? "", HOME: walls() === "bubblewrap" ? "/tmp" : tmpdir(), ...SETTINGS },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      if (sizeBytes < OUTPUT_LIMIT_BYTES) parts.push(part.subarray(0, OUTPUT_LIMIT_BYTES - sizeBytes));
      sizeBytes += part.length;
    });
  }
  const endGroup = () => {
    try {
      process.kill(-(child.pid ?? 0), "SIGKILL");
    } catch {} // it is gone
  };
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    endGroup();
  }, limitSeconds * 1000);
  child.on("exit", endGroup);
  const exitCode = await new Promise<number | null>((done, fail) => {
    child.on("close", done);
    child.on("error", fail);
  }).finally(() => clearTimeout(timer));
  // Each copy lies elsewhere: without its path the same run gives the same text.
  const output = Buffer.concat(parts).toString("utf8").replaceAll(folder, ".");
  const isCut = sizeBytes > OUTPUT_LIMIT_BYTES;
  return { exitCode: isTimedOut ? null : exitCode, output, isTimedOut, isCut, tests: testsIn(output) };
}

/** Reads TAP: `ok 1 - name` and `not ok 2 - name`, a subtest's lines indented below its `# Subtest: name`. */
export function testsIn(output: string): Map<string, boolean> {
  const tests = new Map<string, boolean>();
  const open: string[] = [];
  for (const line of output.split("\n")) {
    const found = /^( *)(?:# Subtest: (.*)|(not )?ok \d+ - (.*?)(?: # .*)?)$/.exec(line);
    if (found === null) continue;
    const [, indent = "", begun, not, name = ""] = found;
    const depth = indent.length / 4;
    if (begun !== undefined) open[depth] = begun;
    else {
      const key = [...open.slice(0, depth), name].join(" > ");
      tests.set(key, not === undefined && tests.get(key) !== false);
    }
  }
  return tests;
}
