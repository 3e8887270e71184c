/**
 * What was made from what, as `tracemill lineage` tells it: things with edges up (what it was made from) and down (what
 * was made of it).
 */
import type { Json } from "../foundation/canonical-json.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { Revocation } from "./ledger-entries.ts";

/** An item is no thing that was made: it stands for the attempts at it. */
export type ThingKind =
  | "run"
  | "item"
  | "attempt"
  | "turn"
  | "tip"
  | "verifier"
  | "row"
  | "dataset"
  | "adapter"
  | "decision";

/** One thing of the graph: a decision goes by its comparison's hash, a verifier by `<id>@<version>`. */
export interface Thing {
  kind: ThingKind;
  id: string;
}

/** Why something is not to be relied on any more. */
export type Mark =
  | { kind: "revoked"; reason: string }
  /** Made from what is revoked; `isCertain` is false where no row of a dataset is known to be, but may be or have its label from it. */
  | { kind: "tainted"; isCertain: boolean }
  /** Not tainted itself, but learned from rows which a tainted adapter wrote. */
  | { kind: "written-by"; adapterHash: Hash };

export interface LineageNode extends Omit<Thing, "kind"> {
  /** A promotion goes by its place. */
  kind: ThingKind | "verdict" | "promotion";
  /** What is to be known of it: `head`, `seq`, `rows`, ... */
  facts: Record<string, Json>;
  mark: Mark | null;
  nodes: LineageNode[];
}

export interface Lineage {
  node: LineageNode;
  up: LineageNode[];
  down: LineageNode[];
}

/** What is revoked of a dataset's rows. */
export interface Taint {
  /**
   * Each revocation with the rows that it touches: null where the dataset does not say what its rows were made from, none where
   * their labels may rest on it.
   */
  by: (Revocation & { rows: number | null })[];
  /** Rows that any of them touches, as there. */
  rows: number | null;
  isCertain: boolean;
}
