/**
 * A model as `GET /v1/models` shows it. A name that means another model has that one's card under its own id.
 */
import type { Hash } from "../foundation/hashing.ts";

export interface Model {
  id: string;
  /** The base's id; null for the base itself. */
  parent: string | null;
  baseHash: Hash;
  adapterHash: Hash | null;
}

/** Shapes: `told` is what the server itself says of it. */
export function modelCard({ id, parent, baseHash, adapterHash }: Model, told: object): object {
  return { ...told, object: "model", id, parent, base_hash: baseHash, adapter_hash: adapterHash };
}
