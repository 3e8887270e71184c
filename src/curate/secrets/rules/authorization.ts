/** What an HTTP client shows to be let in: bearer tokens, basic credentials, JSON web tokens wherever they stand. */
import type { SecretRule } from "../rule.ts";

const rule: SecretRule = {
  summary: "bearer tokens, basic credentials and JSON web tokens",
  hint: /eyJ|bearer\s|basic\s|authorization/i,
  *find(text) {
    for (const { 0: token, index } of text.matchAll(
      /(?<![\w-])eyJ[\w-]{10,4000}\.eyJ[\w-]{4,8000}(?:\.[\w-]{0,2000})?/g,
    ))
      yield { kind: "TOKEN", start: index, end: index + token.length };
    const pattern =
      /\b(bearer|basic|authorization["']?\s{0,2}[:=]\s{0,2}["']?token)\s{1,2}([\w.~+/-]{8,4000}={0,2})/dgi;
    for (const { 1: scheme = "", 2: token = "", indices } of text.matchAll(pattern)) {
      const isToken = /^basic$/i.test(scheme) ? isCredential(token) : token.length >= 16 && /\d/.test(token);
      const [start, end] = indices?.[2] ?? [0, 0];
      if (isToken && /[A-Za-z]/.test(token)) yield { kind: "TOKEN", start, end };
    }
  },
};

/** `name:password` in base64 of printable characters. */
function isCredential(token: string): boolean {
  return /^[\x20-\x7e]{1,200}:[\x20-\x7e]{1,400}$/.test(Buffer.from(token, "base64").toString("latin1"));
}

export default rule;
