/**
 * The comparison that a promotion needs, as the command that makes it: whoever answers now is the arm to beat.
 */
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";

/** Returns the command that judges an adapter on a skill against what answers there; null is the base. */
export function validateCommand(
  adapter: { name: string | null; adapterHash: string },
  { skill, answering }: { skill: string; answering: Hash | null },
): string {
  // Nobody can be better than itself: where the adapter answers already, the base is what it is measured by.
  const isBase = answering === null || answering === adapter.adapterHash;
  const against = isBase ? "base" : `champion --champion ${shortHash(answering)}`;
  return `tracemill validate --skill ${skill} --candidate ${adapterLabel(adapter)} --against ${against}`;
}
