/** The account in a network URL, and its host where the name has no dot: such a name only a private network knows. */
import { isCommonAccount, isCommonHost } from "../known-names.ts";
import type { SecretRule } from "../rule.ts";

const rule: SecretRule = {
  summary: "accounts and undotted hosts in URLs",
  hint: /[a-z]:\/\/[A-Za-z0-9_]/i,
  *find(text) {
    const pattern =
      /(?<=(?<![a-z])(?:https?|wss?|ftps?|sftp|ssh|rsync|git|svn|smb|nfs|ldaps?|rediss?|amqps?|mqtts?|kafka|nats|tcp|udp|postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|clickhouse|telnet|vnc|rdp|smtps?|imaps?)):\/\/(?:([^\s:/@"'`<>\\]{1,100})(:[^\s/@"'`]{0,256})?@)?([a-z0-9][\w.-]{0,252})?/dgi;
    for (const { 1: name, 2: password, 3: host = "", indices } of text.matchAll(pattern)) {
      const [at, until] = indices?.[1] ?? [0, 0];
      if (name !== undefined && !isCommonAccount(name) && !isPlaceholderPassword(password))
        yield { kind: "USER", start: at, end: until };
      const [start, end] = indices?.[3] ?? [0, 0];
      const isMachine = !host.includes(".") && !/^\d*$/.test(host) && !host.includes("_") && !isCommonHost(host);
      if (isMachine) yield { kind: "HOST", start, end };
    }
  },
};

/** Manuals write `user:pass@`. */
function isPlaceholderPassword(password: string | undefined): boolean {
  return password !== undefined && /^:(?:pass(?:word)?|secret|pwd)$/i.test(password);
}

export default rule;
