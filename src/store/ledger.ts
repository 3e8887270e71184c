/**
 * `ledger.jsonl`: everything that is said after a run is sealed, and of what is made from runs. Same line, same chain
 * as a run log. Each append takes the ledger's lock for itself, finds the end of the chain from the end of the file,
 * and is on the disk when it returns, so several processes may append and the cost does not grow with the ledger.
 */
import { closeSync, constants, ftruncateSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { canonicalJson } from "../foundation/canonical-json.ts";
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, hashText } from "../foundation/hashing.ts";
import { readLines } from "../foundation/jsonl.ts";
import { acquireLock } from "../foundation/lock-file.ts";
import { type AttemptId, attemptId, attemptParts, itemId, nativeIdOf, type RunId, type TipId } from "../records/ids.ts";
import {
  type LateVerdict,
  type LedgerEntry,
  type LoggedEntry,
  loggedEntrySchema,
  type Revocation,
  type TipRetirement,
} from "../records/ledger-entries.ts";
import { type ChainEnd, chainLine, EMPTY_CHAIN, lastLink, linkOf } from "./chain.ts";
import { appendWhole, syncFile, syncFolderOf } from "./durable-file.ts";
import type { Home } from "./home.ts";

const LOCK_WAIT_MS = 10_000;
const LOCK_RETRY_MS = 5;

/** Appends one entry: as `appendEntries`. */
export function appendLedger(home: Home, entry: LedgerEntry, clock: Clock): Hash {
  return appendEntries(home, [entry], clock);
}

/**
 * Appends entries durably and returns the ledger's new head; a torn last line is cut off first.
 * Throws: `LOCKED` where another process keeps the lock for ten seconds, `LEDGER_BROKEN`, `DISK_FULL`.
 */
export function appendEntries(home: Home, entries: readonly LedgerEntry[], clock: Clock): Hash {
  mkdirSync(dirname(home.ledger), { recursive: true });
  const release = waitForLock(`${home.ledger}.lock`);
  try {
    const fd = openSync(home.ledger, constants.O_RDWR | constants.O_CREAT, 0o644);
    try {
      const { end, sizeBytes } = lastLink(home.ledger);
      ftruncateSync(fd, sizeBytes);
      let { head, events } = end;
      const lines = entries.map(({ type, data }) => {
        const line = chainLine({ head, events }, { type, dataText: canonicalJson(data) }, clock);
        head = hashText(line);
        events++;
        return `${line}\n`;
      });
      appendWhole({ fd, path: home.ledger, sizeBytes }, Buffer.from(lines.join("")));
      syncFile(fd, home.ledger);
      if (end.events === 0) syncFolderOf(dirname(home.ledger));
      return head;
    } finally {
      closeSync(fd);
    }
  } finally {
    release();
  }
}

/**
 * Reads the ledger's entries in order; a torn last line is left out, as it was never said.
 * Throws: `LEDGER_BROKEN` with the line that does not follow from the one before it.
 */
export async function* readLedger(home: Home): AsyncGenerator<LoggedEntry> {
  for (const { entry } of entries(home)) yield entry;
}

/** Returns the hash of the ledger's last line; 64 zeros where there is none. */
export async function ledgerHead(home: Home): Promise<Hash> {
  let head = EMPTY_CHAIN.head;
  for (const { hash } of entries(home)) head = hash;
  return head;
}

export interface SealedRun extends ChainEnd {
  run: RunId;
  skill: string;
}

/** Returns the sealed runs in the order of their sealing. Throws: as `readLedger`. */
export function sealedRuns(home: Home): Map<RunId, SealedRun> {
  const sealed = new Map<RunId, SealedRun>();
  for (const { entry } of entries(home)) {
    if (entry.type === "run_sealed" && !sealed.has(entry.data.run)) sealed.set(entry.data.run, entry.data);
  }
  return sealed;
}

/** Returns what the ledger says of retired tips; what was said first of a tip holds. Throws: as `readLedger`. */
export function tipRetirements(home: Home): Map<TipId, TipRetirement> {
  const retired = new Map<TipId, TipRetirement>();
  for (const { entry } of entries(home)) {
    if (entry.type === "tip_retired" && !retired.has(entry.data.tip)) retired.set(entry.data.tip, entry.data);
  }
  return retired;
}

