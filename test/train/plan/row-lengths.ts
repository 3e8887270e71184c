/** The lengths of a dataset's rows as a plan takes them: nothing that is validated on, rehearsed or too long unless it is given. */
import type { TokenLengths } from "../../../src/train/plan/lengths.ts";

export function rowLengths(given: Pick<TokenLengths, "rows" | "tokens" | "max"> & Partial<TokenLengths>): TokenLengths {
  return {
    ...{ p50: given.max, p99: given.max, others: 0, trained: given.max },
    ...{ longer: { train: 0, validation: 0, rehearsal: 0 }, validationRows: 0, rehearsed: null },
    ...given,
  };
}
