/**
 * What an adapter has seen of the families that it would be judged on: in the rows of its whole lineage and of that of the
 * adapters that wrote these rows, and in the tips that stood in the prompts of the runs these rows are of. Learning cannot be told from
 * remembering by what is solved. The rows that only watched a training are left out where the validation split is what it would be
 * judged on: they are of that split by design, nothing was trained on them, and what is decided there promotes nothing.
 */
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { Split } from "../records/item.ts";
import type { Part } from "../records/selection.ts";
import { sqlText } from "../store/duckdb.ts";
import { hasRowLineage, readRowLineage } from "../store/row-lineage.ts";
import type { Graph } from "./graph.ts";
import { type Source, sourcesOf } from "./writers.ts";

/** Families of a skill that a candidate is judged on, all of one split. */
export interface JudgedFamilies {
  skill: string;
  split: Split;
  families: ReadonlySet<string>;
}

interface Family {
  skill: string;
  family: string;
  /** Of the rows that are of it; missing where it was seen otherwise. */
  part?: Part;
}

/**
 * Says in words what the lineage of an adapter shares with the families. Null where nothing is found but something of the
 * lineage is gone (a dataset, a writer, the log of a run, where a tip was learnt, what a scrubbed name stands for), so that nobody knows what it has seen.
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
    const scrubbed = await scrubbedFamiliesOf(graph, source.dataset, judged);
    for (const seen of [...familiesOf(source.dataset), ...tips, ...scrubbed]) {
      if (seen === null) {
        isKnown = false;
        continue;
      }
      if (judged.some((one) => isLeak(seen, one)))
        leaks.add(`${seen.family} of ${seen.skill} (${sourceName(graph, source)})`);
    }
  }
  return leaks.size === 0 && !isKnown ? null : [...leaks].sort();
}

function isLeak({ skill, family, part }: Family, judged: JudgedFamilies): boolean {
  if (part === "validation" && judged.split === "validation") return false;
  return judged.skill === skill && judged.families.has(family);
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

/** What stands in a name where a secret was taken out of it. */
const PLACEHOLDER = /<[A-Z]+_[0-9]{1,9}>/;

/**
 * The judged families that rows are of under a name without its secrets: only the lake still has the name itself. Null stands for such
 * a name that may be a judged one where the dataset does not say which turns became its rows.
 */
async function scrubbedFamiliesOf(
  graph: Graph,
  dataset: DatasetManifest,
  judged: readonly JudgedFamilies[],
): Promise<(Family | null)[]> {
  const scrubbed = familiesOf(dataset).filter(({ family }) => PLACEHOLDER.test(family));
  const possible = judged.flatMap(({ skill, families }) => {
    const names = scrubbed.filter((one) => one.skill === skill).map(({ family }) => family.split(PLACEHOLDER));
    const mayBe = (family: string) =>
      names.some((parts) => family.startsWith(parts[0] ?? "") && family.endsWith(parts.at(-1) ?? ""));
    return [...families].filter(mayBe).map((family) => ({ skill, family }));
  });
  if (possible.length === 0) return [];
  if (!hasRowLineage(dataset)) return [null];
  const turns = await turnsOf(graph, dataset, possible);
  const found: Family[] = [];
  for await (const row of readRowLineage(graph.home, dataset))
    found.push(...row.turns.flatMap((turn) => turns.get(turn) ?? []).map((seen) => ({ ...seen, part: row.part })));
  return found;
}

/** The turns of a dataset's runs that are about these families; a turn that chose an item is about that one. */
async function turnsOf(
  graph: Graph,
  { inputs }: DatasetManifest,
  families: readonly Family[],
): Promise<Map<string, Family>> {
  const lake = await graph.lake();
  const runs = inputs.runs.map(({ run }) => sqlText(run)).join(", ");
  const names = families.map(({ skill, family }) => `(${sqlText(skill)}, ${sqlText(family)})`).join(", ");
  const rows = await lake.query(
    `SELECT t.turn, t.skill, coalesce(i.family, t.family) AS family FROM files.turns t
     LEFT JOIN files.architect_choices c ON c.run = t.run AND c.turn = t.turn
     LEFT JOIN files.items i ON i.run = t.run AND i.item = c.item
     WHERE t.run IN (${runs}) AND (t.skill, coalesce(i.family, t.family)) IN (${names})`,
  );
  return new Map(
    rows.map(({ turn, skill, family }) => [String(turn), { skill: String(skill), family: String(family) }]),
  );
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
