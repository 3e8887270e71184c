/**
 * Puts all axes to a candidate and concludes. Each axis alone must pass: then the chance of letting a candidate through that
 * is bad on any one of them is no larger than that axis's own, and nothing needs to be corrected for their number.
 * Source: Berger 1982, Technometrics 24:295 (intersection-union tests).
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import type { AxisResult, GateSettings } from "../records/gate.ts";
import type { Axis, Evidence } from "./axis.ts";

const AXES = join(import.meta.dirname, "axes");

export interface Judgement {
  hasPassed: boolean;
  axes: AxisResult[];
  /** Why it has not, in sentences for people; the decisive one first. */
  reasons: string[];
}

/** Loads every axis by its id, the primary one first. */
export async function loadAxes(): Promise<Map<string, Axis>> {
  const ids = (await extensionIds(AXES)).sort((x, y) => Number(y === "primary") - Number(x === "primary"));
  return new Map(await Promise.all(ids.map(async (id) => [id, await loadExtension<Axis>(AXES, "axis", id)] as const)));
}

/** Judges a candidate on every axis. */
export function judgeAll(axes: ReadonlyMap<string, Axis>, evidence: Evidence, gate: GateSettings): Judgement {
  const results = [...axes.values()].flatMap((axis) => axis.judge(evidence, gate));
  const standing = results.filter(({ outcome, isLetPass }) => outcome !== "passed" && !isLetPass);
  const reasons = standing.map(({ axis, outcome, reason }) => `${axis} ${outcome}: ${reason}`);
  const informative = results.filter(({ kind, outcome }) => kind === "side" && outcome === "passed").length;
  if (informative < gate.informativeSides) {
    reasons.push(`${informative} side axes passed; ${gate.informativeSides} must, so that harm would have been seen.`);
  }
  return { hasPassed: reasons.length === 0, axes: results, reasons };
}
