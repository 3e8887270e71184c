/**
 * The kinds of item that pay: the next item is of the kind with the best prospect, so that a base that can do a few kinds
 * collects many solutions of them while it still looks at the others now and then. An item that was begun is tried to its
 * end first, as the server then evaluates its prompt only once.
 * Source: the upper confidence bound of Auer, Cesa-Bianchi and Fischer, "Finite-time Analysis of the Multiarmed Bandit
 * Problem", 2002; deviates: a smaller weight of the bound, as a kind has few items, and a prior, as one
 * failure says little.
 */
import type { ArchitectRule, ItemProgress } from "../role.ts";

const EXPLORATION = 0.1;
const PRIOR_PASSES = 0.2;

const rule: ArchitectRule = {
  role: "architect",
  pick(open, all) {
    const begun = open.find(({ tried }) => tried > 0);
    if (begun !== undefined) return begun;
    const prospects = prospectsOf(all);
    const prospect = ({ item }: ItemProgress) => prospects.get(item.kind ?? item.family) ?? 0;
    return open.reduce((best, candidate) => (prospect(candidate) > prospect(best) ? candidate : best));
  },
};

export default rule;

/** The upper confidence bound of the pass rate of each kind; items without one count by their family. */
function prospectsOf(all: readonly ItemProgress[]): Map<string, number> {
  const kinds = new Map<string, { tried: number; passed: number }>();
  let total = 0;
  for (const { item, tried, passed } of all) {
    const name = item.kind ?? item.family;
    const counts = kinds.get(name) ?? { tried: 0, passed: 0 };
    kinds.set(name, { tried: counts.tried + tried, passed: counts.passed + passed });
    total += tried;
  }
  const bound = ({ tried, passed }: { tried: number; passed: number }) =>
    (passed + PRIOR_PASSES) / (tried + 1) + EXPLORATION * Math.sqrt(Math.log(total + 1) / (tried + 1));
  return new Map([...kinds].map(([name, counts]) => [name, bound(counts)]));
}
