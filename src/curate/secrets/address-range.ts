/**
 * What an IP address gives away, by its range.
 * Source: IANA special-purpose address registries (RFC 6890), RFC 5737, RFC 3849, RFC 9637.
 */
import { isIPv6 } from "node:net";
import type { SecretKind } from "./rule.ts";

/** Names of whole blocks, as rules and manuals write them: no network of anybody's. */
const BLOCKS = new Set(
  `10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 100.64.0.0/10 fe80::/10 fe80::/64 fc00::/7 fd00::/8 2000::/3`.split(
    " ",
  ),
);

/** The cloud's own metadata address is the same for everybody. */
const METADATA = "169.254.169.254";

/** Whether a prefix (`10.0.0.0/8`) is a block of a registry, which names nobody's network. */
export function isNamedBlock(prefix: string): boolean {
  return BLOCKS.has(prefix.toLowerCase());
}

/** `HOST` for an address of a private network, `ADDRESS` for a public one, null for one that names no machine. */
export function kindOfIPv4(address: string): SecretKind | null {
  const parts = address.split(".");
  if (parts.length !== 4 || parts.some((part) => part.length > 3 || (part.length > 1 && part.startsWith("0"))))
    return null;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  if (Math.max(a, b, c, d) > 255 || address === METADATA) return null;
  if (a === 0 || a === 127 || a >= 224) return null;
  const isDocumentation =
    (a === 192 && b === 0 && c === 2) || (a === 198 && b === 51 && c === 100) || (a === 203 && b === 0 && c === 113);
  if (isDocumentation || (a === 198 && (b === 18 || b === 19))) return null;
  const isPrivate =
    a === 10 ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b <= 127);
  return isPrivate ? "HOST" : "ADDRESS";
}

/** As `kindOfIPv4`; only unicast addresses count: `ab::cd` is a path in most languages. */
export function kindOfIPv6(address: string): SecretKind | null {
  const [first = "", second = ""] = address.toLowerCase().split(":");
  if (!isIPv6(address)) return null;
  if (/^f[cd]|^fe[89ab]/.test(first)) return "HOST";
  if ((first === "2001" && /^0?db8$/.test(second)) || first === "3fff") return null;
  return /^[23]/.test(first) ? "ADDRESS" : null;
}
