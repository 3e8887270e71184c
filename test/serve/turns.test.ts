import { setImmediate as nextCycle } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createTurns } from "../../src/serve/turns.ts";

/** Steps whose beginnings are recorded, and which end when they are told to. */
function recordedSteps() {
  const turns = createTurns();
  const begun: string[] = [];
  const ends = new Map<string, { resolve(): void; reject(error: Error): void }>();
  const take = (name: string) =>
    turns.step(() => {
      begun.push(name);
      return new Promise<void>((resolve, reject) => ends.set(name, { resolve, reject }));
    });
  const settle = async () => {
    for (let cycle = 0; cycle < 3; cycle++) await nextCycle();
  };
  return { begun, ends, take, settle };
}

describe("a step", () => {
  test("goes with all others that wait, once every one of the turn before is done", async () => {
    const { begun, ends, take, settle } = recordedSteps();
    const first = [take("a"), take("b")];
    await settle();
    expect(begun).toEqual(["a", "b"]);
    const second = [take("c"), take("d")];
    ends.get("a")?.resolve();
    await settle();
    expect(begun).toEqual(["a", "b"]);
    ends.get("b")?.resolve();
    await settle();
    expect(begun).toEqual(["a", "b", "c", "d"]);
    for (const name of ["c", "d"]) ends.get(name)?.resolve();
    await Promise.all([...first, ...second]);
  });

  test("that fails holds nobody up", async () => {
    const { begun, ends, take, settle } = recordedSteps();
    const failing = expect(take("a")).rejects.toThrow("broken");
    await settle();
    const next = take("b");
    ends.get("a")?.reject(new Error("broken"));
    await failing;
    await settle();
    expect(begun).toEqual(["a", "b"]);
    ends.get("b")?.resolve();
    await next;
  });
});

describe("each value of a source", () => {
  async function* letters(closed: string[]) {
    try {
      yield* "abc";
    } finally {
      closed.push("closed");
    }
  }

  test("comes in its order", async () => {
    const seen: string[] = [];
    for await (const letter of createTurns().each(letters([]))) seen.push(letter);
    expect(seen).toEqual(["a", "b", "c"]);
  });

  test("is one step: two sources advance side by side", async () => {
    const turns = createTurns();
    const seen: string[] = [];
    const follow = async () => {
      for await (const letter of turns.each(letters([]))) seen.push(letter);
    };
    await Promise.all([follow(), follow()]);
    expect(seen.join("")).toBe("aabbcc");
  });

  test("is the last where no more are wanted: the source is closed, and others go on", async () => {
    const turns = createTurns();
    const closed: string[] = [];
    for await (const letter of turns.each(letters(closed))) if (letter === "b") break;
    expect(closed).toEqual(["closed"]);
    expect(await turns.step(async () => 1)).toBe(1);
  });
});
