/**
 * Many tests at once, where some false alarms may pass as long as they stay few among all alarms: the false discovery
 * rate. From p-values (Benjamini and Hochberg), and from e-values, which need no assumption on how the tests depend.
 */

/**
 * The smallest rate at which each test would be called, in the order given: call those at or below the chosen rate.
 * The rate is kept for tests that are independent or positively dependent.
 * Units: p-values and rates are fractions.
 * Source: Benjamini and Hochberg 1995, JRSS B 57:289.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((x, y) => y.p - x.p);
  const rates = new Array<number>(pValues.length);
  let smallest = 1;
  for (const [place, { p, index }] of order.entries()) {
    smallest = Math.min(smallest, p * (pValues.length / (pValues.length - place)));
    rates[index] = smallest;
  }
  return rates;
}

/**
 * The same from e-values (expectation at most 1 where there is nothing to find). The rate is kept under any dependence,
 * so also for tips that were drawn in the same attempts, and at any time of looking.
 * Source: Wang and Ramdas 2022, JRSS B 84:822 (e-BH): it is the procedure above with p = 1 / e.
 */
export function eBenjaminiHochberg(eValues: readonly number[]): number[] {
  return benjaminiHochberg(eValues.map((e) => Math.min(1, 1 / e)));
}
