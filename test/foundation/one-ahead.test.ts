import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { oneAhead } from "../../src/foundation/one-ahead.ts";

/** Notes when each is begun and handed out. */
async function seen(fails: number | null, stopAfter = Number.POSITIVE_INFINITY) {
  const log: string[] = [];
  const prepare = async (source: number) => {
    log.push(`begin ${source}`);
    await setImmediate();
    if (source === fails) throw new Error(`no ${source}`);
    log.push(`ready ${source}`);
    return source;
  };
  const end = (async () => {
    for await (const one of oneAhead([1, 2, 3], prepare)) {
      log.push(`take ${one}`);
      if (one === stopAfter) return;
    }
  })();
  return { log, end };
}

test("the next is begun before the one in front is handed out, and no more than the next", async () => {
  const { log, end } = await seen(null);
  await end;
  expect(log.filter((line) => !line.startsWith("ready"))).toEqual([
    ...["begin 1", "begin 2", "take 1", "begin 3", "take 2", "take 3"],
  ]);
});

test("what fails is thrown in its turn, after all before it were handed out", async () => {
  const { log, end } = await seen(2);
  await expect(end).rejects.toThrow("no 2");
  expect(log).toContain("take 1");
  expect(log).not.toContain("take 3");
});

test("a reader that stops early waits for what was begun", async () => {
  const { log, end } = await seen(null, 1);
  await end;
  expect(log.at(-1)).toBe("ready 2");
});
