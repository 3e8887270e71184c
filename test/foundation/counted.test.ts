import { expect, test } from "vitest";
import { counted } from "../../src/foundation/counted.ts";

test("one thing is told in the singular, none and several in the plural", () => {
  expect([0, 1, 2].map((count) => counted(count, "row"))).toEqual(["0 rows", "1 row", "2 rows"]);
  const families = [1, 12].map((count) => counted(count, "family is", "families are"));
  expect(families).toEqual(["1 family is", "12 families are"]);
});
