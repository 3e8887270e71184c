/**
 * Things as nodes of a lineage: what is to be known of each, and whether it is revoked or tainted.
 */
import type { Json } from "../foundation/canonical-json.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { RunId } from "../records/ids.ts";
import type { LineageNode, Mark, Thing } from "../records/lineage.ts";
import { adaptersOf, childrenOf, decisionsOn, type Graph } from "./graph.ts";
import { taintOfAdapter } from "./taint.ts";

/** The graph, which of its datasets are tainted, and which adapters learned from rows that a tainted one wrote. */
export interface Marked {
  graph: Graph;
  tainted: ReadonlyMap<Hash, { isCertain: boolean }>;
  writers: ReadonlyMap<Hash, Hash>;
}

/** Describes a thing by what manifests and ledger say of it; `facts` come first. */
export function nodeOf(
  marked: Marked,
  { kind, id }: Thing,
  { facts = {}, nodes = [] }: { facts?: Record<string, Json>; nodes?: LineageNode[] } = {},
): LineageNode {
  return {
    kind,
    id,
    facts: { ...facts, ...knownFacts(marked.graph, { kind, id }) },
    mark: markOf(marked, { kind, id }),
    nodes,
  };
}

/** A dataset with the adapters that were trained on it and the decisions on these. */
export function datasetNode(marked: Marked, datasetHash: Hash, facts: Record<string, Json> = {}): LineageNode {
  const nodes = adaptersOf(marked.graph, datasetHash).map(({ adapterHash }) => adapterNode(marked, adapterHash));
  return nodeOf(marked, { kind: "dataset", id: datasetHash }, { facts, nodes });
}

function adapterNode(marked: Marked, adapterHash: Hash): LineageNode {
  return nodeOf(marked, { kind: "adapter", id: adapterHash }, { nodes: adapterNodes(marked, adapterHash) });
}

/** What was made of an adapter: those that went on from its weights, each with its own; the decisions on it, and where it was promoted. */
export function adapterNodes(marked: Marked, adapterHash: Hash): LineageNode[] {
  const children = childrenOf(marked.graph, adapterHash).map((child) => adapterNode(marked, child.adapterHash));
  return [...children, ...decisionNodes(marked, adapterHash), ...promotionNodes(marked, adapterHash)];
}

/** The promotions that were not rolled back. */
function promotionNodes({ graph }: Marked, adapterHash: Hash): LineageNode[] {
  return [...graph.promoted].flatMap(([place, standing]) =>
    standing.flatMap((promotion): LineageNode[] => {
      const { since, comparisonHash, override } = promotion;
      const facts = { since, comparisonHash, override, isChampion: promotion === standing.at(-1) };
      const node: LineageNode = { kind: "promotion", id: place, facts, mark: null, nodes: [] };
      return promotion.adapterHash === adapterHash ? [node] : [];
    }),
  );
}

function decisionNodes(marked: Marked, adapterHash: Hash): LineageNode[] {
  return decisionsOn(marked.graph, adapterHash).map(({ comparisonHash }) =>
    nodeOf(marked, { kind: "decision", id: comparisonHash }),
  );
}

function knownFacts(graph: Graph, { kind, id }: Thing): Record<string, Json> {
  if (kind === "run") {
    const sealed = graph.sealed.get(id as RunId);
    return sealed === undefined ? { state: "not sealed" } : { skill: sealed.skill, head: sealed.head };
  }
  if (kind === "dataset") {
    const dataset = graph.datasets.find(({ datasetHash }) => datasetHash === id);
    if (dataset === undefined) return { state: "gone" };
    const { skills, role, counts, replaces } = dataset;
    const { trainRows, validationRows } = counts;
    return { skills, role, trainRows, validationRows, ...(replaces !== undefined && { replaces }) };
  }
  if (kind === "adapter") {
    const adapter = graph.adapters.find(({ adapterHash }) => adapterHash === id);
    return adapter === undefined ? { state: "gone" } : { name: adapter.name, base: adapter.base };
  }
  if (kind === "decision") {
    const decision = graph.decisions.find(({ comparisonHash }) => comparisonHash === id);
    if (decision === undefined) return { state: "not the one that the ledger names" };
    const { verdict, hasPassed, pairs } = decision;
    return { verdict, hasPassed, difference: pairs[0]?.difference ?? null };
  }
  return {};
}

function markOf({ graph, tainted, writers }: Marked, { kind, id }: Thing): Mark | null {
  const revoked = graph.revoked.find((one) => one.kind === kind && one.target === id);
  if (revoked !== undefined) return { kind: "revoked", reason: revoked.reason };
  const taint = kind === "adapter" ? taintOfAdapter(graph, tainted, id as Hash) : (tainted.get(id as Hash) ?? null);
  if (taint !== null) return { kind: "tainted", isCertain: taint.isCertain };
  const writer = kind === "adapter" ? writers.get(id as Hash) : undefined;
  return writer === undefined ? null : { kind: "written-by", adapterHash: writer };
}
