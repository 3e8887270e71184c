/**
 * Runs the arms of a comparison: side by side over the same items in the same order, none ahead of the others, so that whatever
 * changes with time meets all of them alike. What an earlier try has finished is taken up.
 */
import { runAgent } from "../capture/index.ts";
import { Failure } from "../foundation/errors.ts";
import { fairTurns, type Lane } from "../foundation/fair-turns.ts";
import { sumOf } from "../foundation/sums.ts";
import { CODE_VERSION } from "../foundation/version.ts";
import { type Endpoint, runHarness } from "../harness/index.ts";
import { type Arm, armsAt, type Plan } from "../records/comparison.ts";
import type { EventData } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import { listRuns, readRunLog } from "../store/runs.ts";
import { type ArmRun, sampleSeed, type Watch, watchPairs } from "../validate/index.ts";
import { type ArmsView, viewArms } from "./arms-view.ts";
import type { Context } from "./command.ts";
import { interrupted } from "./interruption.ts";
import { readDuration } from "./read-duration.ts";
import type { OpenPart } from "./validate-draft.ts";
import type { ValidateOptions } from "./validate-input.ts";
import type { Session } from "./validate-session.ts";

/**
 * Attempts in flight for each call in flight: while some act and are verified, others ask, so that the endpoint need not wait.
 * An agent calls when it likes.
 */
const ATTEMPTS_A_CALL = 1.25;

interface ArmWork {
  plan: Plan;
  part: OpenPart;
  arm: Arm;
  /** Counts from 1. */
  sample: number;
  endpoint: Endpoint;
  options: ValidateOptions;
  turn: Lane;
  callTurn: Lane;
  session: Session;
  /** Of the skill that decides, where it may end early. */
  watch: Watch | null;
}

/**
 * Runs every arm of every part and returns the runs. The skills at the side are attempted by the deciding pair alone.
 * Throws: a Failure `INTERRUPTED` that says how to go on; what a run throws, once the runs beside it have ended.
 */
export async function runArms(
  plan: Plan,
  {
    parts,
    endpointOf,
    options,
    session,
    onPartEnd,
  }: {
    parts: readonly OpenPart[];
    endpointOf(arm: Arm): Endpoint;
    options: ValidateOptions;
    session: Session;
    /** Asked after each skill, while nothing is written. */
    onPartEnd(): Promise<void>;
  },
  context: Context,
): Promise<ArmRun[]> {
  const runs: ArmRun[] = [];
  for (const [index, part] of parts.entries()) {
    const attempts = fairTurns(attemptsInFlight(plan, options));
    const calls = fairTurns(options.concurrency);
    const families = part.items.map(({ family }) => family);
    const watch = plan.sequential && index === 0 ? watchPairs({ ...plan, families }) : null;
    const works = armsAt(plan, index).flatMap((arm) =>
      Array.from({ length: plan.samples }, (_, k) => {
        const turns = { turn: attempts(), callTurn: calls() };
        return { plan, part, arm, sample: k + 1, endpoint: endpointOf(arm), options, ...turns, session, watch };
      }),
    );
    runs.push(...(await runTogether(works, context)));
    await onPartEnd();
  }
  return runs;
}

function attemptsInFlight({ agent }: Plan, { concurrency }: ValidateOptions): number {
  return agent === null ? Math.floor(ATTEMPTS_A_CALL * concurrency) : concurrency;
}

/** Where one fails the others are stopped: each can be taken up. */
async function runTogether(works: readonly ArmWork[], context: Context): Promise<ArmRun[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const total = sumOf(works, ({ part, plan }) => part.items.length * plan.attempts);
  const view = viewArms(`validate ${works[0]?.part.part.skill.id}`, total, context);
  try {
    const ended = await Promise.allSettled(
      works.map((work) =>
        runArm(work, { ...context, signal }, view.lane(laneName(work))).catch((error) => {
          stop.abort();
          throw error;
        }),
      ),
    );
    const failures = ended.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
    // One that was stopped because another failed says nothing of why.
    if (failures.length > 0) throw failures.find((error) => !isStopped(error)) ?? failures[0];
    return ended.flatMap((end, index) => {
      const { part, arm, sample } = works[index] as ArmWork;
      return end.status === "fulfilled" ? [{ skill: part.part.skill.id, arm: arm.arm, sample, run: end.value }] : [];
    });
  } finally {
    view.end();
  }
}

function isStopped(error: unknown): boolean {
  return error instanceof Failure && error.code === "STOPPED_EARLY";
}

function laneName({ arm, sample, plan }: ArmWork): string {
  return plan.samples === 1 ? arm.arm : `${arm.arm} ${sample}`;
}

