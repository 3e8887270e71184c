/**
 * One item's workspace: a copy of its repository, in which the action writes one file and the test command judges.
 */
import { randomBytes } from "node:crypto";
import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { ActionCall, Item, Place, Verdict, Workspace } from "../../../src/skills/contract.ts";
import { repositoryOf, type Task, taskOf, withBug } from "./tasks.ts";
import { runTests, type TestRun, walls } from "./test-run.ts";

export const FAILURE_MODES = ["no-file", "forbidden-path", "tests-fail", "regression", "timeout"];

/** The call of an agent that worked in the copy by itself. */
const AGENT = "agent";

/** What the tests say of each item before anything was done to it. */
const untouched = new Map<string, Promise<TestRun>>();

/** Not copied; `node_modules` is linked, so that a large one costs nothing. */
const LEFT_OUT = [".git", "node_modules"];

/** Opens a copy of the item's repository, where it acts and is judged. */
export async function openWorkspace(item: Item, { folder, from }: Place): Promise<Workspace> {
  const task = taskOf(item);
  const ownStates = `state-${Buffer.from(item.item).toString("hex")}-`;
  const home = await mkdtemp(join(tmpdir(), "tracemill-test-command-"));
  const copy = join(home, "repository");
  let start = from;
  let before: Promise<TestRun> | null = null;
  /** Why the last action was not done. */
  let complaint: string | null = null;

  async function begin(state: string | null): Promise<void> {
    start = state;
    await rm(copy, { recursive: true, force: true });
    complaint = null;
    before = state === null ? (untouched.get(item.item) ?? null) : null;
    if (state === null) return copyRepository(task, copy);
    if (!state.startsWith(ownStates) || basename(state) !== state)
      throw new Error(`${state} is no state of ${item.item}: each task has a repository of its own`);
    await cp(join(folder, state), copy, { recursive: true, verbatimSymlinks: true });
  }

  /** What the tests say before the action; asked once, as they may take long. */
  function beforeAction(): Promise<TestRun> {
    before ??= runTests(copy, task.verify, task.limitSeconds);
    if (start === null) untouched.set(item.item, before);
    return before;
  }

  await begin(from);
  return {
    async act(call) {
      await beforeAction();
      complaint = await write(copy, task, call);
      if (complaint !== null) return { exitCode: 1, stdout: "", stderr: `${complaint}\n` };
      return { exitCode: 0, stdout: `wrote ${call.arguments.path}\n`, stderr: "" };
    },
    async enter() {
      await beforeAction();
      return copy;
    },
    async verify(call, parsed) {
      const was = await beforeAction();
      if (call?.name === AGENT) complaint = await touched(copy, task);
      if (call === null && "failureMode" in parsed) return failed(was, parsed.failureMode, { reason: parsed.reason });
      if (complaint !== null) return failed(was, "forbidden-path", { reason: complaint });
      return verdictOf(task, was, await runTests(copy, task.verify, task.limitSeconds));
    },
    async checkpoint() {
      const name = `${ownStates}${randomBytes(6).toString("hex")}`;
      await mkdir(folder, { recursive: true });
      await cp(copy, join(folder, `${name}.part`), { recursive: true, verbatimSymlinks: true });
      await rename(join(folder, `${name}.part`), join(folder, name)); // whole or not at all
      return name;
    },
    restore: begin,
    close: () => rm(home, { recursive: true, force: true }),
  };
}

async function copyRepository(task: Task, copy: string): Promise<void> {
  const repository = repositoryOf(task);
  const isTaken = (path: string) => path === repository || !LEFT_OUT.includes(basename(path));
  await cp(repository, copy, { recursive: true, verbatimSymlinks: true, filter: isTaken });
  const modules = join(repository, "node_modules");
  if ((await kindOf(modules)) !== null) await symlink(modules, join(copy, "node_modules"));
  if (task.bug === null) return;
  const file = join(copy, task.bug.file);
  await writeFile(file, withBug(await readFile(file, "utf8"), task.bug));
}

/** Writes the file, or returns why it may not be written. */
async function write(copy: string, task: Task, call: ActionCall): Promise<string | null> {
  const path = String(call.arguments.path);
  const parts = path.split("/");
  if (isAbsolute(path) || path.includes("\\") || path.includes("\0") || parts.some((part) => /^(\.{0,2})$/.test(part)))
    return `${path} is no path below the repository`;
  if (task.protected.some((name) => path === name || path.startsWith(`${name}/`))) return `${path} may not be changed`;
  for (let depth = 1; depth <= parts.length; depth++) {
    const kind = await kindOf(join(copy, ...parts.slice(0, depth)));
    const expected = depth === parts.length ? "file" : "folder";
    if (kind !== null && kind !== expected) return `${parts.slice(0, depth).join("/")} is no ${expected}`;
  }
  await mkdir(dirname(join(copy, path)), { recursive: true });
  await writeFile(join(copy, path), String(call.arguments.content));
  return null;
}

/** Says which protected file is not as the repository has it; null where all are. */
async function touched(copy: string, task: Task): Promise<string | null> {
  for (const name of task.protected) {
    if (!(await isSame(join(repositoryOf(task), name), join(copy, name)))) return `${name} may not be changed`;
  }
  return null;
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [kind, otherKind] = [await kindOf(one), await kindOf(other)];
  if (kind !== otherKind || kind === "other") return false;
  if (kind === "file") return (await readFile(one)).equals(await readFile(other));
  if (kind === null) return true;
  const names = new Set([...(await readdir(one)), ...(await readdir(other))]);
  for (const name of names) if (!(await isSame(join(one, name), join(other, name)))) return false;
  return true;
}

/** Null for what is not there; a link is neither a file nor a folder, wherever it leads. */
async function kindOf(path: string): Promise<"file" | "folder" | "other" | null> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return null;
  return found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
}

/**
 * It passes where the command does and every test that was there before passes too: a file that ends the process
 * before its tests begin makes many a runner say that all is well.
 */
function verdictOf(task: Task, was: TestRun, now: TestRun): Verdict {
  const names = [...was.tests.keys()];
  const unmet = names.filter((name) => now.tests.get(name) !== true);
  const regressions = unmet.filter((name) => was.tests.get(name));
  const failing = [...new Set([...unmet, ...[...now.tests].filter(([, passed]) => !passed).map(([name]) => name)])];
  const mode = now.isTimedOut
    ? "timeout"
    : regressions.length > 0
      ? "regression"
      : now.exitCode !== 0 || failing.length > 0
        ? "tests-fail"
        : null;
  const { exitCode, output } = now;
  const evidence = { command: task.verify, exitCode, output, failing, regressions };
  const verdict = failed(was, mode ?? "", evidence);
  const flags: Verdict["flags"] = [
    ...(mode === null && passes(was) ? (["noop-pass"] as const) : []),
    ...(was.isCut || now.isCut ? (["clipped"] as const) : []),
  ];
  return { ...verdict, flags, ...(mode === null && { value: 1, passed: true, failureMode: null }) };
}

function failed(was: TestRun, failureMode: string, evidence: Record<string, unknown>): Verdict {
  return {
    value: 0,
    confidence: 1,
    passed: false,
    failureMode,
    signalType: "binary",
    verifier: { id: "test-command", version: "1" },
    before: { value: passes(was) ? 1 : 0, passed: passes(was) },
    evidence: {
      ...evidence,
      before: { exitCode: was.exitCode, output: was.output },
      walls: walls(),
    } as Verdict["evidence"],
    flags: [],
  };
}

function passes({ exitCode, tests }: TestRun): boolean {
  return exitCode === 0 && [...tests.values()].every((passed) => passed);
}
