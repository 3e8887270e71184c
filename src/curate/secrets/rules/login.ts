/** Who logs in where: `name@host` of ssh and its like and of shell prompts, and the host of an `ssh` command. */
import { isIPv4 } from "node:net";
import { isCommonAccount, isCommonHost } from "../known-names.ts";
import { logins } from "../login.ts";
import type { SecretRule, SecretSpan } from "../rule.ts";

/** An option that takes no value, or one that does with it. */
const OPTIONS = String.raw`(?:\s{1,4}-(?:[46AaCfGgKkMNnqsTtVvXxYy]{1,8}(?=\s)|[BbcDEeFIiJLlmOoPpQRSWw]\s{0,4}[^\s]{1,200})){0,8}`;
const COMMAND = new RegExp(
  String.raw`\b(?:ssh|sftp|mosh|ssh-copy-id|ssh-keyscan)${OPTIONS}\s{1,4}([A-Za-z0-9][\w.-]{1,253})(?![\w@:/=-])`,
  "dg",
);
const CONFIG = /\bHostName\s{1,8}([A-Za-z0-9][\w.-]{1,253})/dg;
/** Words that follow `ssh` in prose or in a list of algorithms. */
const NO_MACHINE =
  /^(?:v?\d[\d.]*|(?:ed|rsa|dsa|ecdsa|sha|md|ip|ipv|utf|protocol|version|port|id_|key)[a-z_]*[-_]?\d+\w*|.*\.(?:d|pub|conf|cfg|pem|key|service|socket|sh|py|ts|js|json|ya?ml|md|txt|log))$/i;

const rule: SecretRule = {
  summary: "accounts and hosts of logins",
  hint: /@|\b(?:ssh|sftp|mosh|ssh-[a-z-]{1,10})\s|HostName\s/,
  *find(text) {
    for (const { name, host, start, hostStart } of logins(text)) {
      if (!isCommonAccount(name)) yield { kind: "USER", start, end: start + name.length };
      if (isMachine(host)) yield { kind: "HOST", start: hostStart, end: hostStart + host.length };
    }
    yield* commandHosts(text, COMMAND);
    yield* commandHosts(text, CONFIG);
  },
};

function* commandHosts(text: string, pattern: RegExp): Generator<SecretSpan> {
  for (const { 1: written = "", indices } of text.matchAll(pattern)) {
    const host = written.replace(/[.-]+$/, "");
    const isNamed = /^[a-z][\w-]*(?:\.[\w-]+)*\.[a-z]{2,24}$/i.test(host) || (/\d/.test(host) && /[a-z]/i.test(host));
    const [start = 0] = indices?.[1] ?? [];
    if (isNamed && isMachine(host) && !NO_MACHINE.test(host)) yield { kind: "HOST", start, end: start + host.length };
  }
}

/** Addresses are another rule's. */
function isMachine(host: string): boolean {
  return !host.startsWith("<") && !isIPv4(host) && !isCommonHost(host);
}

export default rule;
