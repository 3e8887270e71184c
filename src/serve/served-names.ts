/**
 * What requests can name while models come and go: each model by its own id, and by other names that come to mean another
 * model, or none for a reason. What a request is answered by is settled when it comes: a model that is taken away first
 * answers what it was asked for. Does not know what serves the models.
 */
import pLimit from "p-limit";
import type { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { type OpenAnswers, openAnswers } from "./open-answers.ts";

/** What a name means: a served model, by its id, or why it means none now. */
export type Meaning = { id: string } | { refusal: Refusal };
export type Meanings = ReadonlyMap<string, Meaning>;

/** How models are opened and closed where they are served. */
export interface Opening<M> {
  open(model: M): Promise<void>;
  close(model: M): Promise<void>;
}

export interface ServedNames<M extends { id: string }> {
  models(): M[];
  /** The names that mean a served model and are no id. */
  others(): { name: string; model: M }[];
  /** Finds what a request names, and keeps it until `leave`. Throws: `UNKNOWN_MODEL`, or why the name means none. */
  enter(name: string): { model: M; leave(): void };
  /** Opens one more model, or puts one back that is on its way out. */
  add(model: M): Promise<void>;
  /** Takes a model away for new requests at once; resolves when it is closed, or was put back. */
  remove(id: string): Promise<void>;
  /** From the next request on, these names and no others are known beside the ids, which they never hide. */
  call(meanings: Meanings): void;
}

interface Entry<M> {
  model: M;
  answers: OpenAnswers;
  isLeaving: boolean;
}

/** Makes the names of models that are open already. */
export function createServedNames<M extends { id: string }>(
  first: readonly M[],
  { open, close }: Opening<M>,
): ServedNames<M> {
  const entries = new Map(first.map((model) => [model.id, entryOf(model)]));
  const oneByOne = pLimit(1);
  let meanings: Meanings = new Map();

  const staying = (id: string) => {
    const entry = entries.get(id);
    return entry === undefined || entry.isLeaving ? undefined : entry;
  };
  const models = () => [...entries.values()].flatMap(({ model, isLeaving }) => (isLeaving ? [] : [model]));
  const others = () =>
    [...meanings].flatMap(([name, meaning]) => {
      const model = staying(name) === undefined && "id" in meaning ? staying(meaning.id)?.model : undefined;
      return model === undefined ? [] : [{ name, model }];
    });

  return {
    models,
    others,
    enter(name) {
      const meaning = meanings.get(name);
      const entry = staying(name) ?? (meaning !== undefined && "id" in meaning ? staying(meaning.id) : undefined);
      if (entry !== undefined) return { model: entry.model, leave: entry.answers.enter() };
      if (meaning !== undefined && "refusal" in meaning) throw meaning.refusal;
      throw unknownName("model", name, [...models().map(({ id }) => id), ...others().map((other) => other.name)]);
    },
    async add(model) {
      await oneByOne(async () => {
        const entry = entries.get(model.id);
        if (entry !== undefined) {
          entry.isLeaving = false;
          return;
        }
        await open(model);
        entries.set(model.id, entryOf(model));
      });
    },
    async remove(id) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      entry.isLeaving = true;
      await entry.answers.untilNone();
      await oneByOne(async () => {
        // It may have been put back meanwhile, and have been asked something.
        if (!entry.isLeaving || entries.get(id) !== entry) return;
        await close(entry.model);
        entries.delete(id);
      });
    },
    call(next) {
      meanings = next;
    },
  };
}

function entryOf<M>(model: M): Entry<M> {
  return { model, answers: openAnswers(), isLeaving: false };
}
