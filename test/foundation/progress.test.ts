import { expect, test } from "vitest";
import { steppingClock } from "../../src/foundation/clock.ts";
import { duration, startProgress } from "../../src/foundation/progress.ts";

function shown(isTTY: boolean, isQuiet = false): string {
  let text = "";
  const stream = { isTTY, columns: 60, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream;
  const clock = steppingClock(new Date(0), 6000);
  const progress = startProgress({ title: "train", total: 4, clock, stream, isQuiet });
  for (const done of [1, 2, 3, 4]) progress.update(done, `loss ${done}`);
  progress.finish("done");
  return text;
}

test("a terminal gets one line that is redrawn", () => {
  const text = shown(true);
  expect(text.match(/\n/g)).toHaveLength(1);
  expect(text).toContain("\r\x1b[2Ktrain [######..................] 1/4  6 s  18 s left");
});

test("a file gets a plain line now and then", () => {
  expect(shown(false).split("\n")).toEqual([
    "train [######..................] 1/4  6 s  18 s left  loss 1",
    "train [##################......] 3/4  18 s  6 s left  loss 3",
    "train: 4/4 in 30 s, done",
    "",
  ]);
});

test("nothing is written where nothing is wanted", () => {
  expect(shown(true, true)).toBe("");
});

test("durations are written for people", () => {
  expect([12, 59_600, 185_000, 7_800_000].map(duration)).toEqual(["12 ms", "1 min 00 s", "3 min 05 s", "2 h 10 min"]);
});
