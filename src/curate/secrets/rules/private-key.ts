/** Private keys in PEM, whole or cut off, in base64 again, and those that have a form of their own. */
import type { SecretRule, SecretSpan } from "../rule.ts";

const LONGEST_KEY = 20_000;
const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
/** Headers of an encrypted or a PGP block, then lines of base64. */
const BODY =
  /(?:[\s\\"',+]{0,40}(?:[A-Za-z-]{1,30}: [^\s\\]{1,80}){0,1}){0,4}(?:[\s\\"',+]{0,40}[A-Za-z0-9+/=]{1,200}){0,400}/y;
const ENCODED_BEGIN = /(?<![A-Za-z0-9+/])LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,40000}={0,2}/g;

const rule: SecretRule = {
  summary: "private keys",
  hint: /PRIVATE KEY|LS0tLS1CRUdJTi|AGE-SECRET-KEY-/,
  *find(text) {
    yield* blocks(text);
    for (const { 0: encoded, index } of text.matchAll(ENCODED_BEGIN)) {
      const isPrivate = Buffer.from(encoded.slice(0, 100), "base64").toString("latin1").includes("PRIVATE KEY");
      if (isPrivate) yield { kind: "KEY", start: index, end: index + encoded.length };
    }
    for (const { 0: key, index } of text.matchAll(/AGE-SECRET-KEY-1[0-9A-Z]{20,100}/g))
      yield { kind: "KEY", start: index, end: index + key.length };
  },
};

function* blocks(text: string): Generator<SecretSpan> {
  let until = 0;
  for (const { 0: begin, index } of text.matchAll(BEGIN)) {
    if (index < until) continue;
    const bodyStart = index + begin.length;
    const ahead = text.slice(bodyStart, bodyStart + LONGEST_KEY);
    const next = ahead.search(/-----BEGIN /);
    const end = END.exec(next < 0 ? ahead : ahead.slice(0, next));
    BODY.lastIndex = bodyStart;
    const body = end === null ? (BODY.exec(text)?.[0] ?? "") : ahead.slice(0, end.index);
    // A manual shows the frame alone, or three dots in it.
    if (!/[A-Za-z0-9+/]{24}/.test(body)) continue;
    until = bodyStart + body.length + (end?.[0].length ?? 0);
    yield { kind: "KEY", start: index, end: until };
  }
}

export default rule;
