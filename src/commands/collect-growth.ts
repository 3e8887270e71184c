/**
 * How the pass rate of a run grew while its memory did: the attempts in their order, in thirds.
 */
import { z } from "zod";
import { percent } from "../statistics/figures.ts";
import type { Home } from "../store/home.ts";
import { openLake } from "../store/lake.ts";

export interface Third {
  attempts: number;
  passed: number;
}

const rowSchema = z.object({ attempts: z.coerce.number(), passed: z.coerce.number() });

/** Returns the attempts of each third of a run, in the order of their verdicts; fewer where there are fewer attempts. */
export async function collectGrowth(home: Home, run: string): Promise<Third[]> {
  const lake = await openLake(home);
  try {
    const rows = await lake.query(
      `SELECT count(*) AS attempts, count(*) FILTER (passed) AS passed
       FROM (SELECT passed, ntile(3) OVER (ORDER BY seq) AS third FROM verdicts WHERE run = $run AND signal_type <> 'judgment')
       GROUP BY third ORDER BY third`,
      { run },
    );
    return rows.map((row) => rowSchema.parse(row));
  } finally {
    lake.close();
  }
}

/** Says it in a line: `first third 5 of 90 passed (5.6 %), second ...`. */
export function growthLine(thirds: readonly Third[]): string {
  const names = ["first third", "second", "last"];
  return thirds
    .map(({ attempts, passed }, i) => `${names[i]} ${passed} of ${attempts} passed (${percent(passed / attempts)})`)
    .join(", ");
}
