/**
 * `tracemill champion`: which adapter answers where.
 */
import { z } from "zod";
import { shortHash } from "../foundation/hashing.ts";
import { textTable } from "../foundation/text-table.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";
import { type Champion, placeName, readChampions } from "../registry/index.ts";
import { listAdapters } from "../store/manifests.ts";
import { defineCommand } from "./command.ts";
import { type Tainted, taintsIn, taintWord } from "./taint.ts";

interface ChampionRow extends Champion {
  place: string;
  adapter: string;
  taint: Tainted | null;
  /** Whether something of its lineage is gone, so that nobody knows whether it is tainted. */
  isLineageGone: boolean;
}

export default defineCommand<Record<string, never>, ChampionRow[]>({
  summary: "List the champions: which adapter answers for which skill or role.",
  details: "Example: tracemill champion",
  input: z.object({}),
  async run(_, { home }) {
    const [champions, adapters, taints] = await Promise.all([readChampions(home), listAdapters(home), taintsIn(home)]);
    return [...champions.values()].map((champion) => {
      const adapter = adapters.find(({ adapterHash }) => adapterHash === champion.adapterHash);
      return {
        ...champion,
        place: placeName(champion),
        adapter: adapter === undefined ? shortHash(champion.adapterHash) : adapterLabel(adapter),
        taint: taints.ofAdapter(champion.adapterHash),
        isLineageGone: taints.isLineageGone(champion.adapterHash),
      };
    });
  },
  print(rows) {
    if (rows.length === 0) return "Nothing is promoted: the base answers everywhere.";
    return textTable(
      ["place", "adapter", "since", "by", "taint"],
      rows.map(({ place, adapter, since, comparisonHash, override, taint, isLineageGone }) => [
        place,
        adapter,
        since,
        comparisonHash === null ? `override: ${override}` : `comparison ${shortHash(comparisonHash)}`,
        taint !== null ? taintWord(taint) : isLineageGone ? "lineage gone" : "-",
      ]),
    );
  },
});
