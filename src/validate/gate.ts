/**
 * A gate turns the figures of one pair of arms into a verdict. Every file of `gates/` is one, its file name is its id;
 * a plan names its gate before the first call. A gate is pure: it sees figures, never runs.
 */
import { join } from "node:path";
import { loadExtension } from "../foundation/discovery.ts";
import type { GateVerdict, PairResult } from "../records/comparison.ts";

export type PairFigures = Omit<PairResult, "verdict">;

export interface Gate {
  /** What makes it say better, worse or inconclusive, in one sentence for people. */
  summary: string;
  /** Contract: swapping the arms swaps better and worse. `reasons` are sentences for people, the decisive one first. */
  judge(pair: PairFigures, alpha: number): { verdict: GateVerdict; reasons: string[] };
}

/** Throws: `UNKNOWN_GATE` with the nearest known ids. */
export function loadGate(id: string): Promise<Gate> {
  return loadExtension<Gate>(join(import.meta.dirname, "gates"), "gate", id);
}
