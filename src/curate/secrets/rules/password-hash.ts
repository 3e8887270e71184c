/** Hashes of passwords as `/etc/shadow`, web frameworks and GRUB keep them: a guess may be tried on them at home. */
import type { SecretRule } from "../rule.ts";

const PATTERN =
  /\$(?:1|5|6|y|gy|7|apr1)\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9$]{1,100}\$[./A-Za-z0-9]{20,100}|\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}|\$argon2(?:id|i|d)\$[\w=,$+/.-]{30,300}|grub\.pbkdf2\.sha512\.\d{1,8}\.[0-9A-Fa-f]{16,1000}\.[0-9A-Fa-f]{16,1000}|pbkdf2_sha256\$\d{1,8}\$\w{1,64}\$[A-Za-z0-9+/]{20,100}={0,2}/g;

const rule: SecretRule = {
  summary: "hashes of passwords",
  hint: /\$(?:1|5|6|y|gy|7|apr1|2[abxy]?|argon2(?:id|i|d))\$|grub\.pbkdf2\.|pbkdf2_sha256\$/,
  *find(text) {
    for (const { 0: hash, index } of text.matchAll(PATTERN))
      yield { kind: "PASSWORD", start: index, end: index + hash.length };
  },
};

export default rule;
