/**
 * Holds what is to answer at a place to what still stands: neither of the adapter's lineage nor of what it was judged by may
 * anything be revoked.
 */
import { Refusal } from "../foundation/errors.ts";
import { shortHash } from "../foundation/hashing.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import { armNamed, type Decision, decidingPair, type Plan } from "../records/comparison.ts";
import type { RunId } from "../records/ids.ts";
import type { Revocation } from "../records/ledger-entries.ts";
import type { Home } from "../store/home.ts";
import { openGraph, runsJudgedBy } from "./graph.ts";
import { type LineageTaint, runsDecidedBy, taintOfLineage } from "./taint.ts";
import { validateCommand } from "./validate-command.ts";

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

/** Throws: `DECISION_REVOKED` where a run of the comparison, an attempt in one or a verifier that judged in one is revoked. */
export async function refuseRevokedDecision(
  home: Home,
  adapter: AdapterManifest,
  { decision, plan }: { decision: Decision; plan: Plan },
): Promise<void> {
  const by = await revokedBehind(home, decision);
  if (by.length > 0) throw revokedDecision(adapter, plan, by);
}

/** Returns what is revoked of that from which it was decided: of the runs of its arms, as `revokedOfRuns`. */
export async function revokedBehind(home: Home, decision: Decision): Promise<Revocation[]> {
  return revokedOfRuns(home, runsJudgedBy(decision));
}

/** Returns what is revoked of runs: they themselves, attempts in them, verifiers that judged in them. */
export async function revokedOfRuns(home: Home, runs: readonly RunId[]): Promise<Revocation[]> {
  const graph = await openGraph(home);
  try {
    const by: Revocation[] = [];
    for (const one of graph.revoked) {
      const found = await runsDecidedBy(graph, { kind: one.kind, id: one.target });
      if (runs.some((run) => found.has(run))) by.push(one);
    }
    return by;
  } finally {
    await graph.close();
  }
}

/** Says of each revocation what is revoked and why: `the run 20261101-120001-0000 (its database was empty), the tip ...`. */
export function revocationsText(by: readonly Revocation[]): string {
  return by.map(({ kind, target, reason }) => `the ${kind} ${target} (${reason})`).join(", ");
}

function revokedDecision(adapter: AdapterManifest, plan: Plan, by: readonly Revocation[]): Refusal {
  const [reference] = decidingPair(plan);
  const { adapterHash: answering } = armNamed(plan, reference);
  return new Refusal({
    code: "DECISION_REVOKED",
    message: `The last comparison on ${plan.skill.id} of the adapter ${adapterLabel(adapter)} was decided from what is revoked.`,
    expected: "a comparison of which no run, no attempt and no verifier is revoked",
    got: revocationsText(by),
    where: `comparison ${shortHash(plan.comparisonHash)}`,
    fix: `${validateCommand(adapter, { skill: plan.skill.id, answering })} --seed ${plan.seed + 1}`,
  });
}

function taintedAdapter(adapter: AdapterManifest, tainted: LineageTaint["tainted"], fix?: string): Refusal {
  const dataset = shortHash(tainted[0]?.datasetHash ?? "");
  const was = tainted.some(({ isCertain }) => isCertain) ? "was" : "may have been";
  return new Refusal({
    code: "TAINTED_ADAPTER",
    message: `The adapter ${adapterLabel(adapter)} ${was} trained on what is revoked.`,
    expected: "an adapter of datasets without a revoked row",
    got: revocationsText(tainted.flatMap(({ by }) => by)),
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
