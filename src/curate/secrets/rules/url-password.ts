/** The password in a URL of any scheme. */
import { looksSecret } from "../looks-secret.ts";
import type { SecretRule } from "../rule.ts";

const rule: SecretRule = {
  summary: "passwords in URLs",
  hint: /:\/\/[^\s:/@]{0,256}:[^\s/@]{1,256}@/,
  *find(text) {
    for (const { 1: password = "", indices } of text.matchAll(/:\/\/[^\s:/@]{0,256}:([^\s/@]{1,256})@[\w<[-]/dg)) {
      const [start, end] = indices?.[1] ?? [0, 0];
      if (looksSecret(password, "named")) yield { kind: "PASSWORD", start, end };
    }
  },
};

export default rule;