/** That a run holds another one's calls as well. */
export interface Covering {
  run: RunId;
  covered: RunId;
  /** Whether both call attempts by the same items and numbers, but for the skill before them where that differs. */
  hasSameAttempts: boolean;
  /** What the run that covers is about; null where the other one is about the same, or may call attempts otherwise. */
  skill: string | null;
  /** What the other one is about, where that is something else; null with `skill`. */
  coveredSkill: string | null;
}

/**
 * Returns which runs hold another one's calls, in the order in which it was said: joined runs those of the recorded one, and
 * later imports of a source those of earlier ones. That they do stays so, whichever of them stands. Throws: as `readLedger`.
 */
export function coverings(home: Home): Covering[] {
  const skills = new Map<RunId, string>();
  return [...entries(home)].flatMap(({ entry }) => coveringOf(entry, skills));
}

/** What an entry says of runs that cover others; `skills` are those of the runs sealed before it, and gets one more. */
function coveringOf({ type, data }: LoggedEntry, skills: Map<RunId, string>): Covering[] {
  if (type === "run_sealed") skills.set(data.run, data.skill);
  if (type === "run_joined") {
    const { run, recorded: covered } = data;
    return [{ run, covered, hasSameAttempts: false, skill: null, coveredSkill: null }];
  }
  if (type !== "run_replaced") return [];
  const { run, replaced: covered, skill = null } = data;
  const coveredSkill = skill === null ? null : (skills.get(covered) ?? null);
  return [{ run, covered, hasSameAttempts: true, skill, coveredSkill }];
}

/** Returns by what each run that does not stand for its source any more was covered last; no chain of them ends where it began. */
export function latestCoverings(said: readonly Covering[]): Map<RunId, RunId> {
  const coveredBy = new Map<RunId, RunId>();
  for (const { run, covered } of said) {
    coveredBy.delete(run);
    coveredBy.set(covered, run);
  }
  return coveredBy;
}

/** Returns the runs that another one stands for now, each with that one. Throws: as `readLedger`. */
export function coveredRuns(home: Home): Map<RunId, RunId> {
  const coveredBy = latestCoverings(coverings(home));
  const standing = (run: RunId): RunId => {
    const next = coveredBy.get(run);
    return next === undefined ? run : standing(next);
  };
  return new Map([...coveredBy.keys()].map((run) => [run, standing(run)]));
}

/**
 * Returns what a run is called in each run that covers it, and in those that cover that one. Of an attempt also what it is
 * called in the runs that its own covers: it is the same attempt, whichever import it is seen in. A run is not, as one that
 * covers another may hold more.
 */
export function otherIdsOf(said: readonly Covering[], { kind, id }: { kind: string; id: string }): string[] {
  if (kind !== "run" && kind !== "attempt") return [];
  const ids = [id];
  // This loop sees what is added here, too: a chain is followed to its end.
  for (const one of ids) {
    const next = kind === "run" ? runsCovering(said, one) : attemptElsewhere(said, one as AttemptId);
    for (const other of next) if (!ids.includes(other)) ids.push(other);
  }
  return ids.slice(1);
}

function runsCovering(said: readonly Covering[], own: string): string[] {
  return said.filter(({ covered }) => covered === own).map(({ run }) => run);
}

/** One step up or down; an attempt that the covered run may not have yet is named all the same, and nothing bears that name. */
function attemptElsewhere(said: readonly Covering[], attempt: AttemptId): AttemptId[] {
  const own = attemptParts(attempt).run;
  return said.flatMap(({ run, covered, hasSameAttempts, skill, coveredSkill }) => {
    if (!hasSameAttempts) return [];
    if (covered === own) return [attemptIn({ run, skill }, attempt)];
    return run === own ? [attemptIn({ run: covered, skill: coveredSkill }, attempt)] : [];
  });
}

/** Returns what an attempt is called in a run that has the same attempts as its own; `skill` is null where that is the same, too. */
export function attemptIn({ run, skill }: { run: RunId; skill: string | null }, attempt: AttemptId): AttemptId {
  const { item, n } = attemptParts(attempt);
  return attemptId(run, skill === null ? item : itemId(skill, nativeIdOf(item)), n);
}