/** Runs one arm, or takes up the run that an earlier try made for it and the canary stood after. */
async function runArm(work: ArmWork, context: Context, view: ReturnType<ArmsView["lane"]>): Promise<RunId> {
  const { plan, part, arm, sample, session } = work;
  const known = (await listRuns(context.home)).findLast(
    ({ run, comparison, skill }) =>
      session.isTakenUp(run) &&
      comparison?.comparisonHash === plan.comparisonHash &&
      comparison.arm === arm.arm &&
      comparison.sample === sample &&
      skill === part.part.skill.id,
  );
  if (known !== undefined) await catchUp(work, known.run, context);
  if (known?.isSealed) return known.run;
  const resumed = known === undefined ? {} : { resume: known.run };
  return plan.agent === null
    ? attemptsOfWorker(work, { context, resumed, view })
    : attemptsOfAgent(work, { command: plan.agent, context, resumed, view });
}

/** Tells the watch what an earlier try has finished, so that it sees the pairs from the first on without a gap. */
async function catchUp(work: ArmWork, run: RunId, { home }: Context): Promise<void> {
  if (work.watch === null) return;
  const note = noteIn(work, work.watch);
  for await (const { type, data } of readRunLog(home, run)) if (type === "item_finished") note(data);
}

/** What an item came to, in the place that it has in the plan; one that was left open as it was enough says nothing. */
function noteIn({ plan, part, arm }: ArmWork, watch: Watch): (finished: EventData<"item_finished">) => void {
  const places = new Map(part.items.map(({ item }, index) => [item, index]));
  const side = arm.arm === plan.pairs[0]?.[0] ? "reference" : "treatment";
  return ({ item, state, passed }) => {
    if (state === "skipped") return;
    watch.note(side, places.get(item) as number, state === "failed" ? null : passed > 0);
  };
}

interface Manner {
  context: Context;
  resumed: { resume?: RunId };
  view: ReturnType<ArmsView["lane"]>;
}

async function attemptsOfWorker(work: ArmWork, { context, resumed, view }: Manner): Promise<RunId> {
  const { plan, part, arm, sample, endpoint, options, turn, callTurn, watch } = work;
  const { home, clock, signal } = context;
  const result = await runHarness({
    ...{ home, clock, signal, codeVersion: CODE_VERSION, skill: part.skill, skillHash: part.part.skill.hash },
    ...{ turn, callTurn, concurrency: attemptsInFlight(plan, options) },
    ...{ items: part.items, split: part.part.split, roles: { worker: endpoint }, sampling: part.part.sampling },
    ...{ attempts: plan.attempts, enough: 1, seed: sampleSeed(plan, sample) },
    ...{ memory: arm.memory, tipRuns: arm.tipRuns },
    comparison: { comparisonHash: plan.comparisonHash, arm: arm.arm, sample },
    config: { command: "validate", target: options.target, limit: options.limit ?? null, items: options.items ?? null },
    onProgress: ({ attempts, total, firstPasses, firstTries }) => view({ attempts, total, firstPasses, firstTries }),
    ...(watch !== null && { onItemFinished: noteIn(work, watch) }),
    isEnough: () => watch?.isSure() === true,
    ...resumed,
  });
  if (!result.isComplete) throw interrupted(`the ${arm.arm} arm of the comparison`, result.stoppedBy);
  return result.run;
}

async function attemptsOfAgent(
  work: ArmWork,
  { command, context, resumed, view }: Manner & { command: string },
): Promise<RunId> {
  const { plan, part, arm, sample, endpoint, options, turn } = work;
  const { home, clock, signal, stderr } = context;
  const timeoutMs = readDuration("agent-timeout", options.agentTimeout);
  const { url, model, name, baseHash, adapterHash } = endpoint;
  const result = await runAgent({
    ...{ home, clock, signal, turn, codeVersion: CODE_VERSION, skill: part.skill, skillHash: part.part.skill.hash },
    ...{
      items: part.items,
      split: part.part.split,
      attempts: plan.attempts,
      enough: 1,
      concurrency: options.concurrency,
    },
    comparison: { comparisonHash: plan.comparisonHash, arm: arm.arm, sample },
    config: { command: "agent", agent: command, target: options.target },
    ...{ agent: { command, timeoutMs }, timeoutMs, durability: "kernel" as const },
    model: { name, endpoint: url, model, baseHash, adapterHash },
    onProgress: ({ attempts, passed, items }) =>
      view({ attempts, total: items * plan.attempts, firstPasses: passed, firstTries: attempts }),
    onBug: (error) => stderr.write(`${error instanceof Error ? error.stack : error}\n`),
    ...resumed,
  });
  const { sealed, stoppedBy, lastFailure } = result;
  const reason = stoppedBy === "agent" ? lastFailure : stoppedBy;
  if (sealed === null) throw interrupted(`the ${arm.arm} arm of the comparison`, reason);
  return result.run;
}
