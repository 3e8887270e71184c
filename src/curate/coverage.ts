/**
 * How much of the train items was ever solved, whatever an export would take of it, but for what is revoked, or of a
 * run that another one stands for now.
 */
import type { RunId } from "../records/ids.ts";
import { sqlText } from "../store/duckdb.ts";
import type { Lake } from "../store/lake.ts";
import { OUTCOME } from "./label-query.ts";

/** Of one skill. */
export interface Coverage {
  skill: string;
  /** Train items that were tried. */
  items: number;
  families: number;
  /** Items that at least one attempt solved: a pass that was there before its action is none of its doing. */
  solved: number;
  never: number;
}

/** Reads the coverage of each skill that has train items. Shapes: `covered` are the runs that another one stands for. */
export async function readCoverage(
  lake: Lake,
  { skills, covered }: { skills: readonly string[]; covered: ReadonlyMap<RunId, RunId> },
): Promise<Coverage[]> {
  const isCovered = covered.size === 0 ? "false" : `run IN (${[...covered.keys()].map(sqlText).join(", ")})`;
  const rows = await lake.query(
    `SELECT skill, count(*) AS items, count(DISTINCT family) AS families, count(*) FILTER (is_solved) AS solved
     FROM (SELECT skill, item, any_value(family) AS family, coalesce(bool_or(${OUTCOME} = 'solved'), false) AS is_solved
       FROM files.attempts WHERE split = 'train' AND NOT is_revoked AND NOT ${isCovered} GROUP BY skill, item)
     WHERE skill IN (${skills.map(sqlText).join(", ")}) GROUP BY skill ORDER BY skill`,
  );
  return rows.map(({ skill, items, families, solved }) => ({
    skill: String(skill),
    items: Number(items),
    families: Number(families),
    solved: Number(solved),
    never: Number(items) - Number(solved),
  }));
}
