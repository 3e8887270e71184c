/**
 * The runs that a recorder has open, each under its id: found by the name that a call gives, begun where there is none,
 * sealed on demand or after a time of quiet. Calls that name no run have one of their own.
 */
import { Refusal } from "../foundation/errors.ts";
import { newRunId, type RunId } from "../records/ids.ts";
import { sealedRuns } from "../store/ledger.ts";
import { listRuns, type RunSummary } from "../store/runs.ts";
import type { AttemptVerifier } from "./attempt-verifier.ts";
import { leftRunsSealer } from "./left-run.ts";
import {
  beginRun,
  goOn,
  isThere,
  type RecordedRun,
  type RecordingOptions,
  runLabelled,
  runNamed,
  type SealedRecording,
  sealRecording,
} from "./recorded-run.ts";

export interface OpenRuns {
  /** The run of a name, begun where there is none. */
  of(name: string | null): Promise<RecordedRun>;
  /** Does something with the run of a name before anything else can end it. Throws: as `of` and `use`. */
  within<T>(name: string | null, use: (run: RecordedRun) => T): Promise<T>;
  /** Whether there is a run of this name that is open or can be gone on with. */
  has(name: string | null): Promise<boolean>;
  /** Seals a run. Throws: `NOT_RECORDING` where nothing was recorded under that name; `RUN_SEALED`; `CALLS_OPEN`. */
  finish(name: string | null): Promise<SealedRecording>;
  /**
   * Seals the runs that nothing was recorded in for so long, those too that an earlier process of the skill left, and says each once
   * it is sealed. Throws: what sealing one throws; the others have their turn the next time.
   */
  finishIdle(idleMs: number, onSealed: (sealed: SealedRecording) => void): Promise<void>;
  /** Closes the logs; runs that are not sealed can be gone on with. */
  close(): Promise<void>;
}

interface OpenRunsOptions extends RecordingOptions {
  verifier: AttemptVerifier | null;
}

/** Makes the index of a recorder's runs; none is open at first. */
export function openRuns(options: OpenRunsOptions): OpenRuns {
  const { home, clock, verifier } = options;
  const { of, has, forgetter, all } = runIndex(options);
  const sealings = new Map<RecordedRun, Promise<SealedRecording>>();
  const finishLeft = leftRunsSealer(options, async (run) => seal(await of(run)));

  async function within<T>(name: string | null, use: (run: RecordedRun) => T): Promise<T> {
    let run = await of(name);
    while (run.isOver) run = await of(name);
    return use(run);
  }

  /** Whoever asks for it while it is under way gets the same. */
  function seal(run: RecordedRun): Promise<SealedRecording> {
    const sealing = sealings.get(run) ?? sealOnce(run).finally(() => sealings.delete(run));
    sealings.set(run, sealing);
    return sealing;
  }

  async function sealOnce(run: RecordedRun): Promise<SealedRecording> {
    if (run.openCalls > 0) throw callsOpen(run);
    const notVerified = (await verifier?.finish(run)) ?? null;
    const forget = await forgetter(run);
    // From here to the end of the log nothing else has its turn.
    if (run.openCalls > 0) throw callsOpen(run);
    run.isOver = true;
    forget();
    return { ...(await sealRecording(options, run)), ...(notVerified !== null && { notVerified }) };
  }

  return {
    ...{ of, within, has },
    async finish(name) {
      // One that is sealed is refused as such by opening it.
      const isSealed = name !== null && isThere(home, name as RunId);
      if (!isSealed && !(await has(name))) throw await whyNotFinished(options, name);
      return seal(await of(name));
    },
    async finishIdle(idleMs, onSealed) {
      const isQuiet = (run: RecordedRun) => run.openCalls === 0 && clock().getTime() - run.lastAtMs >= idleMs;
      for (const run of await all()) {
        if (run.isOver || sealings.has(run) || !isQuiet(run)) continue;
        // A call may come while the verifier is asked: the run is not quiet any more.
        const one = await seal(run).catch(nullIf("CALLS_OPEN"));
        if (one !== null) onSealed(one);
      }
      const open = new Set((await all()).map(({ log }) => log.run));
      await finishLeft({ idleMs, open, onSealed });
    },
    async close() {
      for (const run of await all()) {
        run.log.close();
        (await forgetter(run))();
      }
    },
  };
}

