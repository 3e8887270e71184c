import { expect, test } from "vitest";
import { createCompany } from "../../src/serve/company.ts";

const { signal: NEVER } = new AbortController();

/** A company whose members say when they are let in. */
function watched() {
  const company = createCompany();
  const inside: string[] = [];
  const enter = async (name: string, isAlone: boolean, signal = NEVER) => {
    const leave = await company.enter(isAlone, signal);
    inside.push(name);
    return () => {
      inside.splice(inside.indexOf(name), 1);
      leave();
    };
  };
  return { inside, enter };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

test("those that bear company are let in at once; one that does not waits for them, and those behind it for it", async () => {
  const { inside, enter } = watched();
  const [leaveOne, leaveTwo] = [await enter("one", false), await enter("two", false)];
  const [alone, later, last] = [enter("alone", true), enter("later", false), enter("last", true)];
  leaveOne();
  await soon();
  expect(inside).toEqual(["two"]);
  leaveTwo();
  (await alone)();
  (await later)();
  await last;
  expect(inside).toEqual(["last"]);
});

test("whoever gives up waiting keeps nobody waiting", async () => {
  const { inside, enter } = watched();
  await enter("one", false);
  const giving = new AbortController();
  const alone = enter("alone", true, giving.signal);
  const later = enter("later", false);
  await soon();
  expect(inside).toEqual(["one"]);
  giving.abort(new Error("given up"));
  await expect(alone).rejects.toThrow("given up");
  await later;
  expect(inside).toEqual(["one", "later"]);
  await expect(enter("too late", false, giving.signal)).rejects.toThrow("given up");
});
