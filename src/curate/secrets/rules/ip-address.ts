/** IPv4 and IPv6 addresses of machines; a version, an object identifier or a netmask looks alike and is none. */
import { isNamedBlock, kindOfIPv4, kindOfIPv6 } from "../address-range.ts";
import type { SecretKind, SecretRule, SecretSpan } from "../rule.ts";

/** What numbers software or a part of a text; the second ones stand before an address of a private network just as well. */
const NUMBERED = /\b(?:versions?|release|ver|rev|section|chapter|figure)\b[\s:="'(]{0,6}$/i;
const NUMBERED_OR_NAMED = /\b(?:build|upgrad\w+|bump\w+|table|oracle(?:\s+database)?|firmware)\b[\s:="'(]{0,6}$/i;

/** A requirement of a package, or a condition that compares an address. */
const REQUIRED = /(?:[=~><^!]=|[~^])\s?$/;
const COMPARED = /(?:\b|_)(?:ip|addr|[sd]addr|address|host|src|dst|server|peer|client)\s?[=!]=\s?$/i;
const REQUIRED_PACKAGE = /[a-z]-[\w.-]*[=~><!]=$/i;
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
    if (isVersion(kind, address, before)) continue;
    yield { kind, start: match.index, end: match.index + address.length };
  }
}

/** Of private networks only 10/8 has numbers that are versions as well, and these are rare: it takes more to take one for it. */
function isVersion(kind: SecretKind, address: string, before: string): boolean {
  const isCompared = COMPARED.test(before);
  if (kind === "ADDRESS") {
    const isRequired = REQUIRED.test(before) && !isCompared;
    return isRequired || NUMBERED.test(before) || NUMBERED_OR_NAMED.test(before) || /[A-Za-z]\/$/.test(before);
  }
  return address.startsWith("10.") && (NUMBERED.test(before) || (REQUIRED_PACKAGE.test(before) && !isCompared));
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
