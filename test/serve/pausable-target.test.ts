import { describe, expect, test } from "vitest";
import { hashText } from "../../src/foundation/hashing.ts";
import type { Generation, ServedModel } from "../../src/serve/generation.ts";
import { startPausable } from "../../src/serve/pausable-target.ts";
import type { Target } from "../../src/serve/target.ts";

const modelOf = (id: string): ServedModel => ({
  ...{ id, parent: null, baseHash: hashText("base"), adapterHash: null, adapterFile: null },
});
const asked = (model: string): Generation => ({
  ...{ model, prompt: [1], maxTokens: 2, temperature: 0, topP: 1, seed: 1, stopIds: [], grammar: null },
  signal: new AbortController().signal,
});

/** Targets that know only the models they were started with, and yield the number of their start, twice. */
function starts() {
  const log: string[] = [];
  let count = 0;
  const start = async (models: ServedModel[]): Promise<Target> => {
    const number = ++count;
    log.push(`start ${number}: ${models.map(({ id }) => id).join()}`);
    return {
      contextTokens: 8,
      async *generate() {
        yield number;
        yield number;
      },
      score: async () => [],
      evaluated: () => ({ batches: 1, tokens: 2 }),
      setThreads: () => {},
      close: async () => void log.push(`close ${number}`),
    };
  };
  return { log, start };
}

describe("a target that takes no more models", () => {
  test("is replaced by one that has them; what it answers is finished first, by itself", async () => {
    const { log, start } = starts();
    const target = await startPausable([modelOf("base")], start);
    const running = target.generate(asked("base"))[Symbol.asyncIterator]();
    expect((await running.next()).value).toBe(1);
    await target.load(modelOf("one"));
    expect(log).toEqual(["start 1: base", "start 2: base,one"]);
    const later: number[] = [];
    for await (const id of target.generate(asked("one"))) later.push(id);
    expect(later).toEqual([2, 2]);
    expect([(await running.next()).value, (await running.next()).done]).toEqual([1, true]);
    await expect.poll(() => log.at(-1)).toBe("close 1");
    expect(target.evaluated()).toEqual({ batches: 2, tokens: 4 });
    await target.close();
    expect(log.at(-1)).toBe("close 2");
  });
});

describe("a pause", () => {
  test("that is asked for twice at once ends the target once, and both wait until its memory is free", async () => {
    const { log, start } = starts();
    const target = await startPausable([modelOf("base")], start);
    const running = target.generate(asked("base"))[Symbol.asyncIterator]();
    await running.next();
    const pauses = Promise.all([target.pause(), target.pause()]);
    await running.next();
    await running.next();
    await pauses;
    expect(log).toEqual(["start 1: base", "close 1"]);
    await expect(target.generate(asked("base"))[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "SERVER_PAUSED",
    });
  });

  test("and a start that is asked for twice at once starts it once, with what was loaded meanwhile", async () => {
    const { log, start } = starts();
    const target = await startPausable([modelOf("base")], start);
    await target.pause();
    await target.load(modelOf("one"));
    await Promise.all([target.resume(), target.resume()]);
    expect(log).toEqual(["start 1: base", "close 1", "start 2: base,one"]);
    await target.close();
  });
});
