/**
 * Loop after loop: the champion collects, rows of all rounds train the next candidate, the gate decides, and what passed is
 * promoted and collects next. Ends where a round brings nothing credible. Each round's loop has its own journal, so the whole
 * goes on where it was stopped.
 */
import type { LoopResult } from "../loop.ts";
import { loop } from "../loop.ts";
import { championFor, promote, readChampions } from "../registry/index.ts";
import { loadSkill } from "../skills/load.ts";
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
  const place = { skill, role: null };
  const start = async () => championFor(await readChampions(home), place)?.adapterHash ?? null;
  let round: Round = { ...settings.round, champion: await journal.stage("champion", start) };
  const isFresh = await journal.stage("fresh", () => makesFresh(skill));
  const rounds: RoundReport[] = [];
  let without = 0;
  for (;;) {
    const result = await loop({ ...settings, round }, room, context);
    const { hasPassed } = result.decision;
    const promoted = await journal.stage(`promote ${round.number}`, async () => {
      return hasPassed ? (await promote(home, { adapter: result.adapterHash, place, clock })).adapterHash : null;
    });
    rounds.push(await reportOf(result, { round: round.number, isPromoted: promoted !== null }, home));
    without = promoted === null ? without + 1 : 0;
    const champion = promoted ?? round.champion;
    const ended = endOf({ number: round.number, most, without, patience });
    if (ended !== null) return { rounds, champion, ended, last: result };
    const replay = [...round.replay, ...result.runs.train];
    round = { number: round.number + 1, champion, replay, watched: result.runs.validation, isFresh };
  }
}

function endOf(at: { number: number; most: number; without: number; patience: number }): string | null {
  if (at.without >= at.patience) {
    return at.patience === 1
      ? `Round ${at.number} brought nothing credible.`
      : `The last ${at.patience} rounds brought nothing credible.`;
  }
  return at.number >= at.most ? `All ${at.most} rounds are made.` : null;
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
