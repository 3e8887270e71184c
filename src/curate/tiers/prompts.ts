/** Tasks without an answer, for a trainer that asks the model itself and has the verifier judge what it says. */
import { headOf, originOf, rowKey } from "../answer.ts";
import type { Candidate } from "../candidate.ts";
import { withoutNearCopies } from "../distinct.ts";
import type { TierRule } from "../tier.ts";

const tier: TierRule = {
  summary: "each different first prompt of an item, with what the verifier needs to judge an answer",
  withBad: true,
  rows(sound, work) {
    const { settings, refuse } = work;
    const distinct = new Map<string, Candidate>();
    for (const candidate of sound) {
      const same = distinct.get(candidate.promptKey);
      if (candidate.attemptNumber > 1 || candidate.turnNumber > 1) refuse("not-first-prompt", candidate);
      else if (same !== undefined) refuse("exact-duplicate", candidate, same);
      else distinct.set(candidate.promptKey, candidate);
    }
    const different = withoutNearCopies([...distinct.values()], work, () => []);
    for (const candidate of different.slice(settings.maxPerItem)) refuse("over-item-cap", candidate);
    return different.slice(0, settings.maxPerItem).map((candidate) => ({
      row: {
        kind: "answer",
        ...headOf(candidate, settings),
        completion: [],
        trained: [],
        earlier: [],
        ...originOf(candidate),
      },
      of: [candidate],
      key: rowKey(candidate),
    }));
  },
};

export default tier;
