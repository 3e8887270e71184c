/**
 * Which rules leak into each other. Rules on one file share a family. Audit rules are all written into one folder, so
 * there the file is the one that is watched, and for system calls the group that one line may hold together.
 */
import type { Rule } from "./datastream.ts";
import { RULE_PREFIX } from "./datastream.ts";

/** What decides whether the content applies at all; many rules look at it, none is about it. */
const PLATFORM_FILES = /^\/etc\/[\w-]*release$/;

/** The family of a rule: `audit-calls:<first of the group>`, `watched:<path>`, `file:<path>`, or the rule's own name. */
export function familyOf({ id, fix, description, paths }: Rule): string {
  const name = id.slice(RULE_PREFIX.length);
  if (name.startsWith("audit_")) {
    const text = `${description}\n${fix ?? ""}`;
    const group = /SYSCALL_GROUPING="([^"]*)"/.exec(text)?.[1]?.trim();
    if (group) return `audit-calls:${group.split(/[\s,]+/).sort()[0]}`;
    const watched = /-F path=(\/[\w./-]+)|-w (\/[\w./-]+)/.exec(text);
    const path = watched?.[1] ?? watched?.[2];
    if (path !== undefined) return `watched:${path}`;
    const call = /-S (\w+)/.exec(text)?.[1];
    return call === undefined ? `rule:${name}` : `audit-calls:${call}`;
  }
  const file = paths.map(literalPath).find((path) => /^\/(etc|var)\//.test(path) && !PLATFORM_FILES.test(path));
  return file === undefined ? `rule:${name}` : `file:${file}`;
}

/** The part of a path pattern up to its first wildcard, whole folders or files only. */
function literalPath(pattern: string): string {
  const plain = pattern
    .replace(/^\^/, "")
    .replace(/\$$/, "")
    .replaceAll("\\.", ".")
    .replaceAll("\\/", "/")
    .replaceAll("\\-", "-");
  const wild = plain.search(/[[\](){}*+?|\\^$]|\.\*/);
  return (wild === -1 ? plain : plain.slice(0, plain.lastIndexOf("/", wild))).replace(/\/+$/, "");
}
