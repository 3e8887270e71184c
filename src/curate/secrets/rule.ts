/**
 * A rule that finds one sort of secret in a text. Every file of `rules/` is one; its file name is its id.
 */
/** The more that a kind says, the earlier. */
export const KINDS = ["KEY", "TOKEN", "PASSWORD", "EMAIL", "ADDRESS", "HOST", "USER"] as const;

/** What a placeholder says of the secret that it stands for. */
export type SecretKind = (typeof KINDS)[number];

/** The UTF-16 units [start, end) of a text are a secret. */
export interface SecretSpan {
  kind: SecretKind;
  start: number;
  end: number;
}

/** A secret and the id of the rule that found it. */
export interface FoundSpan extends SecretSpan {
  rule: string;
}

export interface SecretRule {
  /** What is found, for people. */
  summary: string;
  /** Contract: matches every text in which `find` finds something; linear; neither global nor sticky. */
  hint: RegExp;
  /**
   * Contract: pure, linear in the text, must not throw. In `text` a line break or tab that was written as an escape
   * (`\n` within JSON) is blank, so that it is no part of the word behind it; `raw` is the text as it is, just as long.
   */
  find(text: string, raw: string): Iterable<SecretSpan>;
}
