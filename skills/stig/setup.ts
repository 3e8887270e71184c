/**
 * Sets the skill up: builds the root, cuts the content, scans the root as it is, and runs the content's own fix of
 * every failing rule through the very judgement that an agent's script gets. A rule whose own fix does not pass here
 * is no item, and the reason is kept.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import pLimit from "p-limit";
import { Failure, Refusal } from "../../src/foundation/errors.ts";
import { writeFolderAtomic, writeJsonAtomic } from "../../src/foundation/files.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { acquireLock } from "../../src/foundation/lock-file.ts";
import type { SetupOptions } from "../../src/skills/contract.ts";
import { buildRoot, packagesIn } from "./build-root.ts";
import { type Datastream, type Rule, readDatastream, rulesOf } from "./datastream.ts";
import { familyOf } from "./families.ts";
import { manifest } from "./manifest.ts";
import { fixCall } from "./parse-answer.ts";
import { reducedContent } from "./reduced-content.ts";
import { buildChecks, refuseUnmet, runChecks } from "./requirements.ts";
import { startSandbox } from "./sandbox.ts";
import { scan } from "./scan.ts";
import {
  contentName,
  DATASTREAM,
  type FoundRule,
  foldersIn,
  hashFiles,
  type Result,
  readSetup,
  type Setup,
  setupFile,
  setupFolder,
  setupHash,
} from "./setup-folder.ts";
import { openWorkspace } from "./workspace.ts";

/** The data stream of `ssg-debderived` 0.1.65-1: another one has other items, so another version of the skill. */
const DATASTREAM_HASH = "66dee0e1d3bf5774914013ff7200b0ee5d639dffbedb73ff1ba3d07a2ff27836";

/**
 * Makes the set-up folder where it is not there yet, or is not sound.
 * Throws: `STIG_NEEDS`, `LOCKED`; `NO_TARBALL`; `ALREADY_SET_UP` where a tarball would not be used; `OTHER_CONTENT`; what
 * building the root throws.
 */
export async function setUp(options: SetupOptions): Promise<Setup> {
  refuseUnmet(await runChecks());
  if (options.from === undefined) refuseUnmet(await buildChecks());
  else if (!existsSync(options.from)) throw noTarball(options.from);
  const folder = setupFolder();
  await mkdir(dirname(folder), { recursive: true });
  const release = acquireLock(`${folder}.lock`, "the setup of the skill stig");
  try {
    await removeUnfinished(folder);
    const isSound = await isSoundlySetUp();
    if (isSound && options.from !== undefined) throw alreadySetUp(folder);
    if (!isSound) {
      await rm(folder, { recursive: true, force: true });
      await writeFolderAtomic(folder, (temporary) => fill(temporary, options));
    }
  } finally {
    release();
  }
  return (await readSetup()).setup;
}

async function isSoundlySetUp(): Promise<boolean> {
  return readSetup().then(
    () => true,
    (error) => {
      if (error instanceof Refusal) return false;
      throw error;
    },
  );
}

/** Removes what setups left that were killed: hundreds of megabytes each. */
async function removeUnfinished(folder: string): Promise<void> {
  const names = await readdir(dirname(folder));
  const unfinished = names.filter((name) => name.startsWith(`${basename(folder)}.tmp-`));
  for (const name of unfinished) await rm(join(dirname(folder), name), { recursive: true });
}

async function fill(folder: string, { from, signal, onStep }: SetupOptions): Promise<void> {
  const folders = foldersIn(folder);
  await mkdir(folders.mount);
  await mkdir(folders.content);
  const phase = from === undefined ? "building the root" : "unpacking the root";
  await buildRoot(folders.root, {
    ...{ ...(from !== undefined && { from }), signal },
    onStep: (done, total) => onStep(phase, done, total),
  });
  const file = join(folders.root, DATASTREAM);
  const text = await readFile(file, "utf8");
  if (hashText(text) !== DATASTREAM_HASH) throw otherContent(hashText(text), from);
  const datastream = readDatastream(text, file);
  const rules = rulesOf(datastream);
  const baseline = await writeContent({ datastream, rules, folder });
  const found = rules.map((rule) => foundRule(rule, baseline.get(rule.id) ?? "unknown"));
  const setup = {
    skillVersion: manifest.version,
    packages: await packagesIn(folders.root),
    datastreamHash: hashText(text),
    files: await hashFiles(folder),
    rules: found,
  };
  await tryFixes({ ...setup, hash: setupHash(setup) }, folder, { signal, onStep });
  await writeJsonAtomic(setupFile(folder), { ...setup, hash: setupHash(setup) });
}

