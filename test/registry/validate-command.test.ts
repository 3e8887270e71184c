import { expect, test } from "vitest";
import { shortHash } from "../../src/foundation/hashing.ts";
import { placeOf, promote } from "../../src/registry/index.ts";
import { putAdapter, withChain } from "./setting.ts";

test("an adapter that nothing has judged is to be judged against what answers at the place", () =>
  withChain(async ({ home, clock, datasetHash, adapterHash }) => {
    const second = await putAdapter(home, datasetHash, { name: "sql-v2" });
    const fixAt = async (place: string) => {
      const promotion = promote(home, { adapter: "sql-v2", place: placeOf(place), clock });
      const { code, details } = await promotion.catch((error) => error);
      return [code, details.fix];
    };
    const asked = "tracemill validate --skill sql --candidate sql-v2 --against";
    expect(await fixAt("sql")).toEqual(["NOT_DECIDED", `${asked} base`]);
    await promote(home, { adapter: adapterHash, place: placeOf("sql"), override: "a test", clock });
    const champion = `${asked} champion --champion ${shortHash(adapterHash)}`;
    expect(await fixAt("sql")).toEqual(["NOT_DECIDED", champion]);
    expect(await fixAt("sql/worker")).toEqual(["NOT_DECIDED", champion]);
    await promote(home, { adapter: second, place: placeOf("sql"), override: "a test", clock });
    expect(await fixAt("sql/worker")).toEqual(["NOT_DECIDED", `${asked} base`]);
  }));
