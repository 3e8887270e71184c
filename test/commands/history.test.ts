import { expect, test } from "vitest";
import history from "../../src/commands/history.ts";
import { placeOf, promote } from "../../src/registry/index.ts";
import { watchedContext } from "../fixtures/watched-context.ts";
import { withChain } from "../registry/setting.ts";

test("a place without a promotion is told apart from a home without one", () =>
  withChain(async ({ home, clock }) => {
    const told = async (place?: string) => {
      const input = { place };
      return history.print?.(await history.run(input, watchedContext(home).context), input);
    };
    expect(await told()).toBe("Nothing was promoted yet.");
    await promote(home, { adapter: "sql-v1", place: placeOf("sql"), override: "a test", clock });
    expect(await told("sql/worker")).toBe("Nothing was promoted for sql/worker yet.");
    expect(await told("sql")).toMatch(/ sql +promoted +[0-9a-f]{12} +override: a test$/);
  }));
