/**
 * The runs that a recorder has open, each under its id: found by the name that a call gives, begun where there is none,
 * sealed on demand or after a time of quiet. Calls that name no run have one of their own.
 */
import { Refusal } from "../foundation/errors.ts";
import { newRunId, type RunId } from "../records/ids.ts";
import { sealedRuns } from "../store/ledger.ts";
import type { AttemptVerifier } from "./attempt-verifier.ts";
import {
  beginRun,
  goOn,
  isThere,
  type RecordedRun,
  type RecordingOptions,
  runNamed,
  type SealedRecording,
  sealRecording,
} from "./recorded-run.ts";

export interface OpenRuns {
  /** The run of a name, begun where there is none. */
  of(name: string | null): Promise<RecordedRun>;
  /** Whether there is a run of this name that is open or can be gone on with. */
  has(name: string | null): Promise<boolean>;
  /** Seals a run. Throws: `NOT_RECORDING` where nothing was recorded under that name; `CALLS_OPEN`. */
  finish(name: string | null): Promise<SealedRecording>;
  /** Seals the runs that nothing was recorded in for so long. */
  finishIdle(idleMs: number): Promise<SealedRecording[]>;
  /** Closes the logs; runs that are not sealed can be gone on with. */
  close(): Promise<void>;
}

export function openRuns(options: RecordingOptions & { verifier: AttemptVerifier | null }): OpenRuns {
  const open = new Map<RunId | null, Promise<RecordedRun>>();
  const ids = new Map<string, Promise<RunId>>();

  /** A label's id is looked up once, so that calls that come together begin one run. */
  function idOf(name: string): Promise<RunId> {
    const id = ids.get(name) ?? runNamed(options, name).then((found) => found ?? newRunId(options.clock));
    ids.set(name, id);
    return id;
  }

  async function opened(id: RunId | null, begin: () => Promise<RecordedRun>): Promise<RecordedRun> {
    const run = open.get(id) ?? begin();
    if (!open.has(id)) run.catch(() => open.delete(id));
    open.set(id, run);
    return run;
  }

  async function of(name: string | null): Promise<RecordedRun> {
    if (name === null) return opened(null, async () => beginRun(options, newRunId(options.clock), null));
    const id = await idOf(name);
    return opened(id, async () => (isThere(options.home, id) ? goOn(options, id) : beginRun(options, id, name)));
  }

  async function has(name: string | null): Promise<boolean> {
    return name === null ? open.has(null) : ids.has(name) || (await isLeft(options, name));
  }

  async function seal(run: RecordedRun): Promise<SealedRecording> {
    if (run.openCalls > 0) throw callsOpen(run);
    await options.verifier?.finish(run);
    if (run.openCalls > 0) throw callsOpen(run);
    for (const [key, one] of open) if ((await one) === run) open.delete(key);
    for (const [name, id] of ids) if ((await id) === run.log.run) ids.delete(name);
    return sealRecording(options, run);
  }

  return {
    ...{ of, has },
    async finish(name) {
      // One that is sealed is refused as such by opening it.
      const isSealed = name !== null && isThere(options.home, name as RunId);
      if (!isSealed && !(await has(name))) throw notRecording(name);
      return seal(await of(name));
    },
    async finishIdle(idleMs) {
      const runs = await Promise.all(open.values());
      const isIdle = (run: RecordedRun) => run.openCalls === 0 && options.clock().getTime() - run.lastAtMs >= idleMs;
      const sealed: SealedRecording[] = [];
      for (const run of runs) if (isIdle(run)) sealed.push(await seal(run));
      return sealed;
    },
    async close() {
      for (const run of await Promise.allSettled(open.values())) {
        if (run.status === "fulfilled") run.value.log.close();
      }
      open.clear();
    },
  };
}

/** Whether a run of this name was begun before and can be gone on with. */
async function isLeft(options: RecordingOptions, name: string): Promise<boolean> {
  const id = await runNamed(options, name);
  return id !== null && isThere(options.home, id) && !sealedRuns(options.home).has(id);
}

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
