/** Passwords, tokens and keys by the name that they are given: `DB_PASSWORD=...`, `"api_key": "..."`, `--token ...`. */
import { looksSecret } from "../looks-secret.ts";
import type { SecretKind, SecretRule } from "../rule.ts";

const NAMES =
  "pass(?:word|wd|phrase|code)|(?<![a-z])(?:pass|pwd|pw)|requirepass|identified by|secret|token|credentials?|(?:api|access|auth|secret|license|signing|encryption|private|account|shared[-_]?access)[-_ ]?key|secret[-_]key[-_]base|key-data|(?:tls|server|client)\\.key";
const KEY = /^(?:(?:private|account|shared[-_]?access)[-_ ]?key|key-data|(?:tls|server|client)\.key)$/i;
const PASSWORD = /^(?:pass|pw|requirepass|identified)/i;

/** A sign, or words between the name and its value, or nothing but space. */
const PATTERN = new RegExp(
  `(${NAMES})(?:["'\\\\\\]]{0,4}\\s{0,4}(=>|:=|=|:)\\s{0,4}|\\s{1,4}(?:is (?:now )?|was |to |of )?)(["'\`\\\\]{0,4})([^\\s"'\`\\\\,;&<>(){}\\[\\]|]{6,600})`,
  "dgi",
);

const rule: SecretRule = {
  summary: "values that are named a password, a token or a key",
  hint: /pass|pwd|pw["'\\\]]{0,4}\s{0,4}[=:]|secret|token|credential|identified by|key["'\\\]]{0,4}\s{0,4}[=: ]|key-data/i,
  *find(text) {
    for (const { 1: name = "", 2: sign, 3: quote = "", 4: value = "", indices } of text.matchAll(PATTERN)) {
      const [start, end] = indices?.[4] ?? [0, 0];
      // `single-pass addInt32`: these short names need a sign.
      if (sign === undefined && quote === "" && /^(?:pass|pwd|pw)$/i.test(name)) continue;
      const isCall = text[end] === "(" || text[end] === "[";
      if (isCall || !looksSecret(value, sign === undefined && quote === "" ? "spoken" : "named")) continue;
      yield { kind: kindOf(name), start, end: end - (/[.:!?]+$/.exec(value)?.[0].length ?? 0) };
    }
  },
};

function kindOf(name: string): SecretKind {
  if (KEY.test(name)) return "KEY";
  return PASSWORD.test(name) ? "PASSWORD" : "TOKEN";
}

export default rule;
