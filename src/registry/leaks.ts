/**
 * What an adapter has seen of the families that it would be judged on: in the rows of its whole lineage, and in the tips that
 * stood in the prompts of the runs these rows are of. Learning cannot be told from remembering by what is solved.
 */
import type { Hash } from "../foundation/hashing.ts";
import { shortHash } from "../foundation/hashing.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { sqlText } from "../store/duckdb.ts";
import { ancestryOf, type Graph } from "./graph.ts";

/** Families of a skill that a candidate is judged on. */
export interface JudgedFamilies {
  skill: string;
  families: ReadonlySet<string>;
}

/**
 * Says in words what the lineage of an adapter shares with the families; null where a dataset of it is gone, so that nothing
 * says what it has seen. Throws: as `openLake`.
 */
export async function leaksOf(
  graph: Graph,
  adapterHash: Hash,
  judged: readonly JudgedFamilies[],
): Promise<string[] | null> {
  const lineage = ancestryOf(graph, adapterHash);
  const hasGap = lineage.length === 0 || lineage[0]?.parent !== null;
  const datasets = lineage.map(({ datasetHash }) => graph.datasets.find((one) => one.datasetHash === datasetHash));
  const known = datasets.filter((dataset) => dataset !== undefined);
  if (hasGap || known.length < datasets.length) return null;
  const leaks = new Set<string>();
  for (const dataset of known) {
    for (const { skill, family } of [...familiesOf(dataset), ...(await tipFamiliesOf(graph, dataset))]) {
      if (judged.some((one) => one.skill === skill && one.families.has(family))) {
        leaks.add(`${family} of ${skill} (dataset ${shortHash(dataset.datasetHash)})`);
      }
    }
  }
  return [...leaks].sort();
}

/** Family names belong to a skill: the same name in another skill is another family. */
function familiesOf({ byFamily, counts, skills }: DatasetManifest): { skill: string; family: string }[] {
  if (byFamily.length > 0) return byFamily;
  return skills.flatMap((skill) => counts.families.map((family) => ({ skill, family })));
}

async function tipFamiliesOf(graph: Graph, { inputs }: DatasetManifest): Promise<{ skill: string; family: string }[]> {
  if (inputs.runs.length === 0) return [];
  const lake = await graph.lake();
  const runs = inputs.runs.map(({ run }) => sqlText(run)).join(", ");
  const rows = await lake.query(
    `SELECT DISTINCT t.skill AS skill, t.family AS family FROM retrievals r JOIN tips t ON t.tip = r.tip
     WHERE r.run IN (${runs}) AND r.is_rendered`,
  );
  return rows.map(({ skill, family }) => ({ skill: String(skill), family: String(family) }));
}
