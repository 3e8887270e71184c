/**
 * Work made ready one step ahead: while one thing is worked on, what the next one needs is already asked for. Of use where the
 * asking waits for something else than this thread, such as a query.
 */

/**
 * Yields what `prepare` makes of each source, in the order of the sources. The next one is begun before one is handed out.
 * Throws: what `prepare` throws, in its turn.
 */
export async function* oneAhead<Source, Ready>(
  sources: Iterable<Source>,
  prepare: (source: Source) => Promise<Ready>,
): AsyncGenerator<Ready> {
  let ahead: Promise<Ready> | null = null;
  try {
    for (const source of sources) {
      const ready = ahead;
      ahead = prepare(source);
      ahead.catch(() => {}); // thrown below, in its turn
      if (ready !== null) yield await ready;
    }
    if (ahead !== null) yield await ahead;
  } finally {
    await ahead?.catch(() => {}); // nothing is left running behind a reader that stops early
  }
}