/** Writes the cut content of every rule, of all and of those that pass, and returns what the scan of all says. */
async function writeContent(given: {
  datastream: Datastream;
  rules: Rule[];
  folder: string;
}): Promise<Map<string, Result>> {
  const { datastream, rules, folder } = given;
  const folders = foldersIn(folder);
  const write = (name: string, ids: string[]) =>
    writeFile(join(folders.content, contentName(name)), reducedContent(datastream, new Set(ids)));
  await write(
    "all",
    rules.map(({ id }) => id),
  );
  const changeable = rules.filter(({ isConstant }) => !isConstant).map(({ id }) => id);
  await write("changeable", changeable);
  for (const { id } of rules) await write(id, [id]);
  const sandbox = await startSandbox(folders, null);
  try {
    const { results, fault } = await scan(sandbox, "all", { isPristine: true });
    if (fault !== null || results.size !== rules.length) {
      const message = `The scan of the new root gave ${results.size} of ${rules.length} results: ${fault ?? "no fault told"}`;
      throw new Failure({ boundary: "setup", code: "SCANNER_BROKEN", message });
    }
    await write(
      "regression",
      changeable.filter((id) => results.get(id) === "pass"),
    );
    return results;
  } finally {
    await sandbox.close();
  }
}

function foundRule(rule: Rule, baseline: Result): FoundRule {
  const { fix, ...rest } = rule;
  const reason =
    baseline !== "fail"
      ? `it is ${baseline} on the root as set up`
      : fix === null
        ? "the content has no bash fix"
        : null;
  return { ...rest, fix, family: familyOf(rule), baseline, isAttainable: false, reason };
}

/** Fills in whether each rule is attainable. */
async function tryFixes(
  setup: Setup,
  folder: string,
  { signal, onStep }: Pick<SetupOptions, "signal" | "onStep">,
): Promise<void> {
  const folders = foldersIn(folder);
  const tried = setup.rules.filter(({ reason }) => reason === null);
  const limit = pLimit(availableParallelism());
  let done = 0;
  const tryFix = async (rule: FoundRule) => {
    signal.throwIfAborted();
    const workspace = await openWorkspace(rule, { folder: join(folder, "states"), from: null }, { setup, folders });
    try {
      const call = fixCall(rule.fix ?? "");
      await workspace.act(call);
      const { passed, failureMode } = await workspace.verify(call, { call });
      rule.isAttainable = passed;
      rule.reason = passed ? null : unattainable(rule, failureMode);
    } finally {
      await workspace.close();
    }
    onStep("trying the content's own fixes", ++done, tried.length);
  };
  await Promise.all(tried.map((rule) => limit(() => tryFix(rule))));
}

function unattainable({ fix }: FoundRule, failureMode: string | null): string {
  const needs = /apt-get install/.test(fix ?? "")
    ? "it installs a package, and there is no network"
    : /systemctl/.test(fix ?? "")
      ? "it needs systemd"
      : "it needs what the root does not have";
  return `the content's own fix ends with ${failureMode}: ${needs}`;
}

function noTarball(from: string): Refusal {
  return new Refusal({
    code: "NO_TARBALL",
    message: "The tarball to set up from is not there.",
    where: from,
    fix: "skills/stig/README.md says how to make it on a machine with a Debian mirror",
  });
}

function alreadySetUp(folder: string): Refusal {
  return new Refusal({
    code: "ALREADY_SET_UP",
    message: "The skill stig is set up and sound, so the tarball would not be used.",
    where: folder,
    fix: `leave --from out, or remove what is there first: rm -r ${folder}`,
  });
}

function otherContent(got: string, from: string | undefined): Refusal {
  return new Refusal({
    code: "OTHER_CONTENT",
    message: `The root's data stream is not the one that version ${manifest.version} of the skill stig is made for.`,
    expected: `SHA-256 ${DATASTREAM_HASH}, of the package ssg-debderived 0.1.65-1`,
    got,
    ...(from !== undefined && { where: from }),
    fix:
      from === undefined
        ? "a mirror of Debian 12 among apt's sources"
        : "make the tarball with this version of the skill",
  });
}
