/**
 * Adapters that answer nobody until they are proven to be live at the process that serves now: whoever asks one is told to come
 * back, and whoever proves it asks it by another name. Does not know how a proof is made, nor when it is made again.
 */
import { Failure } from "../foundation/errors.ts";
import type { Model } from "./model-card.ts";
import type { ServedNames } from "./served-names.ts";

const PREFIX = "unproven:";

export interface Proofs {
  /** The ids of those that answer nobody. */
  pending(): string[];
  /** By which name one of these is asked for its proof; any other model by its own. */
  nameOf(id: string): string;
  /** From the next request on it answers. */
  passed(id: string): void;
  /** Whoever asks it is told why it does not answer. */
  failed(id: string, why: string): void;
}

export interface ProvenNames<M extends Model> {
  names: ServedNames<M>;
  proofs: Proofs;
  /** What was proven is not any more: another process serves it. */
  doubt(): void;
}

/** Lets the adapters among the names answer once they are proven, or at once where no proof is `wanted`. */
export function provenNames<M extends Model>(all: ServedNames<M>, { wanted }: { wanted: boolean }): ProvenNames<M> {
  /** Why each of them failed its proof, null where it had none yet. */
  const unproven = new Map<string, string | null>();

  function doubt(models: readonly M[]): void {
    for (const { id, adapterHash } of wanted ? models : []) if (adapterHash !== null) unproven.set(id, null);
  }

  doubt(all.models());
  return {
    names: {
      ...all,
      enter(name) {
        const proving = name.startsWith(PREFIX) && unproven.has(name.slice(PREFIX.length));
        const entered = all.enter(proving ? name.slice(PREFIX.length) : name);
        const { id } = entered.model;
        const why = proving ? undefined : unproven.get(id);
        if (why === undefined) return entered;
        entered.leave();
        throw adapterUnproven(id, why);
      },
      add(model) {
        doubt([model]);
        return all.add(model);
      },
    },
    proofs: {
      pending: () => all.models().flatMap(({ id }) => (unproven.has(id) ? [id] : [])),
      nameOf: (id) => (unproven.has(id) ? `${PREFIX}${id}` : id),
      passed: (id) => void unproven.delete(id),
      failed: (id, why) => void (unproven.has(id) && unproven.set(id, why)),
    },
    doubt: () => doubt(all.models()),
  };
}

function adapterUnproven(id: string, why: string | null): Failure {
  const message =
    why === null
      ? `${id} answers once the canary has proven that it is live here.`
      : `${id} does not answer, as it failed its canary: ${why}`;
  return new Failure({ boundary: "endpoint", code: "ADAPTER_UNPROVEN", message });
}
