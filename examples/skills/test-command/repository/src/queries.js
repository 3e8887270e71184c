/** The values of `a=1&b=two%20words` by their names. */
export function readQuery(text) {
  const pairs = text.split("&").filter((pair) => pair !== "");
  return Object.fromEntries(pairs.map((pair) => pair.split("=").map(decodeURIComponent)));
}

/** Names and values as `a=1&b=two%20words`, sorted by name; values that are null are left out. */
export function writeQuery(values) {
  const names = Object.keys(values).filter((name) => values[name] !== null);
  return names
    .sort()
    .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(values[name])}`)
    .join("&");
}
