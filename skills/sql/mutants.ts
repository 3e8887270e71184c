/**
 * Wrong but plausible variants of a query: what a model gets wrong. Contents are chosen so that as many of them as
 * possible give another result than the query, or else a wrong answer could pass by luck.
 */

interface Mutation {
  pattern: RegExp;
  replacement: string;
}

const MUTATIONS: readonly Mutation[] = [
  { pattern: /\bWHERE\b.*?(?=\b(?:GROUP|ORDER|LIMIT|HAVING)\b|$)/is, replacement: "" },
  { pattern: /\bHAVING\b.*?(?=\b(?:ORDER|LIMIT)\b|$)/is, replacement: "" },
  { pattern: /\bORDER BY\b.*?(?=\bLIMIT\b|$)/is, replacement: "" },
  { pattern: /\bLIMIT\b.*$/is, replacement: "" },
  { pattern: /\s+DESC\b/i, replacement: "" },
  { pattern: /(\bORDER BY\s+[\w.]+)(?!\s+DESC|\w|\.|\()/i, replacement: "$1 DESC" },
  { pattern: /\bDISTINCT\b/i, replacement: "" },
  { pattern: />=/, replacement: ">" },
  { pattern: /(?<!<)>(?!=)/, replacement: ">=" },
  { pattern: /<(?![=>])/, replacement: "<=" },
  { pattern: /(?<!<)>(?!=)/, replacement: "<" },
  { pattern: /<(?![=>])/, replacement: ">" },
  { pattern: /<>/, replacement: "=" },
  { pattern: /(?<=WHERE \w+ )= /i, replacement: "<> " },
  { pattern: /\bBETWEEN (\S+) AND\b/i, replacement: "BETWEEN $1 + 1e-9 AND" },
  { pattern: /(?<!BETWEEN \S+)\s+AND\b/i, replacement: " OR" },
  { pattern: /\bOR\b/i, replacement: "AND" },
  { pattern: /\b(IN \([^,]+),[^)]*\)/i, replacement: "$1)" },
  { pattern: /LIKE '([^%'])/i, replacement: "LIKE '%$1" },
  { pattern: /LIKE '%([^%']+)%'/i, replacement: "LIKE '$1%'" },
  { pattern: /\bIS NOT NULL\b/i, replacement: "IS NULL" },
  { pattern: /\bIS NULL\b/i, replacement: "IS NOT NULL" },
  { pattern: /\bSUM\(/i, replacement: "AVG(" },
  { pattern: /\bAVG\(/i, replacement: "SUM(" },
  { pattern: /\bMIN\(/i, replacement: "MAX(" },
  { pattern: /\bMAX\(/i, replacement: "MIN(" },
  { pattern: /(?<!LEFT|RIGHT)\s+JOIN\b/i, replacement: " RIGHT JOIN" },
  { pattern: /^SELECT .*? FROM/is, replacement: "SELECT * FROM" },
];

/** The different variants of a query; some may not run, and some may mean the same. */
export function mutants(query: string): string[] {
  const variants = MUTATIONS.map(({ pattern, replacement }) => query.replace(pattern, replacement));
  return [...new Set(variants)].filter((variant) => variant !== query);
}
