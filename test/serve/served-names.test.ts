import { expect, test } from "vitest";
import { Refusal } from "../../src/foundation/errors.ts";
import { createServedNames } from "../../src/serve/served-names.ts";

/** Names of models that are strings, with what was opened and closed. */
function names(...first: string[]) {
  const log: string[] = [];
  const of = (word: string) => async (model: { id: string }) => void log.push(`${word} ${model.id}`);
  const served = createServedNames(
    first.map((id) => ({ id })),
    { open: of("open"), close: of("close") },
  );
  return { served, log };
}

test("a name means another model from the next request on, and never hides a model's own id", () => {
  const { served } = names("base", "one");
  served.call(
    new Map([
      ["sql", { id: "one" }],
      ["base", { id: "one" }],
    ]),
  );
  expect(served.enter("sql").model.id).toBe("one");
  expect(served.enter("base").model.id).toBe("base");
  expect(served.others().map(({ name }) => name)).toEqual(["sql"]);
  served.call(new Map([["sql", { id: "base" }]]));
  expect(served.enter("sql").model.id).toBe("base");
});

test("a name that means none is refused for its reason, and one that is unknown with the nearest", () => {
  const { served } = names("base");
  const refusal = new Refusal({ code: "TAINTED_ADAPTER", message: "It is tainted." });
  served.call(new Map([["sql", { refusal }]]));
  expect(() => served.enter("sql")).toThrow(refusal);
  expect(() => served.enter("bse")).toThrow(expect.objectContaining({ code: "UNKNOWN_MODEL" }));
});

test("a model that is taken away is closed once it has answered, and takes no new request meanwhile", async () => {
  const { served, log } = names("base", "one");
  const { leave } = served.enter("one");
  const removed = served.remove("one");
  expect(() => served.enter("one")).toThrow(expect.objectContaining({ code: "UNKNOWN_MODEL" }));
  expect([served.models(), log]).toEqual([[{ id: "base" }], []]);
  leave();
  leave();
  await removed;
  expect(log).toEqual(["close one"]);
});

test("one that is put back before it is closed stays open", async () => {
  const { served, log } = names("base", "one");
  const { leave } = served.enter("one");
  const removed = served.remove("one");
  await served.add({ id: "one" });
  leave();
  await removed;
  expect(served.enter("one").model.id).toBe("one");
  expect(log).toEqual([]);
});

test("one that cannot be opened is not served", async () => {
  const served = createServedNames([{ id: "base" }], {
    open: () => Promise.reject(new Error("no room")),
    close: async () => {},
  });
  await expect(served.add({ id: "one" })).rejects.toThrow("no room");
  expect(served.models()).toEqual([{ id: "base" }]);
});
