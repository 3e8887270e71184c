/** IPv4 and IPv6 addresses of machines; a version, an object identifier or a netmask looks alike and is none. */
import { isNamedBlock, kindOfIPv4, kindOfIPv6 } from "../address-range.ts";
import type { SecretRule, SecretSpan } from "../rule.ts";

const VERSION_BEFORE =
  /(?:\b(?:versions?|release|ver|rev|build|upgrad\w+|bump\w+|section|chapter|figure|table|database|oracle|firmware)\b[\s:=v"'(]{0,6}|[=~><^!]=\s?|[~^]\s?|\bv)$/i;
const LOOK_BACK = 24;

const rule: SecretRule = {
  summary: "IP addresses other than loopback, documentation, multicast and netmasks",
  hint: /\d\.\d{1,3}\.\d{1,3}\.\d|[23fF][0-9A-Fa-f]{3}:[0-9A-Fa-f:]/,
  *find(text) {
    yield* v4(text);
    yield* v6(text);
  },
};

function* v4(text: string): Generator<SecretSpan> {
  for (const match of text.matchAll(
    /(?<![\w.]|[A-Za-z]-)\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d|-[A-Za-z])(\/\d{1,2})?/g,
  )) {
    const [whole, length = ""] = match;
    const address = whole.slice(0, whole.length - length.length);
    const kind = kindOfIPv4(address);
    if (kind === null || isNamedBlock(whole)) continue;
    const before = text.slice(Math.max(0, match.index - LOOK_BACK), match.index);
    if (VERSION_BEFORE.test(before) || (kind === "ADDRESS" && /[A-Za-z]\/$/.test(before))) continue;
    yield { kind, start: match.index, end: match.index + address.length };
  }
}

function* v6(text: string): Generator<SecretSpan> {
  const pattern = /(?<![\w:.])[23f][0-9a-f]{3}(?::{1,2}[0-9a-f]{1,4}){0,7}(?:::)?(?![0-9a-z]|:[0-9a-f])(\/\d{1,3})?/gi;
  for (const match of text.matchAll(pattern)) {
    const [whole, length = ""] = match;
    const address = whole.slice(0, whole.length - length.length);
    const kind = address.includes(":") ? kindOfIPv6(address) : null;
    if (kind === null || isNamedBlock(whole)) continue;
    yield { kind, start: match.index, end: match.index + address.length };
  }
}

export default rule;
