import { expect, test, vi } from "vitest";
import { steppingClock } from "../../src/foundation/clock.ts";
import { duration, type ProgressSettings, startProgress, tellStage, warn } from "../../src/foundation/progress.ts";

function writer(settings: Partial<NodeJS.WriteStream>) {
  const parts: string[] = [];
  const stream = { ...settings, write: (part: string) => parts.push(part) } as unknown as NodeJS.WriteStream;
  return { stream, parts };
}

const stepping = () => steppingClock(new Date(0), 3000);

function shown(isTTY: boolean, more: Partial<ProgressSettings> = {}): string {
  const { stream, parts } = writer({ isTTY, columns: 60 });
  const progress = startProgress({ title: "train", total: 4, clock: stepping(), stream, isJson: false, ...more });
  for (const done of [1, 2, 3, 4]) progress.update(done, `loss ${done}`);
  progress.finish("done");
  return parts.join("");
}

test("a terminal gets one line that is redrawn", () => {
  const text = shown(true);
  expect(text.match(/\n/g)).toHaveLength(1);
  expect(text).toContain("\r\x1b[Jtrain [####............] 1/4  6 s  18 s left");
});

test("no line is wider than the terminal, and those below the bar are drawn over with it", () => {
  const { stream, parts } = writer({ isTTY: true, columns: 40 });
  const progress = startProgress({ title: "run", total: 2, clock: stepping(), stream, isJson: false });
  progress.update(1, undefined, { below: ["first try 50.0 %  solved 75.0 %  30 tokens/s", "at sql:1"] });
  progress.update(2, undefined, { below: ["first try 60.0 %"] });
  progress.finish();
  const lines = parts.map((part) => part.split("\n"));
  expect(lines[0]).toEqual([
    "\r\x1b[Jrun [########........] 1/2  6 s  6 s le",
    "  first try 50.0 %  solved 75.0 %  30 t",
    "  at sql:1",
  ]);
  expect(lines[1]?.[0]?.startsWith("\x1b[2A\r\x1b[Jrun")).toBe(true);
  expect(parts.slice(2)).toEqual(["\x1b[1A\r\x1b[J", expect.stringMatching(/^run: 2\/2 in .*\n$/)]);
});

test("what comes too soon for a terminal is shown a little later", () => {
  vi.useFakeTimers();
  try {
    const { stream, parts } = writer({ isTTY: true, columns: 60 });
    const clock = () => new Date(0);
    const progress = startProgress({ title: "run", total: 3, clock, stream, isJson: false });
    progress.update(0);
    progress.update(1);
    progress.update(2);
    expect(parts).toHaveLength(1);
    vi.advanceTimersByTime(200);
    expect(parts).toHaveLength(2);
    expect(parts[1]).toContain("2/3");
    progress.finish();
  } finally {
    vi.useRealTimers();
  }
});

test("the time that is left is told from what was done since the work was taken up", () => {
  const { stream, parts } = writer({ isTTY: false });
  const clock = steppingClock(new Date(0), 30_000);
  const progress = startProgress({ title: "run", total: 60, doneBefore: 50, clock, stream, isJson: false });
  progress.update(50);
  progress.update(55);
  expect(parts[0]).not.toContain("left");
  const [elapsed, left] = /(\d+) min 00 s {2}(\d+) min 00 s left/.exec(parts[1] ?? "")?.slice(1) ?? [];
  expect(elapsed).toBeDefined();
  expect(left).toBe(elapsed);
});

test("nothing is said of the time that is left before a hundredth is done", () => {
  const { stream, parts } = writer({ isTTY: false });
  const clock = steppingClock(new Date(0), 30_000);
  const progress = startProgress({ title: "run", total: 300, clock, stream, isJson: false });
  for (const done of [1, 2, 3]) progress.update(done);
  expect(parts.map((line) => line.includes("left"))).toEqual([false, false, true]);
});

test("a file gets a plain line now and then", () => {
  const lines = shown(false).split("\n");
  expect(lines.length).toBeGreaterThan(2);
  expect(lines[0]).toBe("train [####............] 1/4  6 s  18 s left  loss 1");
  expect(lines.slice(-2)).toEqual([expect.stringMatching(/^train: 4\/4 in \d+ s, done$/), ""]);
});

test("a program gets one JSON object a line", () => {
  const events = shown(true, { isJson: true, jsonIntervalMs: 0 })
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.map(({ event, done }) => [event, done])).toEqual([
    ["progress", 1],
    ["progress", 2],
    ["progress", 3],
    ["progress", 4],
    ["finished", 4],
  ]);
  expect(events[0]).toMatchObject({ title: "train", total: 4, note: "loss 1", leftMs: 3 * events[0].elapsedMs });
});

test("stages and warnings are text for people and events for programs", () => {
  const { stream: stderr, parts } = writer({});
  for (const isJson of [false, true]) {
    tellStage("load", "train", { stderr, isJson });
    warn("The log is gone.", { stderr, isJson });
  }
  expect(parts).toEqual([
    "train: load\n",
    "The log is gone.\n",
    '{"event":"stage","title":"train","stage":"load"}\n',
    '{"event":"warning","text":"The log is gone."}\n',
  ]);
});

test("durations are written for people", () => {
  expect([12, 59_600, 185_000, 7_800_000].map(duration)).toEqual(["12 ms", "1 min 00 s", "3 min 05 s", "2 h 10 min"]);
});
