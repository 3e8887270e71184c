/** Passwords among a command's arguments, where nothing but the command says what they are. */
import { looksSecret } from "../looks-secret.ts";
import type { SecretRule } from "../rule.ts";

/** Its end is no backslash: that may escape the quote behind it, where the command stands in JSON. */
const VALUE = String.raw`["']?([^\s"'|;<>]{5,199}[^\s"'|;<>\\])`;
const COMMANDS = [
  String.raw`\bsshpass\s{1,4}-p\s{0,4}${VALUE}`,
  String.raw`\bmysql(?:dump|admin)?\b[^\n|;]{0,120}?\s-p${VALUE}`,
  String.raw`\bdocker login\b[^\n|;]{0,120}?\s-p\s{1,4}${VALUE}`,
  String.raw`\b(?:curl|http|wget)\b[^\n|;]{0,200}?\s(?:-u|--user|-a)\s{1,4}["']?[^\s:"'$]{1,64}:${VALUE}`,
  String.raw`\bredis-cli\b[^\n|;]{0,120}?\s-a\s{1,4}${VALUE}`,
  String.raw`\bldap(?:search|modify|add|delete|whoami|passwd|compare|modrdn)\b[^\n|;]{0,200}?\s-w\s{1,4}${VALUE}`,
  String.raw`\bopenssl\b[^\n|;]{0,200}?\s-(?:k\s{1,4}|pass(?:in|out)?\s{1,4}["']?pass:)${VALUE}`,
  String.raw`\bsnmp-server community\s{1,4}${VALUE}`,
  String.raw`\/user:[^\s]{1,64}\s{1,4}${VALUE}`,
  String.raw`\becho\s{1,4}["']?[\w.-]{1,32}:${VALUE}(?=["']?\s{0,4}\|[^\n]{0,20}chpasswd)`,
].map((source) => new RegExp(source, "dg"));

const rule: SecretRule = {
  summary: "passwords in the arguments of commands",
  hint: /sshpass|mysql|redis-cli|ldap[a-z]|openssl|docker login|\s(?:-u|--user|-a)\s|snmp-server|\/user:|chpasswd/,
  *find(text) {
    for (const pattern of COMMANDS) {
      for (const { 1: password = "", indices } of text.matchAll(pattern)) {
        const [start, end] = indices?.[1] ?? [0, 0];
        if (looksSecret(password, "named")) yield { kind: "PASSWORD", start, end };
      }
    }
  },
};

export default rule;
