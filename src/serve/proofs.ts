/**
 * Adapters that answer nobody until they are proven to be live at the process that serves now: whoever asks one is told to come
 * back, and whoever proves it asks it by another name. Those whose process is replaced by another while it runs answer on, and
 * are doubted until they are proven there too. Does not know how a proof is made, nor when it is made again.
 */
import { Failure } from "../foundation/errors.ts";
import type { Model } from "./model-card.ts";
import type { ServedNames } from "./served-names.ts";

const PREFIX = "unproven:";

export interface Proofs {
  /** The ids of those that answer nobody. */
  pending(): string[];
  /** The ids of those that were proven at another process and answer at this one. */
  doubted(): string[];
  /** By which name one of these is asked for its proof; any other model by its own. */
  nameOf(id: string): string;
  /** From the next request on it answers. */
  passed(id: string): void;
  /** It answers nobody; whoever asks it is told why. */
  failed(id: string, why: string): void;
}

export interface ProvenNames<M extends Model> {
  names: ServedNames<M>;
  proofs: Proofs;
  /** What was proven is not any more, and answers nobody: nothing is known of the process that serves it. */
  silence(): void;
  /** These are not there any more: they answer nobody until they have passed, whether or not a proof is wanted. Returns who did. */
  lose(models: readonly M[]): string[];
  /** What was proven answers on, and is to be proven again: a process that replaces the one before serves it. */
  doubt(): void;
}

/** Lets the adapters among the names answer once they are proven, or at once where no proof is `wanted`. */
export function provenNames<M extends Model>(all: ServedNames<M>, { wanted }: { wanted: boolean }): ProvenNames<M> {
  /** Why each of them failed its proof, null where it had none yet. */
  const unproven = new Map<string, string | null>();
  const doubted = new Set<string>();
  const adapterIds = (models: readonly M[]) =>
    models.flatMap(({ id, adapterHash }) => (adapterHash === null ? [] : [id]));
  const servedAmong = (ids: { has(id: string): boolean }) => adapterIds(all.models()).filter((id) => ids.has(id));

  function silence(models: readonly M[]): void {
    for (const id of adapterIds(models)) {
      unproven.set(id, null);
      doubted.delete(id);
    }
  }

  if (wanted) silence(all.models());
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
        if (wanted) silence([model]);
        return all.add(model);
      },
    },
    proofs: {
      pending: () => servedAmong(unproven),
      doubted: () => servedAmong(doubted),
      nameOf: (id) => (unproven.has(id) ? `${PREFIX}${id}` : id),
      passed(id) {
        unproven.delete(id);
        doubted.delete(id);
      },
      failed(id, why) {
        if (doubted.delete(id) || unproven.has(id)) unproven.set(id, why);
      },
    },
    silence: () => silence(wanted ? all.models() : []),
    lose(models) {
      const answering = models.filter(({ id }) => !unproven.has(id));
      silence(answering);
      return adapterIds(answering);
    },
    doubt() {
      for (const id of wanted ? adapterIds(all.models()) : []) if (!unproven.has(id)) doubted.add(id);
    },
  };
}

function adapterUnproven(id: string, why: string | null): Failure {
  const message =
    why === null
      ? `${id} answers once the canary has proven that it is live here.`
      : `${id} does not answer, as it failed its canary: ${why}`;
  return new Failure({ boundary: "endpoint", code: "ADAPTER_UNPROVEN", message });
}
