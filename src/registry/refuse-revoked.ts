/**
 * Holds what is to answer at a place to what still stands: nothing of the adapter's lineage may be revoked.
 */
import { Refusal } from "../foundation/errors.ts";
import { shortHash } from "../foundation/hashing.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { Home } from "../store/home.ts";
import { openGraph } from "./graph.ts";
import { type LineageTaint, taintOfLineage } from "./taint.ts";

/**
 * Looks at the adapter and at all that it went on from. `fix`: what to do instead, where that is known; `mayBeUnknown`: whether
 * somebody answers for what is not known of it.
 * Throws: `TAINTED_ADAPTER`, `LINEAGE_GONE`, `DATASET_CHANGED`.
 */
export async function refuseTaintedAdapter(
  home: Home,
  adapter: AdapterManifest,
  { fix, mayBeUnknown = false }: { fix?: string; mayBeUnknown?: boolean } = {},
): Promise<void> {
  const graph = await openGraph(home);
  try {
    const { tainted, gone } = await taintOfLineage(graph, adapter.adapterHash);
    if (tainted.length > 0) throw taintedAdapter(adapter, tainted, fix);
    if (gone.length > 0 && !mayBeUnknown) throw lineageGone(adapter, gone, fix);
  } finally {
    await graph.close();
  }
}

function taintedAdapter(adapter: AdapterManifest, tainted: LineageTaint["tainted"], fix?: string): Refusal {
  const dataset = shortHash(tainted[0]?.datasetHash ?? "");
  return new Refusal({
    code: "TAINTED_ADAPTER",
    message: `The adapter ${adapterLabel(adapter)} was trained on what is revoked.`,
    expected: "an adapter of datasets without a revoked row",
    got: tainted
      .flatMap(({ by }) => by.map(({ kind, target, reason }) => `the ${kind} ${target} (${reason})`))
      .join(", "),
    where: `dataset ${dataset}`,
    fix: fix ?? `tracemill dataset rebuild ${dataset}, train on its successor and validate that`,
  });
}

function lineageGone(adapter: AdapterManifest, gone: LineageTaint["gone"], fix?: string): Refusal {
  return new Refusal({
    code: "LINEAGE_GONE",
    message: `What the adapter ${adapterLabel(adapter)} was trained on is not known whole, and may be what is revoked.`,
    expected: "an adapter whose whole lineage is here",
    got: `no ${gone.map(({ kind, id }) => `${kind} ${shortHash(id)}`).join(", no ")}`,
    fix: fix ?? 'put the folder back, or say why it is to be promoted all the same: --override "reason"',
  });
}
