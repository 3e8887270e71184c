/** Good and bad answers, each with its label: for losses that need no pairs. */
import { goodAndBad } from "../good-and-bad.ts";
import type { TierRule } from "../tier.ts";
import demonstrations from "./demonstrations.ts";

const tier: TierRule = {
  summary: "answers with their label: those that the filter lets through, and clean failures",
  withBad: true,
  rows(sound, work) {
    const { good, bad } = goodAndBad(sound, work);
    return [good, bad].flatMap((answers) => demonstrations.rows(answers, work));
  },
};

export default tier;
