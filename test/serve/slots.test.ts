import { describe, expect, test } from "vitest";
import { createSlots } from "../../src/serve/slots.ts";

interface Place {
  name: string;
  ids: number[];
}

const places = (...memories: number[][]): Place[] => memories.map((ids, i) => ({ name: `p${i}`, ids }));
const never = new AbortController().signal;
const slotsOf = (list: Place[]) => createSlots(list, ({ ids }) => ids);

describe("a pool of places", () => {
  test("gives the free place that remembers most of the same beginning", async () => {
    const slots = slotsOf(places([1, 2], [1, 2, 3, 9], [1, 2, 3]));
    expect((await slots.take([1, 2, 3, 4], never)).place.name).toBe("p1");
    expect((await slots.take([1, 2, 3, 4], never)).place.name).toBe("p2");
    expect((await slots.take([7], never)).place.name).toBe("p0");
  });

  test("takes the first of equals, also after it was given back", async () => {
    const slots = slotsOf(places([], [], []));
    const first = await slots.take([1], never);
    const second = await slots.take([1], never);
    second.release();
    first.release();
    expect((await slots.take([1], never)).place.name).toBe("p0");
  });

  test("gives places to those who wait in the order in which they asked", async () => {
    const slots = slotsOf(places([]));
    const held = await slots.take([1], never);
    const order: string[] = [];
    const waiting = ["a", "b", "c"].map(async (name) => {
      const slot = await slots.take([1], never);
      order.push(name);
      slot.release();
    });
    held.release();
    await Promise.all(waiting);
    expect(order).toEqual(["a", "b", "c"]);
  });

  test("forgets one who goes away while waiting, and passes its turn on", async () => {
    const slots = slotsOf(places([]));
    const held = await slots.take([1], never);
    const leaving = new AbortController();
    const gone = slots.take([1], leaving.signal);
    const next = slots.take([1], never);
    leaving.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    held.release();
    expect((await next).place.name).toBe("p0");
    await expect(slots.take([1], AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  });

  test("takes a place back only once", async () => {
    const slots = slotsOf(places([]));
    const slot = await slots.take([1], never);
    slot.release();
    slot.release();
    await slots.take([1], never);
    const second = slots.take([1], never).then(() => "given");
    expect(await Promise.race([second, Promise.resolve("waits")])).toBe("waits");
  });
});
