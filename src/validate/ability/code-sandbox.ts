/**
 * Runs Python that a model wrote: in bubblewrap, in namespaces of its own without a network, with nothing of the host but the
 * interpreter, read-only, an empty `/tmp` in memory, and bounds on memory, processors' time, files and output. Where it
 * cannot be made nothing is run.
 */
import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import { execa } from "execa";
import { executableNamed } from "../../foundation/executable.ts";
import { pythonPath } from "../../foundation/python-path.ts";

const LIMIT_MS = 10_000;
const MOST_MEMORY_BYTES = 1 << 30;
const MOST_FILE_BYTES = 16 << 20;
const MOST_PROCESSES = 64;
const MOST_OUTPUT_CHARACTERS = 100_000;
const SYSTEM_FOLDERS = ["/usr", "/lib", "/lib64", "/bin"];

/** Lowers its own bounds, which what it becomes cannot raise again, and runs what comes by stdin. */
const BOUNDED = `
import resource, sys
def bound(what, most):
    resource.setrlimit(what, (most, most))
bound(resource.RLIMIT_AS, ${MOST_MEMORY_BYTES})
bound(resource.RLIMIT_CPU, ${LIMIT_MS / 1000})
bound(resource.RLIMIT_FSIZE, ${MOST_FILE_BYTES})
bound(resource.RLIMIT_NPROC, ${MOST_PROCESSES})
bound(resource.RLIMIT_CORE, 0)
exec(compile(sys.stdin.read(), "program", "exec"), {"__name__": "__main__"})
`;

export interface CodeSandbox {
  /** Whether a program comes to its end, in time and without an error. */
  passes(program: string, signal: AbortSignal): Promise<boolean>;
}

/** Makes the sandbox and tries it out; where it cannot be made, says why. */
export async function openCodeSandbox(): Promise<CodeSandbox | { reason: string }> {
  const bwrap = executableNamed(undefined, { name: "bwrap" });
  if (bwrap === null) return { reason: "bubblewrap (bwrap) is not on the PATH" };
  const interpreter = await interpreterOf();
  if ("reason" in interpreter) return interpreter;
  const words = [...wallsOf(interpreter), "--", interpreter.executable, "-I", "-S", "-c", BOUNDED];
  const run = (program: string, signal: AbortSignal) =>
    execa(bwrap, words, {
      input: program,
      reject: false,
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
      maxBuffer: MOST_OUTPUT_CHARACTERS,
      cancelSignal: signal,
      extendEnv: false,
    });
  const tried = await run("print(6 * 7)", new AbortController().signal);
  if (tried.exitCode !== 0 || tried.stdout !== "42") {
    return {
      reason: `bubblewrap cannot make a sandbox here: ${(tried.stderr || tried.shortMessage || "").slice(0, 500)}`,
    };
  }
  return {
    async passes(program, signal) {
      const end = randomUUID(); // a program may leave before its end, with exit code 0
      const { exitCode, stdout } = await run(`${program}\nprint("\\n${end}")\n`, signal);
      signal.throwIfAborted();
      return exitCode === 0 && stdout.endsWith(`\n${end}`);
    },
  };
}

interface Interpreter {
  executable: string;
  /** What it reads its own library from. */
  prefix: string;
}

async function interpreterOf(): Promise<Interpreter | { reason: string }> {
  try {
    const script = "import sys; print(sys.base_prefix)";
    const { stdout } = await execa(pythonPath(), ["-I", "-c", script]);
    return { executable: realpathSync(pythonPath()), prefix: realpathSync(stdout) };
  } catch (error) {
    return { reason: `there is no Python to run it by: ${(error as Error).message}` };
  }
}

function wallsOf({ prefix, executable }: Interpreter): string[] {
  const seen = [...SYSTEM_FOLDERS, prefix, executable].flatMap((path) => ["--ro-bind-try", path, path]);
  return [
    ...seen,
    ...["--proc", "/proc", "--dev", "/dev", "--size", `${MOST_FILE_BYTES}`, "--tmpfs", "/tmp", "--chdir", "/tmp"],
    ...["--unshare-all", "--new-session", "--die-with-parent", "--cap-drop", "ALL"],
    ...["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "PYTHONHASHSEED", "0"],
    ...["--setenv", "HOME", "/tmp", "--setenv", "LC_ALL", "C.UTF-8"],
  ];
}