interface RunIndex extends Pick<OpenRuns, "of" | "has"> {
  /** What forgets a run, at once. */
  forgetter(run: RecordedRun): Promise<() => void>;
  all(): Promise<RecordedRun[]>;
}

function runIndex(options: RecordingOptions): RunIndex {
  const { home, clock, skill } = options;
  const open = new Map<RunId | null, Promise<RecordedRun>>();
  const ids = new Map<string, Promise<RunId>>();

  /** A label's id is looked up once, so that calls that come together begin one run. */
  function idOf(name: string): Promise<RunId> {
    const id = ids.get(name) ?? runNamed(options, name).then((found) => found ?? newRunId(clock));
    ids.set(name, id);
    return id;
  }

  /** Goes on with the one that an earlier process left, unless another proxy does. */
  async function unnamed(): Promise<RecordedRun> {
    const left = await runLabelled(options, null);
    const run = left === null ? null : await opened(left, () => goOn(options, left, skill)).catch(nullIf("LOCKED"));
    const id = newRunId(clock);
    return run ?? opened(id, async () => beginRun(options, id, null));
  }

  async function opened(id: RunId | null, begin: () => Promise<RecordedRun>): Promise<RecordedRun> {
    const run = open.get(id) ?? begin();
    if (!open.has(id)) run.catch(() => open.delete(id));
    open.set(id, run);
    return run;
  }

  return {
    async of(name) {
      if (name === null) return opened(null, unnamed);
      const id = await idOf(name);
      return opened(id, async () => (isThere(home, id) ? goOn(options, id, skill) : beginRun(options, id, name)));
    },
    async has(name) {
      if (name === null) return open.has(null) || (await runLabelled(options, null)) !== null;
      return ids.has(name) || (await isLeft(options, name));
    },
    async forgetter(run) {
      const names = await keysOf(ids, run.log.run);
      const places = await keysOf(open, run);
      return () => {
        for (const name of names) ids.delete(name);
        for (const place of places) open.delete(place);
      };
    },
    async all() {
      const runs = await Promise.allSettled(open.values());
      return [...new Set(runs.flatMap((run) => (run.status === "fulfilled" ? [run.value] : [])))];
    },
  };
}

async function keysOf<K, V>(map: Map<K, Promise<V>>, value: V): Promise<K[]> {
  const entries = await Promise.all([...map].map(async ([key, one]) => [key, await one.catch(() => null)] as const));
  return entries.flatMap(([key, one]) => (one === value ? [key] : []));
}

function nullIf(code: string): (error: unknown) => null {
  return (error) => {
    if (error instanceof Refusal && error.code === code) return null;
    throw error;
  };
}

/** Whether a run of this name was begun before and can be gone on with. */
async function isLeft(options: RecordingOptions, name: string): Promise<boolean> {
  const id = await runNamed(options, name);
  return id !== null && isThere(options.home, id) && !sealedRuns(options.home).has(id);
}

/** The run of a name may have been sealed since its last call: by the quiet, or from outside. */
async function whyNotFinished({ home, skill }: RecordingOptions, name: string | null): Promise<Refusal> {
  const isOwn = (one: RunSummary) => one.command === "record" && one.label === name && one.skill === skill;
  const last = (await listRuns(home)).findLast(isOwn);
  if (last?.isSealed !== true) return notRecording(name);
  return new Refusal({
    code: "RUN_SEALED",
    message: `Run ${last.run} is sealed, and no call came in under its name since.`,
    expected: "a run that is not sealed",
    got: name ?? "the run of calls without a name",
  });
}

/** Builds the refusal for a run of which nothing was recorded. */
export function notRecording(name: string | null): Refusal {
  return new Refusal({
    code: "NOT_RECORDING",
    message: "Nothing was recorded here in this run.",
    expected: "the name of a run that calls came in",
    got: name ?? "the run of calls without a name",
  });
}

function callsOpen({ log, openCalls }: RecordedRun): Refusal {
  return new Refusal({
    code: "CALLS_OPEN",
    message: `Run ${log.run} cannot be sealed while its calls are being answered.`,
    expected: "no call on its way",
    got: `${openCalls} on their way`,
    fix: "finish the run once the agent has its last answer",
  });
}
