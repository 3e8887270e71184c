/**
 * Labels attempts of an old run in bulk: from a list of labels, or by a command that is run in a checkout of the commit that
 * the attempt names, else its item, with the patch that the attempt left.
 */
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import type { Clock } from "../foundation/clock.ts";
import { Failure, Refusal } from "../foundation/errors.ts";
import { attemptParts, type ItemId, type RunId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import { signalOf, type Verdict, verdictSchema, verifierSchema } from "../records/verdict.ts";
import type { Home } from "../store/home.ts";
import { readRunLog } from "../store/runs.ts";
import { countsOf, type GivenVerdict } from "./late-verdicts.ts";
import { readJsonLines } from "./reading/json.ts";
import { countRejections, type RejectionCount } from "./rejections.ts";
import { runVerifyCommand, type VerifyCommand } from "./verify-command.ts";

const nameSchema = z.union([z.string(), z.int().transform(String)], {
  error: "it is neither a name nor a whole number",
});

/** A label, under any of the names that lists of labels give it. */
const labelSchema = z
  .looseObject({
    item: nameSchema.optional(),
    instance_id: nameSchema.optional(),
    id: nameSchema.optional(),
    attempt: z.int().min(1).nullable().default(null),
    value: z.number().min(0).max(1).optional(),
    passed: z.boolean().optional(),
    resolved: z.boolean().optional(),
    label: z.union([z.boolean(), z.number().min(0).max(1)]).optional(),
    confidence: z.number().min(0).max(1).default(1),
    failureMode: z.string().nullable().default(null),
    signalType: verdictSchema.shape.signalType.optional(),
    verifier: verifierSchema.default({ id: "label", version: "unknown" }),
    evidence: z.json().default(null),
  })
  .transform(({ item, instance_id, id, value, passed, resolved, label, ...rest }) => ({
    ...rest,
    item: item ?? instance_id ?? id,
    value: value ?? Number(passed ?? resolved ?? label ?? Number.NaN),
    passed: passed ?? resolved ?? passedBy(label),
  }))
  .refine(({ item }) => item !== undefined, { message: "it names no item (item, instance_id or id)" })
  .refine(({ value }) => !Number.isNaN(value), { message: "it says nothing (value, passed, resolved or label)" });

/** Whether a label says that it passed; a share says so only where no value does. */
function passedBy(label: boolean | number | undefined): boolean | undefined {
  return typeof label === "boolean" || label === 0 || label === 1 ? Boolean(label) : undefined;
}

/** Reads a list of labels, one JSON object a line; what is none is counted. Throws: `NO_LABELS`. */
export function readLabels(path: string): { labels: GivenVerdict[]; rejected: RejectionCount[] } {
  if (!existsSync(path)) {
    throw new Refusal({
      code: "NO_LABELS",
      message: "There is no such file.",
      expected: "labels, one JSON object a line",
      where: path,
    });
  }
  const labels: GivenVerdict[] = [];
  const rejections = countRejections();
  for (const line of readJsonLines(path)) {
    if ("kind" in line) {
      rejections.add(line.where, line.reason);
      continue;
    }
    const read = labelSchema.safeParse(line.value);
    if (!read.success) {
      rejections.add(line.where, faultOf(read.error));
      continue;
    }
    const { item, attempt, value, failureMode, signalType, confidence, verifier, evidence } = read.data;
    const { passed = value === 1 } = read.data;
    const verdict: Verdict = {
      ...{ value, confidence, passed, failureMode: passed ? null : (failureMode ?? "failed"), verifier, evidence },
      signalType: signalType ?? signalOf(value),
      ...{ before: null, flags: [] },
    };
    labels.push({ item: item as string, attempt, verdict });
  }
  return { labels, rejected: rejections.all() };
}

function faultOf({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined) return "it is no label";
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`;
}

export interface CheckoutVerdicts {
  verdicts: GivenVerdict[];
  /** Attempts that the command could not judge, with why. */
  left: { attempt: string; reason: string }[];
}

export interface CheckoutOptions {
  home: Home;
  clock: Clock;
  run: RunId;
  verify: VerifyCommand;
  /** A clone that has the commits; of several repositories, a folder with each under its name (`owner__name` or `name`). */
  repository: string;
  onProgress?(done: number, total: number): void;
}

const REPOSITORY_KEYS = ["repository", "repo"];
const COMMIT_KEYS = ["base_commit", "commit"];
const PATCH_KEYS = ["patch", "submission", "model_patch"];

/** Runs the command for every attempt, in a checkout of its own; those that it did not reach before a stop are left. */
export async function verdictsInCheckouts(options: CheckoutOptions): Promise<CheckoutVerdicts> {
  const { home, run, verify, repository } = options;
  const { items, patches } = await leftIn(home, run);
  const attempts = (await countsOf(home, run)).attempts().filter((attempt) => items.has(attemptParts(attempt).item));
  const tries = new Map<ItemId, number>();
  for (const { item } of attempts.map(attemptParts)) tries.set(item, (tries.get(item) ?? 0) + 1);
  const result: CheckoutVerdicts = { verdicts: [], left: [] };
  for (const [done, attempt] of attempts.entries()) {
    const { item, n } = attemptParts(attempt);
    const { detail } = items.get(item) as Item;
    const own = patches.get(attempt);
    const commit = own?.commit ?? textOf(detail, COMMIT_KEYS);
    // The item's patch is that of an attempt only where there is no other that could have left it.
    const patch = own?.patch ?? (tries.get(item) === 1 ? textOf(detail, PATCH_KEYS) : null);
    try {
      if (verify.signal.aborted) throw checkoutFailure("it was not reached before the stop");
      const verdict = await inCheckout({ detail, commit, patch, repository }, (cwd) =>
        runVerifyCommand(verify, attempt, { cwd }),
      );
      result.verdicts.push({ item, attempt: n, verdict });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      result.left.push({ attempt: attempt.slice(run.length + 1), reason: error.message });
    }
    options.onProgress?.(done + 1, attempts.length);
  }
  return result;
}

interface LeftPatch {
  patch: string;
  /** Null where only the item says one. */
  commit: string | null;
}

/** The items of a run, and the patch that each attempt left, where the source or its last action says one. */
async function leftIn(home: Home, run: RunId): Promise<{ items: Map<ItemId, Item>; patches: Map<string, LeftPatch> }> {
  const items = new Map<ItemId, Item>();
  const submitted = new Map<string, LeftPatch>();
  const left = new Map<string, LeftPatch>();
  for await (const event of readRunLog(home, run)) {
    if (event.type === "items_scanned") for (const item of event.data.items) items.set(item.item, item);
    else if (event.type === "patch_left") {
      const { attempt, patch, commit = null } = event.data;
      left.set(attempt, { patch, commit });
    } else if (event.type === "action" && event.data.call.name === "submit") {
      const { arguments: given } = event.data.call;
      const patch = textOf(given, PATCH_KEYS) ?? event.data.stdout;
      if (/^(diff --git|--- )/m.test(patch)) {
        submitted.set(event.data.attempt, { patch, commit: textOf(given, COMMIT_KEYS) });
      }
    }
  }
  return { items, patches: new Map([...submitted, ...left]) };
}

async function inCheckout<T>(
  given: { detail: Item["detail"]; commit: string | null; patch: string | null; repository: string },
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const { detail, commit, patch, repository } = given;
  if (commit === null || !/^[0-9a-f]{7,64}$/.test(commit))
    throw checkoutFailure("neither it nor its item names a commit");
  if (patch === null) throw checkoutFailure("no patch of it was recorded");
  const clone = await cloneFor(repository, textOf(detail, REPOSITORY_KEYS));
  const scratch = await mkdtemp(join(tmpdir(), "tracemill-checkout-"));
  const folder = join(scratch, "work");
  const git = (...words: string[]) => execa("git", ["-C", clone, ...words], { reject: false });
  try {
    const added = await git("worktree", "add", "--detach", folder, commit);
    if (added.exitCode !== 0) throw checkoutFailure(`the commit ${commit} cannot be checked out: ${added.stderr}`);
    await writeFile(join(scratch, "patch"), patch.endsWith("\n") ? patch : `${patch}\n`);
    const words = ["-C", folder, "apply", "--whitespace=nowarn", join(scratch, "patch")];
    const applied = patch.trim() === "" ? null : await execa("git", words, { reject: false });
    if (applied !== null && applied.exitCode !== 0)
      throw checkoutFailure(`its patch does not apply: ${applied.stderr}`);
    return await use(folder);
  } finally {
    await git("worktree", "remove", "--force", folder);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The clone below a folder that bears the repository's name, else the folder itself. Throws: a Failure where neither is one. */
async function cloneFor(folder: string, name: string | null): Promise<string> {
  const [, owner, repository] = /^(\w[\w.-]*)\/(\w[\w.-]*)$/.exec(name ?? "") ?? [];
  const below = [`${owner}__${repository}`, `${repository}`].map((child) => join(folder, child));
  const found = repository === undefined ? undefined : below.find(holdsClone);
  if (found !== undefined) return found;
  if (await isClone(folder)) return folder;
  throw checkoutFailure(name === null ? "its item names no repository" : `no clone of ${name} is in ${folder}`);
}

async function isClone(folder: string): Promise<boolean> {
  return (await execa("git", ["-C", folder, "rev-parse", "--git-dir"], { reject: false })).exitCode === 0;
}

/** Whether a folder is a clone's own, plain or bare. */
function holdsClone(folder: string): boolean {
  return existsSync(join(folder, ".git")) || existsSync(join(folder, "HEAD"));
}

/** Throws: `NO_REPOSITORY` where the folder is no clone and holds none. */
export async function checkRepository(folder: string): Promise<void> {
  const children = existsSync(folder) ? readdirSync(folder) : [];
  if (children.some((child) => holdsClone(join(folder, child))) || (await isClone(folder))) return;
  throw new Refusal({
    code: "NO_REPOSITORY",
    message: "This is no clone of a git repository, and none is in it.",
    expected: "--repository DIR: a clone, or a folder with a clone of each repository (owner__name or name)",
    where: folder,
  });
}

function textOf(detail: Readonly<Record<string, unknown>>, keys: readonly string[]): string | null {
  for (const key of keys) if (typeof detail[key] === "string") return detail[key];
  return null;
}

function checkoutFailure(message: string): Failure {
  return new Failure({ boundary: "verifier", code: "NO_CHECKOUT", message: message.trim() });
}
