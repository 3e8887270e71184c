/** Hardware addresses, written with colons, with dashes or in Cisco's three groups. */
import type { SecretRule } from "../rule.ts";

/** Null, broadcast and multicast, and those of RFC 7042 for documentation. */
const NO_DEVICE = /^(?:(?:00){6}|(?:ff){6}|01005e|3333|00005e0053)/;

const rule: SecretRule = {
  summary: "MAC addresses other than null, broadcast, multicast and documentation",
  hint: /:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}:|-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-|\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}/,
  *find(text) {
    const pattern =
      /(?<![\w:.-])(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})(?!\w|[:.-][0-9a-f])/gi;
    for (const match of text.matchAll(pattern)) {
      const digits = match[0].replaceAll(/[:.-]/g, "").toLowerCase();
      if (NO_DEVICE.test(digits)) continue;
      // Digits alone in pairs are a date, in fours a number.
      if (match[1] !== ":" && !(/[a-f]/.test(digits) && /\d/.test(digits))) continue;
      yield { kind: "ADDRESS", start: match.index, end: match.index + match[0].length };
    }
  },
};

export default rule;
