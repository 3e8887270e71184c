/**
 * A run's log: append-only, hash-chained, one canonical JSON line an event. Appending hands the whole line to the
 * kernel before it returns, so what was acknowledged survives the death of the process; a verdict and the end of the
 * run reach the disk. Messages and tools are written once a run under their hash. Does not know what a run does.
 */
import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { canonicalJson } from "../foundation/canonical-json.ts";
import type { Clock } from "../foundation/clock.ts";
import { counted } from "../foundation/counted.ts";
import { assert, Failure, Refusal } from "../foundation/errors.ts";
import { type HashSet, openHashSet } from "../foundation/hash-set.ts";
import { type Hash, hashText } from "../foundation/hashing.ts";
import { LINE_LIMIT_BYTES } from "../foundation/jsonl.ts";
import { acquireLock } from "../foundation/lock-file.ts";
import { unknownName } from "../foundation/nearest.ts";
import { type LoggedEvent, loggedEventSchema, type RunEvent } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import type { Message, RecordedMessage, RecordedTool, Tool } from "../records/message.ts";
import { type ChainEnd, chainBroken, chainLine, checkChain, EMPTY_CHAIN, type WholeLine } from "./chain.ts";
import { heldAppends, sharedFlush, syncFile, syncFolderOf, wholeAppends } from "./durable-file.ts";
import type { Home } from "./home.ts";
import { sealedRuns } from "./ledger.ts";
import { runIds } from "./runs.ts";

export interface RunLog {
  readonly run: RunId;
  readonly head: Hash;
  readonly events: number;
  /**
   * Appends an event other than `message` and `tools`: it is in the kernel's hands when this returns, and on the disk for `verdict` and `run_finished`.
   * Throws: the refusals `DISK_FULL` and `LOG_NOT_WRITTEN`, the failures `EVENT_TOO_LARGE` and `NOT_UNICODE`; the log
   * then stands as before.
   */
  append(event: RunEvent): void;
  /** Returns a message's hash, and records the message where the run does not hold it yet. Throws: as `append`. */
  message(message: Message | RecordedMessage): Hash;
  /** Whether the run holds the message or tools of a hash. */
  holds(hash: Hash): boolean;
  /** Returns the hash of a list of tools, and records it where the run does not hold it yet. Throws: as `append`. */
  tools(tools: Tool[] | RecordedTool[]): Hash;
  sync(): void;
  /** Hands all that was appended to the disk; those who wait at the same time share one way there. Throws: as `append`. */
  flush(): Promise<void>;
  /** Flushes the log, a draft to the kernel only, and gives up its lock; a second call does nothing. */
  close(): void;
}

interface LogOptions {
  run: RunId;
  clock: Clock;
  /** Nobody else knows of it: it needs no lock, and is brought to the disk by whoever moves it to where it is known. */
  isDraft?: boolean;
}

/**
 * Starts the log of a new run and takes its lock.
 * Throws: `RUN_EXISTS`, `LOCKED`.
 */
export function createRunLog(home: Home, { run, clock, isDraft = false }: LogOptions): RunLog {
  const path = home.runLog(run);
  mkdirSync(dirname(path), { recursive: true });
  const release = isDraft ? () => {} : lockRun(home, run);
  try {
    const fd = openSync(path, "wx");
    if (!isDraft) syncFolderOf(dirname(path));
    const place = { run, clock, path, fd, isDraft, release };
    return writerOf({ ...place, sizeBytes: 0, end: EMPTY_CHAIN, known: openHashSet() });
  } catch (error) {
    release();
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Refusal({
      code: "RUN_EXISTS",
      message: `The run ${run} has a log already.`,
      expected: "a new run id",
      where: path,
      fix: `resume it: tracemill run --resume ${run}`,
    });
  }
}

/**
 * Opens the log of an unfinished run to append to it, after checking its chain and cutting off a torn last line.
 * `onEvent` sees every event that the log holds, in order.
 * Units: `cutBytes` is the size of what was cut off; where it is not 0, a `failure` event says so.
 * Throws: `UNKNOWN_RUN`, `LOCKED`, `RUN_SEALED`, `RUN_FINISHED` (to be sealed), `LOG_BROKEN`, `LOG_EMPTY`.
 */
export function reopenRunLog(
  home: Home,
  { run, clock, onEvent }: LogOptions & { onEvent?: (event: LoggedEvent) => void },
): { log: RunLog; cutBytes: number } {
  const path = home.runLog(run);
  if (!existsSync(path)) throw unknownName("run", run, runIds(home));
  if (sealedRuns(home).has(run)) throw closedRun(path, "RUN_SEALED", `The run ${run} is sealed.`);
  const release = lockRun(home, run);
  try {
    const known = openHashSet();
    let unparsed: { line: number; reason: string } | null = null;
    const check = checkChain(path, {
      onLine(line) {
        if (unparsed !== null) throw chainBroken(path, unparsed);
        const parsed = parseLine(line);
        if ("reason" in parsed) unparsed = { line: line.number, reason: parsed.reason };
        else {
          if (parsed.type === "message" || parsed.type === "tools") known.add(parsed.data.hash);
          onEvent?.(parsed);
        }
      },
    });
    if (check.broken !== null) throw chainBroken(path, check.broken);
    if (unparsed !== null && check.torn?.line !== (unparsed as { line: number }).line)
      throw chainBroken(path, unparsed);
    if (check.events === 0) throw logEmpty(path, run);
    if (check.lastType === "run_finished") throw closedRun(path, "RUN_FINISHED", `The run ${run} has finished.`);

    const fd = openSync(path, "r+");
    const { sizeBytes, cutBytes } = cutTail(fd, path, check.torn?.startByte ?? null);
    const log = writerOf({ run, clock, path, fd, sizeBytes, end: check, known, release });
    if (cutBytes > 0) {
      const message = `${counted(cutBytes, "byte of an unfinished last line was", "bytes of an unfinished last line were")} cut off`;
      log.append({ type: "failure", data: { boundary: "log", code: "TORN_TAIL", message, attempt: null } });
    }
    return { log, cutBytes };
  } catch (error) {
    release();
    throw error;
  }
}

