/** Good answers, to be imitated. */
import { answerOf, headOf, originOf, rowKey } from "../answer.ts";
import { capped, withoutCopies, withoutNearCopies } from "../distinct.ts";
import type { TierRule } from "../tier.ts";
import { tried } from "../tries.ts";
import { wholeAttempts } from "../whole-attempt.ts";

const tier: TierRule = {
  summary: "answers that the filter lets through, to be imitated",
  withBad: false,
  rows(sound, work) {
    const { settings } = work;
    if (settings.unit === "attempt") return wholeAttempts(sound, work);
    const kept = capped(withoutNearCopies(withoutCopies(tried(sound, work), work), work), work);
    return kept.map((candidate) => {
      const answer = answerOf(candidate, settings);
      const row = {
        kind: "answer" as const,
        ...headOf(candidate, settings),
        completion: [answer],
        trained: [true],
        earlier: [],
        ...originOf(candidate),
      };
      return { row, of: [candidate], key: rowKey(candidate, answer) };
    });
  },
};

export default tier;
