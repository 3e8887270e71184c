/**
 * Loop after loop: the champion collects, rows of all rounds train the next candidate, the gate decides, and what passed is
 * promoted and collects next. Ends where a round brings nothing credible. Each round's loop has its own journal, so the whole
 * goes on where it was stopped.
 */
import { Refusal } from "../foundation/errors.ts";
import { shortHash } from "../foundation/hashing.ts";
import { warn } from "../foundation/progress.ts";
import type { LoopResult } from "../loop.ts";
import { loop } from "../loop.ts";
import type { Place } from "../records/ledger-entries.ts";
import { answeringPlace, championFor, promote, readChampions } from "../registry/index.ts";
import { loadSkill } from "../skills/load.ts";
import type { Home } from "../store/home.ts";
import { openJournal } from "../store/journal.ts";
import type { Context } from "./command.ts";
import type { LoopSettings, Round } from "./loop-settings.ts";
import { type RoundReport, reportOf } from "./round-report.ts";
import type { Room } from "./training-room.ts";

export interface RoundsResult {
  rounds: RoundReport[];
  /** The adapter that answers now; null for the base. */
  champion: string | null;
  /** Why no further round was made. */
  ended: string;
  last: LoopResult;
}

/**
 * Runs rounds until `most` are made or `patience` of them in a row brought nothing.
 * Throws: as the stages of the loop; then the same command goes on.
 */
export async function loopRounds(
  settings: LoopSettings,
  { most, patience, room }: { most: number; patience: number; room: Room },
  context: Context,
): Promise<RoundsResult> {
  const { home, clock } = context;
  const { skill } = settings;
  const journal = await openJournal(home, { rounds: settings }, clock);
  const place = await journal.stage("place", () => workersPlace(home, skill));
  const answering = async () => championFor(await readChampions(home), place)?.adapterHash ?? null;
  let round: Round = { ...settings.round, champion: await journal.stage("champion", answering) };
  const isFresh = await journal.stage("fresh", () => makesFresh(skill));
  const rounds: RoundReport[] = [];
  let without = 0;
  for (;;) {
    const result = await loop({ ...settings, round }, room, context);
    const { hasPassed } = result.decision;
    const promoted = await journal.stage(`promote ${round.number}`, async () => {
      return hasPassed ? await promotePassed(result.adapterHash, place, context) : null;
    });
    rounds.push(await reportOf(result, { round: round.number, isPromoted: promoted !== null }, home));
    without = promoted === null ? without + 1 : 0;
    const ended = endOf({ number: round.number, most, without, patience });
    if (ended !== null) return { rounds, champion: await answering(), ended, last: result };
    // Somebody may have promoted or rolled back by hand meanwhile: the next round is to beat what answers now.
    const champion = await journal.stage(`champion ${round.number + 1}`, answering);
    const replay = [...round.replay, ...result.runs.train];
    round = { number: round.number + 1, champion, replay, watched: result.runs.validation, isFresh };
  }
}

/** Where what answers for the skill's worker stands. */
export async function workersPlace(home: Home, skill: string): Promise<Place> {
  return answeringPlace(await readChampions(home), { skill, role: "worker" });
}

/**
 * Promotes an adapter that its round's gate passed. Null, and a warning, where it may not answer any more: another one was promoted by
 * hand since the round began, it was judged again and did not pass, or what it learned from or was judged by was revoked. Throws: `LOCKED`, as `promote`.
 */
export async function promotePassed(
  adapter: string,
  place: Place,
  context: Pick<Context, "home" | "clock" | "stderr" | "isJson">,
): Promise<string | null> {
  const { home, clock } = context;
  try {
    return (await promote(home, { adapter, place, clock })).adapterHash;
  } catch (error) {
    if (!(error instanceof Refusal && OVERTAKEN.includes(error.code))) throw error;
    warn(`The gate passed ${shortHash(adapter)}, and it is not promoted: ${error.message}`, context);
    return null;
  }
}

/** Refusals that would come again each time the rounds are gone on with. */
const OVERTAKEN = ["OTHER_QUESTION_DECIDED", "GATE_NOT_PASSED", "TAINTED_ADAPTER", "LINEAGE_GONE", "DECISION_REVOKED"];

function endOf(at: { number: number; most: number; without: number; patience: number }): string | null {
  if (at.without >= at.patience) {
    return at.patience === 1
      ? `Round ${at.number} brought nothing credible.`
      : `The last ${at.patience} rounds brought nothing credible.`;
  }
  if (at.number < at.most) return null;
  return at.most === 1 ? "The one round is made." : `All ${at.most} rounds are made.`;
}

/** Whether the skill gives families that are another seed's alone. Throws: `UNKNOWN_SKILL`. */
async function makesFresh(id: string): Promise<boolean> {
  const skill = await loadSkill(id);
  try {
    return skill.freshItems !== undefined;
  } finally {
    await skill.close();
  }
}
