/**
 * Imports what other programs recorded: every run of the source becomes a sealed run, once, however often it is
 * imported; every record lands in it, or is counted with its place and reason.
 */
import { statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { counted } from "../foundation/counted.ts";
import { assert, Failure, Refusal } from "../foundation/errors.ts";
import { garbageMeter } from "../foundation/garbage.ts";
import { sumOf } from "../foundation/sums.ts";
import type { RunId } from "../records/ids.ts";
import { type SkillSplits, skillSplits } from "../skills/skill-splits.ts";
import { appendLedger, coveredRuns, revokedRuns } from "../store/ledger.ts";
import { listRuns, sealRun } from "../store/runs.ts";
import { type DraftRuns, openDrafts, removeDeadDrafts } from "./draft-runs.ts";
import type { Foreign, ForeignRun } from "./foreign.ts";
import { type CountedRule, countedRule } from "./foreign-item.ts";
import { type ImportTarget, type OpenImport, openImport } from "./import-run.ts";
import { sourceHasher, sourcesOf } from "./import-source.ts";
import type { ImportInput } from "./importer.ts";
import { type JoinCounts, joinOnto } from "./join-recorded.ts";
import { MOST_GARBAGE_BYTES, readDocument, readJsonLines } from "./reading/json.ts";
import { parquetRows } from "./reading/parquet.ts";
import type { SealedRecording } from "./recorded-run.ts";
import { countRejections, type RejectionCount } from "./rejections.ts";
import { noteReplaced, type ReplacedRun } from "./replaced-runs.ts";
import { type FoundFiles, findFiles } from "./source-files.ts";

export interface ImportOptions extends Omit<ImportTarget, "format"> {
  /** A file or folder; null where all comes from a database. */
  path: string | null;
  /** A format's name, or `auto`. */
  format: string;
  postgres: string | null;
  /** A file with the fixed words of the harness's prompts. */
  words: string | null;
  /** The recorded run that the source's calls are in; null where it was not recorded. */
  onto: string | null;
  signal: AbortSignal;
  /** Bytes read so far, of how many. */
  onProgress?(doneBytes: number, totalBytes: number): void;
}

export interface ImportReport {
  format: string;
  files: number;
  /** Files below the path that are of another format. */
  passedOver: string[];
  /** How many of them are of each other format that can be told, and how many are compressed. */
  others: Record<string, number>;
  imported: ImportedRun[];
  /** Runs of the source that are here already, by the ids that they have here. */
  known: RunId[];
  /** Those of them that exports leave out, each with the run that stands for it. */
  leftOut: { run: RunId; coveredBy: RunId }[];
  /** Imports that another one of the same source holds from now on. */
  replaced: ReplacedRun[];
  /** Runs of the source that are revoked, as an import may be that holds what a revoked one did. */
  revoked: { run: RunId; reason: string }[];
  rejected: RejectionCount[];
  /** Items that the rule for families says nothing of; null without a rule. */
  untoldFamilies: number | null;
  /** How the source and the recorded calls came together; null without `onto`. */
  joined: (JoinCounts & { skill: string }) | null;
  /** What the format cannot tell. */
  lossy: readonly string[];
}

export interface ImportedRun extends SealedRecording {
  /** As its own program calls it. */
  nativeId: string;
}

const RECORDS_PER_TURN = 512;

/**
 * Imports everything below a path.
 * Throws: as `findFiles`, `FAMILY_RULE_UNMET` where the rule for families says nothing of any item, the signal's reason
 * where it is aborted, and what the store throws; runs that were whole by then stay, unless the rule had said nothing yet.
 */
export async function importFiles(options: ImportOptions): Promise<ImportReport> {
  const { path, format, home, clock } = options;
  removeDeadDrafts(home);
  const found = await findFiles(path, format);
  const families = countedRule(options.familyRule);
  const drafts = openDrafts(home, clock, () => !families.isUnmet());
  try {
    return await importFound(options, { found, families, drafts });
  } finally {
    drafts.drop();
  }
}

interface Found {
  found: FoundFiles;
  families: CountedRule;
  drafts: DraftRuns;
}

async function importFound(options: ImportOptions, { found, families, drafts }: Found): Promise<ImportReport> {
  const { home, signal, onto } = options;
  const { files, passedOver, others, untold } = found;
  const source = found.importer.read(inputOf(options, files, drafts.scratch));
  const joined = onto === null ? null : await joinOnto(home, source, onto);
  const counts = joined && { ...joined.counts, skill: options.skill ?? joined.counts.recordedSkill };
  const skill = counts?.skill ?? options.skill;
  const given = { ...options, skill, format: found.format, familyRule: families.rule };
  const session = await openSession(given, drafts);
  const noteGarbage = garbageMeter(MOST_GARBAGE_BYTES);
  let taken = 0;
  untold.forEach(session.take);
  try {
    await takeAll(joined?.records ?? source, (record) => {
      signal.throwIfAborted();
      if (record.kind === "run") return session.begin(record);
      session.take(record);
      noteGarbage();
      return ++taken % RECORDS_PER_TURN === 0 ? setImmediate() : null; // lets signals in
    });
    await session.finish();
    if (families.isUnmet()) throw ruleUnmet(options);
  } finally {
    joined?.close();
    await session.close();
  }
  if (counts !== null) sayJoined(options, session, counts.recorded);
  const here = [...session.imported.map(({ run }) => run), ...session.known];
  const replaced = await noteReplaced(options, here);
  const covered = coveredRuns(home);
  const revoked = revokedRuns(home);
  return {
    ...{ format: found.format, files: files.length, passedOver, others, lossy: found.importer.lossy },
    ...{ imported: session.imported, known: session.known, rejected: session.rejected() },
    revoked: here.flatMap((run) => revokedOf(run, revoked)),
    ...{ replaced, untoldFamilies: families.untold() },
    leftOut: session.known.flatMap((run) => coveringOf(run, covered)),
    joined: counts,
  };
}

function coveringOf(run: RunId, covered: ReadonlyMap<RunId, RunId>): ImportReport["leftOut"] {
  const coveredBy = covered.get(run);
  return coveredBy === undefined ? [] : [{ run, coveredBy }];
}

function revokedOf(run: RunId, revoked: ReadonlyMap<RunId, string>): ImportReport["revoked"] {
  const reason = revoked.get(run);
  return reason === undefined ? [] : [{ run, reason }];
}

function ruleUnmet({ familyRule, path }: ImportOptions): Refusal {
  return new Refusal({
    code: "FAMILY_RULE_UNMET",
    message: "The rule for families says nothing of any item, so that nothing was imported.",
    expected: "a field that the items' details have, or a pattern that matches their ids",
    got: familyRule?.text ?? "",
    where: path ?? "",
    fix: "import without --family-by, and look at the items' details: tracemill sql 'SELECT item, detail FROM items'",
  });
}

/** Takes records one after another; `take` returns what the next one has to wait for, which is mostly nothing. */
async function takeAll(
  records: Iterable<Foreign> | AsyncIterable<Foreign>,
  take: (record: Foreign) => Promise<void> | null,
): Promise<void> {
  if (Symbol.asyncIterator in records) for await (const record of records) await take(record);
  else {
    for (const record of records) {
      const wait = take(record);
      if (wait !== null) await wait;
    }
  }
}

/** Says which runs hold a recorded one's calls; also those of an import that ended before it could say so. */
function sayJoined({ home, clock }: ImportOptions, { imported, known }: Session, recorded: RunId): void {
  const runs = imported.map(({ run }) => run);
  if (!coveredRuns(home).has(recorded)) runs.push(...known);
  for (const run of runs) appendLedger(home, { type: "run_joined", data: { run, recorded } }, clock);
}

interface Session {
  imported: ImportedRun[];
  known: RunId[];
  rejected(): RejectionCount[];
  /** Ends the run that is open, and begins the next one. */
  begin(start: ForeignRun): Promise<void>;
  take(record: Exclude<Foreign, ForeignRun>): void;
  /** Ends the run that is open. */
  finish(): Promise<void>;
  /** Keeps the runs that are whole, and leaves nothing of one that is still open. */
  close(): Promise<void>;
}

async function openSession(target: ImportTarget & { words: string | null }, drafts: DraftRuns): Promise<Session> {
  const here = sourcesOf((await listRuns(target.home)).filter(({ source }) => source !== null));
  const hashOf = sourceHasher(target);
  const splitsOf = splitsOnce();
  const rejections = countRejections();
  const imported: ImportedRun[] = [];
  const known: RunId[] = [];
  let open: { run: OpenImport; nativeId: string } | null = null;
  /** Of a run that is here already the records are passed over. */
  let isKnown = false;

  async function finish(): Promise<void> {
    if (open === null) return;
    for (const { reason, count, where } of rejections.sinceLast()) {
      open.run.note("REJECTED", `${counted(count, "record")}: ${reason}; at ${where.join(", ")}`);
    }
    const { run, nativeId } = open;
    open = null;
    imported.push({ ...(await run.finish()), nativeId });
  }

  async function begin(start: ForeignRun): Promise<void> {
    await finish();
    const sourceHash = await hashOf(start);
    const run = here(target.format, start, sourceHash);
    isKnown = run !== undefined;
    if (run !== undefined) {
      known.push(run.run);
      if (!run.isSealed) await sealRun(target.home, run.run, target.clock); // a stop came between its move and its seal
    } else {
      const splits = await splitsOf(target.skill ?? start.skill);
      const run = openImport(target, start, { drafts, sourceHash, splits });
      open = { run, nativeId: start.nativeId };
      for (const { where, reason } of run.tooLong) rejections.add(where, reason);
    }
  }

  return {
    ...{ imported, known, rejected: rejections.all, begin, finish },
    take(record) {
      if (record.kind === "rejected") rejections.add(record.where, record.reason);
      else if (!isKnown) {
        assert(open !== null, `an importer says ${record.kind} before any run`);
        const { run, nativeId } = open;
        const fault = faultOf(() => run.take(record));
        if (fault !== null) rejections.add(`a ${record.kind} of ${nativeId}`, fault);
      }
    },
    async close() {
      try {
        await drafts.keep();
      } finally {
        open?.run.close();
      }
    },
  };
}

/** Each skill's splits, asked for once. */
function splitsOnce(): (skill: string) => Promise<SkillSplits> {
  const asked = new Map<string, Promise<SkillSplits>>();
  return (skill) => {
    const splits = asked.get(skill) ?? skillSplits(skill);
    asked.set(skill, splits);
    return splits;
  };
}

/** What the log refuses of a record is that record's fault alone. */
function faultOf(take: () => void): string | null {
  try {
    take();
    return null;
  } catch (error) {
    if (error instanceof Failure && error.boundary === "log") return error.message;
    throw error;
  }
}

function inputOf(
  { onProgress, postgres, words }: ImportOptions,
  files: readonly string[],
  scratch: () => string,
): ImportInput {
  const totalBytes = sumOf(files, (file) => statSync(file).size);
  let doneBytes = 0;
  const read = (bytes: number) => {
    doneBytes += bytes;
    onProgress?.(doneBytes, totalBytes);
  };
  return {
    ...{ files, postgres, words },
    lines: (path) => readJsonLines(path, read),
    parquet: (path) => parquetRows({ file: path, scratch: scratch() }, read),
    document(path) {
      read(statSync(path).size);
      return readDocument(path);
    },
  };
}
