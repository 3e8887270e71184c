/**
 * What an adapter has seen of the families that it would be judged on: in the rows of its whole lineage and of that of the
 * adapters that wrote these rows, and in the tips that stood in the prompts of the runs these rows are of. Learning cannot be told from
 * remembering by what is solved.
 */
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { sqlText } from "../store/duckdb.ts";
import type { Graph } from "./graph.ts";
import { type Source, sourcesOf } from "./writers.ts";

/** Families of a skill that a candidate is judged on. */
export interface JudgedFamilies {
  skill: string;
  families: ReadonlySet<string>;
}

interface Family {
  skill: string;
  family: string;
}

/**
 * Says in words what the lineage of an adapter shares with the families. Null where nothing is found but something of the
 * lineage is gone (a dataset, a writer, the log of a run, where a tip was learnt), so that nobody knows what it has seen.
 * Throws: as `openLake`; `DATASET_CHANGED`.
 */
export async function leaksOf(
  graph: Graph,
  adapterHash: Hash,
  judged: readonly JudgedFamilies[],
): Promise<string[] | null> {
  const { sources, isWhole } = await sourcesOf(graph, adapterHash);
  const leaks = new Set<string>();
  let isKnown = isWhole;
  for (const source of sources) {
    const tips = await tipFamiliesOf(graph, source.dataset);
    if (tips.some((tip) => tip === null)) isKnown = false;
    for (const seen of [...familiesOf(source.dataset), ...tips]) {
      if (seen === null) continue;
      const { skill, family } = seen;
      if (judged.some((one) => one.skill === skill && one.families.has(family)))
        leaks.add(`${family} of ${skill} (${sourceName(graph, source)})`);
    }
  }
  return leaks.size === 0 && !isKnown ? null : [...leaks].sort();
}

function sourceName({ adapters }: Graph, { dataset, writer }: Source): string {
  const name = `dataset ${shortHash(dataset.datasetHash)}`;
  if (writer === null) return name;
  const adapter = adapters.find(({ adapterHash }) => adapterHash === writer);
  return `${name} of ${adapter === undefined ? shortHash(writer) : adapterLabel(adapter)}, which wrote rows`;
}

/** Family names belong to a skill: the same name in another skill is another family. */
function familiesOf({ byFamily, counts, skills }: DatasetManifest): Family[] {
  if (byFamily.length > 0) return byFamily;
  return skills.flatMap((skill) => counts.families.map((family) => ({ skill, family })));
}

/** Null stands for tips that the lake does not know: the run that learnt them is gone, or was never here. */
async function tipFamiliesOf(graph: Graph, { inputs }: DatasetManifest): Promise<(Family | null)[]> {
  if (inputs.runs.length === 0) return [];
  const lake = await graph.lake();
  const runs = inputs.runs.map(({ run }) => sqlText(run)).join(", ");
  const rows = await lake.query(
    `SELECT DISTINCT t.skill AS skill, t.family AS family FROM sealed.rendered_tips r
     LEFT JOIN files.tips t ON t.tip = r.tip WHERE r.run IN (${runs})`,
  );
  return rows.map(({ skill, family }) =>
    skill === null || family === null ? null : { skill: String(skill), family: String(family) },
  );
}
