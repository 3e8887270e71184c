import { expect, test } from "vitest";
import { isPassing, retryAfterMs, waitBeforeTryMs } from "../../src/foundation/passing-status.ts";

test("a busy, early or broken server may answer later, any other status is about the request", () => {
  const statuses = [200, 302, 400, 401, 404, 408, 413, 422, 425, 429, 499, 500, 503, 529];
  expect(statuses.filter(isPassing)).toEqual([408, 425, 429, 500, 503, 529]);
});

test("a server is asked again when it says in seconds, else when the caller would, never after more than half a minute", () => {
  const said = (value?: string) => retryAfterMs(new Headers(value === undefined ? {} : { "retry-after": value }));
  expect([said("0"), said("1.5"), said("120")]).toEqual([0, 1500, 120_000]);
  expect([said(), said("-1"), said("soon"), said("Wed, 21 Oct 2026 07:28:00 GMT")]).toEqual([null, null, null, null]);
  expect([waitBeforeTryMs(0, 500), waitBeforeTryMs(120_000, 500)]).toEqual([0, 30_000]);
  expect([waitBeforeTryMs(null, 500), waitBeforeTryMs(null, 64_000)]).toEqual([500, 30_000]);
});
