import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { fairTurns } from "../../src/foundation/fair-turns.ts";

test("works that are of different speed have their turns one for one", async () => {
  const lanes = fairTurns(3);
  const begun: string[] = [];
  async function work(name: string, { turns, ticks }: { turns: number; ticks: number }): Promise<void> {
    const lane = lanes();
    const one = async () => {
      const leave = await lane();
      begun.push(name);
      for (let tick = 0; tick < ticks; tick++) await setImmediate();
      leave();
    };
    await Promise.all(Array.from({ length: turns }, one));
  }
  await Promise.all([work("slow", { turns: 20, ticks: 9 }), work("quick", { turns: 20, ticks: 1 })]);
  for (let n = 2; n <= begun.length; n++) {
    const slow = begun.slice(0, n).filter((name) => name === "slow").length;
    expect(Math.abs(slow - (n - slow))).toBeLessThanOrEqual(2);
  }
  expect(begun).toHaveLength(40);
});

test("never more are in work than there are places", async () => {
  const lanes = fairTurns(2);
  let [inWork, most] = [0, 0];
  const lane = [lanes(), lanes(), lanes()];
  const one = async (n: number) => {
    const leave = await (lane[n % 3] as (typeof lane)[number])();
    inWork += 1;
    most = Math.max(most, inWork);
    await setImmediate();
    inWork -= 1;
    leave();
  };
  await Promise.all(Array.from({ length: 30 }, (_, n) => one(n)));
  expect([most, inWork]).toEqual([2, 0]);
});