/**
 * Returns what was revoked, each target once and in order; a run that was revoked is so in the run that covers it, and an
 * attempt in each that has it. Throws: as `readLedger`.
 */
export function revocations(home: Home): Revocation[] {
  const said: Revocation[] = [];
  for (const { entry } of entries(home)) if (entry.type === "revoked") said.push(entry.data);
  return said.length === 0 ? [] : alsoElsewhere(said, coverings(home));
}

/** Returns the runs that are revoked, each with why. Throws: as `readLedger`. */
export function revokedRuns(home: Home): Map<RunId, string> {
  const runs = revocations(home).filter(({ kind }) => kind === "run");
  return new Map(runs.map(({ target, reason }) => [target as RunId, reason]));
}

/**
 * Returns for each of these lines what was revoked when it was the ledger's last, as `revocations`; a line that the ledger
 * does not have is left out. Throws: as `readLedger`.
 */
export function revocationsAt(home: Home, heads: ReadonlySet<Hash>): Map<Hash, Revocation[]> {
  const said: Revocation[] = [];
  const covering: Covering[] = [];
  const skills = new Map<RunId, string>();
  const found = new Map<Hash, Revocation[]>();
  for (const { entry, hash } of entries(home)) {
    if (entry.type === "revoked") said.push(entry.data);
    covering.push(...coveringOf(entry, skills));
    if (heads.has(hash)) found.set(hash, alsoElsewhere(said, covering));
  }
  return found;
}

function alsoElsewhere(said: readonly Revocation[], covering: readonly Covering[]): Revocation[] {
  const revoked = new Map<string, Revocation>();
  const add = (one: Revocation) => {
    const key = `${one.kind} ${one.target}`;
    if (!revoked.has(key)) revoked.set(key, one);
  };
  said.forEach(add);
  for (const { kind, target, reason } of [...revoked.values()]) {
    for (const id of otherIdsOf(covering, { kind, id: target }))
      add({ kind, target: id, reason: `holds the calls of ${target}: ${reason}` });
  }
  return [...revoked.values()];
}

/** Yields the verdicts that were given after their run was sealed, in order. Throws: as `readLedger`. */
export function* lateVerdicts(home: Home): Generator<LateVerdict & Pick<LoggedEntry, "seq" | "at">> {
  for (const { entry } of entries(home)) {
    if (entry.type === "verdict_given") yield { ...entry.data, seq: entry.seq, at: entry.at };
  }
}

function* entries(home: Home): Generator<{ entry: LoggedEntry; hash: Hash }> {
  let { head } = EMPTY_CHAIN;
  for (const line of readLines(home.ledger)) {
    if (!line.isComplete) return;
    const link = linkOf(line.bytes);
    const isNext = link !== null && link.prev === head && link.seq === line.number - 1;
    const entry = isNext && line.bytes !== null ? parseEntry(line.bytes) : null;
    if (entry === null || line.bytes === null) throw ledgerBroken(home.ledger, line.number);
    head = hashText(line.bytes);
    yield { entry, hash: head };
  }
}

function parseEntry(bytes: Buffer): LoggedEntry | null {
  try {
    const parsed = loggedEntrySchema.safeParse(JSON.parse(bytes.toString("utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // the caller refuses the ledger with the line's number
  }
}

function waitForLock(path: string): () => void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += LOCK_RETRY_MS) {
    try {
      return acquireLock(path, "The ledger");
    } catch (error) {
      if (!(error instanceof Refusal && error.code === "LOCKED") || waitedMs >= LOCK_WAIT_MS) throw error;
      Atomics.wait(pause, 0, 0, LOCK_RETRY_MS);
    }
  }
}

function ledgerBroken(path: string, line: number): Refusal {
  return new Refusal({
    code: "LEDGER_BROKEN",
    message: "The ledger was changed after it was written.",
    expected: "every line to follow from the one before it",
    got: `line ${line} does not follow`,
    where: `${path}:${line}`,
    fix: "run `tracemill verify`, and put the file back from a backup",
  });
}
