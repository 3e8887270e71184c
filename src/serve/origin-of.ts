/**
 * A server's address as people give it, with or without `/v1` and slashes at its end.
 */

/** Returns the address without a path. */
export function originOf(url: string): string {
  return url.replace(/\/+$/, "").replace(/\/v1$/, "");
}

/** Whether what names a server is its address, not a program. */
export function isAddress(named: string | undefined): named is string {
  return named !== undefined && /^https?:\/\//.test(named);
}
