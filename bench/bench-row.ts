/**
 * One line of the benchmark table.
 */
export interface BenchRow {
  name: string;
  ours: number;
  /** The bare library or peer in the same run; null where a figure stands alone (a growth curve). */
  peer: number | null;
  /** Ours over the peer's; above 1 is better where the unit is a rate. */
  ratio: number | null;
  unit: string;
}
