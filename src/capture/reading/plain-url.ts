/**
 * Addresses of repositories as people have them in their settings: often with who logs in there, and the password.
 */

/** The address without its user and password. */
export function plainUrl(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}