interface OpenLog extends LogOptions {
  path: string;
  fd: number;
  sizeBytes: number;
  end: ChainEnd;
  /** Hashes of the messages and tools that the log holds. */
  known: HashSet;
  release: () => void;
}

function writerOf({ run, clock, path, fd, known, release, isDraft = false, ...start }: OpenLog): RunLog {
  const file = (isDraft ? heldAppends : wholeAppends)({ fd, path, sizeBytes: start.sizeBytes });
  let { head, events } = start.end;
  let isOpen = true;
  let isFinished = false;

  function write(type: RunEvent["type"], dataText: string): void {
    assert(isOpen && !isFinished, `append of ${type} to a log that is ${isOpen ? "finished" : "closed"}`);
    const line = chainLine({ head, events }, { type, dataText }, clock);
    const bytes = Buffer.from(`${line}\n`);
    if (bytes.length > LINE_LIMIT_BYTES) throw tooLarge(type, bytes.length);
    file.append(bytes);
    head = hashText(bytes.subarray(0, -1));
    events += 1;
    isFinished = type === "run_finished";
    if (!isDraft && (isFinished || type === "verdict")) syncFile(fd, path);
  }

  function writeOnce(type: "message" | "tools", value: Message | RecordedMessage | Tool[] | RecordedTool[]): Hash {
    const text = jsonText(value);
    const hash = hashText(text);
    if (!known.has(hash)) {
      write(type, `{"hash":"${hash}","${type}":${text}}`);
      known.add(hash);
    }
    return hash;
  }

  return {
    run,
    get head() {
      return head;
    },
    get events() {
      return events;
    },
    append(event) {
      assert(event.type !== "message" && event.type !== "tools", `append of ${event.type}: its own function hashes it`);
      write(event.type, jsonText(event.data));
    },
    holds: (hash) => known.has(hash),
    message: (message) => writeOnce("message", message),
    tools: (tools) => writeOnce("tools", tools),
    sync: () => syncFile(fd, path),
    flush: sharedFlush(fd, path),
    close() {
      if (!isOpen) return;
      isOpen = false;
      try {
        file.flush();
        if (!isDraft) syncFile(fd, path);
      } finally {
        closeSync(fd);
        release();
      }
    },
  };
}

function jsonText(value: unknown): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    if (!(error instanceof Error) || !/lone surrogate/i.test(error.message)) throw error;
    const message = "a text holds half of a surrogate pair, so it has no bytes in UTF-8";
    throw new Failure({ boundary: "log", code: "NOT_UNICODE", message, cause: error });
  }
}

function parseLine(line: WholeLine): LoggedEvent | { reason: string } {
  try {
    const parsed = loggedEventSchema.safeParse(JSON.parse(line.bytes.toString("utf8")));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    return { reason: `the event is not one that this version knows: ${issue?.path.join(".")}: ${issue?.message}` };
  } catch {
    return { reason: "the line is not JSON" };
  }
}

/** Cuts a torn last line off, durably, and returns the sizes. */
function cutTail(fd: number, path: string, startByte: number | null): { sizeBytes: number; cutBytes: number } {
  const fullBytes = fstatSync(fd).size;
  if (startByte === null) return { sizeBytes: fullBytes, cutBytes: 0 };
  ftruncateSync(fd, startByte);
  syncFile(fd, path);
  return { sizeBytes: startByte, cutBytes: fullBytes - startByte };
}

function lockRun(home: Home, run: RunId): () => void {
  return acquireLock(join(home.runFolder(run), "lock"), `The run ${run}`);
}

function tooLarge(type: string, sizeBytes: number): Failure {
  const message = `a ${type} event of ${sizeBytes} bytes is larger than a line may be (${LINE_LIMIT_BYTES} bytes)`;
  return new Failure({ boundary: "log", code: "EVENT_TOO_LARGE", message });
}

function closedRun(path: string, code: "RUN_SEALED" | "RUN_FINISHED", message: string): Refusal {
  return new Refusal({
    code,
    message: `${message} Nothing can be added to it.`,
    expected: "a run that was interrupted",
    where: path,
    fix: "start a new run",
  });
}

function logEmpty(path: string, run: RunId): Refusal {
  return new Refusal({
    code: "LOG_EMPTY",
    message: `The run ${run} was interrupted before its first event.`,
    expected: "a log with at least one whole line",
    where: path,
    fix: "start a new run; this one's folder may be deleted",
  });
}
