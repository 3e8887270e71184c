/**
 * What may keep an example out, or a pair of the reflector's answers, beside the integrity filters of `filters/`, which
 * say it themselves: each reason as the dataset's card explains it. Does not know why a format refuses a row.
 */
export const OTHER_REASONS = {
  filter: "the filter does not let it through",
  "revoked-verdict": "no verdict of its attempt stands, as it or what judged it is revoked",
  "held-out-family": "a registered comparison judges by its family",
  "held-out-text": "its task says nearly what a held-out item of a registered comparison says",
  "outside-band": "too few or too many of the item's attempts solved it",
  "easy-item": "most of the item's attempts solved it, and easy items are damped",
  "not-first-try": "not the first attempt at its item",
  "not-best-try": "not the attempt with the fewest completion tokens",
  "not-first-prompt": "not what an attempt at the item began with",
  "not-in-last-prompt": "the last prompt of its whole attempt does not hold it, as where a summary took its place",
  "no-clean-label": "its label may be the fault of its environment or verifier",
  "not-last-answer": "its attempt failed, which says nothing of an answer before the last one",
  "no-partner": "no answer to a comparable prompt that differs in more than trivia has the other label",
  "exact-duplicate": "the same prompt and answer as another example",
  "near-duplicate": "nearly the same as another example",
  "over-item-cap": "its item has enough rows",
  balance: "its family or skill has more rows than its share",
  "no-answer": "no answered turn of a reflector wrote the tip",
  "not-a-failure": "the tip's attempt passed, was not judged, or its environment was suspect",
  "several-tips-in-one-answer": "the answer holds other tips, too",
  observational: "no draw of the tip was random",
  "drawn-alike": "the tip's draws are another tip's, too",
  "drawn-unlike": "runs drew the tip with probabilities more than five times as large as others",
  "effect-unknown": "too few draws of the tip, or too few tips to compare it with",
  "same-answer": "the two tips have the same words",
  "not-credible": "the difference between the two tips may be none",
  "over-tip-cap": "one of the two tips is in enough pairs",
  "over-pair-cap": "the two tips have enough tasks",
} as const;
