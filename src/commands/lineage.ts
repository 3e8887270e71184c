/**
 * `tracemill lineage`: what a thing was made from, and what was made of it.
 */
import { z } from "zod";
import { shortHash } from "../foundation/hashing.ts";
import type { Lineage, LineageNode, Mark } from "../records/lineage.ts";
import { lineageOf } from "../registry/index.ts";
import { defineCommand } from "./command.ts";
import { taintMark } from "./taint.ts";

export default defineCommand<{ name: string }, Lineage>({
  summary:
    "Show what a row, dataset, adapter, decision, run, item, attempt or tip was made from, and what was made of it.",
  details: `Examples:
  tracemill lineage row-3fa10c5be2d49a71
  tracemill lineage sql-v1
  tracemill lineage 20261101-120000-3fa1
  tracemill lineage tip-3fa10c5be2d49a71
  tracemill lineage sql-result-set@1
  tracemill lineage 9b3fa10c5be2
  tracemill lineage sql:shop/avg-price

A decision goes by the hash of its comparison; an item leads to all attempts at it and the decisions that they counted in. Turns, and verifiers and rules that label (<id>@<version>), are found too. What is revoked, or made from what is revoked, is marked.`,
  positional: ["name"],
  input: z.object({
    name: z
      .string()
      .min(1)
      .describe(
        "id of a row, run, item, attempt or tip; hash of a dataset or a comparison; hash or name of an adapter",
      ),
  }),
  run: ({ name }, { home }) => lineageOf(home, name),
  print({ node, up, down }) {
    return [
      lineOf(node, 0),
      ...section("made from", up, "nothing that is known"),
      ...section("used by", down, "nothing yet"),
    ].join("\n");
  },
});

function section(title: string, nodes: readonly LineageNode[], none: string): string[] {
  return nodes.length === 0 ? [`  ${title}: ${none}`] : [`  ${title}`, ...nodes.flatMap((node) => tree(node, 2))];
}

function tree(node: LineageNode, depth: number): string[] {
  return [lineOf(node, depth), ...node.nodes.flatMap((below) => tree(below, depth + 1))];
}

function lineOf({ kind, id, facts, mark }: LineageNode, depth: number): string {
  const told = Object.entries(facts)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${spaced(name)} ${shown(value)}`);
  return [
    `${"  ".repeat(depth)}${kind} ${shown(id)}`,
    ...(told.length > 0 ? [told.join(", ")] : []),
    ...markText(mark),
  ].join("  ");
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(" ");
  if (typeof value !== "string") return JSON.stringify(value);
  return /^[0-9a-f]{64}$/.test(value) ? shortHash(value) : value;
}

function spaced(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function markText(mark: Mark | null): string[] {
  if (mark === null) return [];
  if (mark.kind === "revoked") return [`REVOKED: ${mark.reason}`];
  if (mark.kind === "written-by") return [`ROWS WRITTEN BY THE TAINTED ${shortHash(mark.adapterHash)}`];
  return [taintMark(mark)];
}
