/**
 * Many questions to one endpoint, a bounded number at once, each done once: what a file of finished work holds is not asked
 * again. The first failure ends the work; what was finished until then is kept.
 */
import pLimit from "p-limit";
import type { z } from "zod";
import { groupBy } from "../../foundation/group-by.ts";
import { openFinishedLines, unkeptLines } from "./finished-lines.ts";

export interface AskingOptions {
  /** Where finished work is kept; left out: nowhere. */
  file?: string;
  /** Questions at once. */
  atOnce: number;
  signal: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** A question under the key that its answer is kept by. */
export interface Question<T> {
  id: string;
  key: string;
  /** Questions that begin alike are asked one after the other: a server that remembers a beginning evaluates it once. */
  beginning: string;
  ask(signal: AbortSignal): Promise<T>;
}

/**
 * Returns the answers by the questions' ids, in the order of the questions.
 * Throws: what the first failing question threw.
 */
export async function askInTurn<T>(
  questions: readonly Question<T>[],
  schema: z.ZodType<T>,
  { file, atOnce, signal, onProgress = () => {} }: AskingOptions,
): Promise<Map<string, T>> {
  const lines = file === undefined ? unkeptLines<T>() : openFinishedLines(file, schema);
  const failing = new AbortController();
  const limit = pLimit(atOnce);
  try {
    const open = questions.filter(({ key }) => !lines.values.has(key));
    let done = questions.length - open.length;
    onProgress(done, questions.length);
    const stop = AbortSignal.any([signal, failing.signal]);
    const work = [...groupBy(open, ({ beginning }) => beginning).values()].map((alike) =>
      limit(async () => {
        for (const { key, ask } of alike) {
          if (stop.aborted) return;
          lines.add(key, await ask(stop));
          done += 1;
          onProgress(done, questions.length);
        }
      }).catch((error) => failing.abort(error)),
    );
    await Promise.all(work); // also after a failure: nothing may come to a file that is closed
    failing.signal.throwIfAborted();
    signal.throwIfAborted();
    return new Map(questions.map(({ id, key }) => [id, lines.values.get(key) as T]));
  } finally {
    lines.close();
  }
}
