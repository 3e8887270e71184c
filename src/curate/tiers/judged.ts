/** Good and bad answers, each with its label: for losses that need no pairs. */
import { goodAndBad } from "../good-and-bad.ts";
import type { TierRule } from "../tier.ts";
import demonstrations from "./demonstrations.ts";

const tier: TierRule = {
  summary: "answers with their label: those that the filter lets through, and clean failures",
  withBad: true,
  rows(sound, work) {
    const { good, bad } = goodAndBad(sound, work);
    const rows = [good, bad].flatMap((answers) => demonstrations.rows(answers, work));
    const kept = new Map<string, (typeof rows)[number]>();
    for (const row of rows) {
      const same = kept.get(row.key);
      if (same === undefined) kept.set(row.key, row);
      // The same answer passed once and failed once: the pass was verified, and the failure is not the answer's.
      else for (const candidate of row.of) work.refuse("exact-duplicate", candidate, same.of[0]);
    }
    return [...kept.values()];
  },
};

export default tier;
