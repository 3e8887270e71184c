/**
 * Loop after loop: the champion collects, rows of all rounds train the next candidate, the gate decides, and what passed is
 * promoted and collects next. Ends where a round brings nothing credible. Each round's loop has its own journal, so the whole
 * goes on where it was stopped.
 */
import type { LoopResult } from "../loop.ts";
import { loop } from "../loop.ts";
import type { Decision } from "../records/comparison.ts";
import { championFor, promote, readChampions } from "../registry/index.ts";
import type { Home } from "../store/home.ts";
import { openJournal } from "../store/journal.ts";
import { openLake } from "../store/lake.ts";
import { readDatasetManifest } from "../store/manifests.ts";
import type { Context } from "./command.ts";
import type { LoopSettings, Round } from "./loop-settings.ts";
import type { Room } from "./training-room.ts";

/** What a round came to, with what tells whether the models feed on themselves. Units: shares as fractions. */
export interface RoundReport {
  round: number;
  adapterHash: string;
  datasetHash: string;
  comparisonHash: string;
  verdict: Decision["verdict"];
  hasPassed: boolean;
  isPromoted: boolean;
  arms: Decision["arms"];
  pairs: Decision["pairs"];
  reasons: string[];
  /** Two-sided error rate of the intervals. */
  alpha: number;
  trainRows: number;
  /** Rows whose answer an adapter wrote, which was trained on such rows itself. */
  selfGenerated: number;
  /** Different verified answers over all verified answers of the collecting run; null where it has none. */
  diversity: number | null;
}

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
    const replay = [...round.replay, result.runs.train];
    round = { number: round.number + 1, champion, replay, watched: result.runs.validation };
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

async function reportOf(
  { adapterHash, datasetHash, decision, runs }: LoopResult,
  made: { round: number; isPromoted: boolean },
  home: Home,
): Promise<RoundReport> {
  const { comparisonHash, verdict, hasPassed, arms, pairs, reasons, alpha } = decision;
  const { counts, models } = await readDatasetManifest(home, datasetHash);
  const rows = models.reduce((sum, model) => sum + model.rows, 0);
  const adapters = await readModelsWithAdapter(
    home,
    models.flatMap(({ model }) => model ?? []),
  );
  const own = models
    .filter(({ model }) => model !== null && adapters.has(model))
    .reduce((sum, one) => sum + one.rows, 0);
  return {
    ...made,
    ...{ adapterHash, datasetHash, comparisonHash, verdict, hasPassed, arms, pairs, reasons, alpha },
    trainRows: counts.trainRows,
    selfGenerated: rows === 0 ? 0 : own / rows,
    diversity: await diversityOf(home, runs.train),
  };
}

/** Which models, as turns name them, were served with an adapter. */
async function readModelsWithAdapter(home: Home, models: readonly string[]): Promise<Set<string>> {
  const lake = await openLake(home);
  try {
    const rows = await lake.query("SELECT DISTINCT model FROM turns WHERE adapter_hash IS NOT NULL");
    const known = new Set(rows.map(({ model }) => String(model)));
    return new Set(models.filter((model) => known.has(model)));
  } finally {
    lake.close();
  }
}

/** White space apart: a model that collapses gives ever the same few answers, to whatever it is asked. */
async function diversityOf(home: Home, run: string): Promise<number | null> {
  const lake = await openLake(home);
  try {
    const [row] = await lake.query(
      `SELECT count(*) AS n, count(DISTINCT regexp_replace(lower(response), '\\s+', ' ', 'g')) AS distinct_answers
       FROM attempts WHERE run = $run AND eval_passed`,
      { run },
    );
    const n = Number(row?.n ?? 0);
    return n === 0 ? null : Number(row?.distinct_answers) / n;
  } finally {
    lake.close();
  }
}
