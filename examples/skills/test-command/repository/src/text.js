/** The first letters of a name, in capitals. */
export function initials(name) {
  return name
    .split(/\s+/)
    .map((word) => word[0].toUpperCase())
    .join("");
}

/** A title as the end of an address: small letters and digits, with single hyphens between them. */
export function slug(title) {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
