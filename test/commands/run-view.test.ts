/**
 * What is seen of a run while it goes on, on a terminal of 80 columns and as JSON lines.
 */
import { expect, test } from "vitest";
import type { Context } from "../../src/commands/command.ts";
import { viewRun } from "../../src/commands/run-view.ts";
import { steppingClock } from "../../src/foundation/clock.ts";
import type { RunProgress } from "../../src/harness/index.ts";
import { homeAt } from "../../src/store/home.ts";

const PROGRESS: RunProgress = {
  run: "20260101-000000-0000" as never,
  done: 6,
  total: 60,
  attempts: 6,
  passed: 2,
  solved: 2,
  firstTries: 4,
  firstPasses: 1,
  items: 15,
  begunItems: 4,
  finishedItems: 1,
  completionTokens: 0,
  item: "stig:xccdf_org.ssgproject.content_rule_accounts_password_pam_minlen" as never,
  tips: 12_345,
};

function view(isJson: boolean) {
  const parts: string[] = [];
  const stream = { isTTY: true, columns: 80, write: (part: string) => parts.push(part) };
  const stderr = stream as unknown as NodeJS.WriteStream;
  const signal = new AbortController().signal;
  const clock = steppingClock(new Date(0), 10_000);
  const context: Context = { home: homeAt("home"), clock, stdout: stderr, stderr, isJson, signal };
  return { ...viewRun("run stig validation", context), parts };
}

test("a terminal of 80 columns shows the rates, the speed and the item in work", () => {
  const { onProgress, parts } = view(false);
  onProgress(PROGRESS);
  onProgress({ ...PROGRESS, done: 7, attempts: 7, completionTokens: 2000 });
  const [bar, rates, item] = (parts.at(-1) ?? "").split("\n");
  expect(bar).toMatch(/run stig validation \[#+\.+\] 7\/60 {2}.* left$/);
  expect(rates).toMatch(/^ {2}1\/15 items {2}first try 25\.0 % {2}solved 50\.0 % {2}\d+ tokens\/s {2}12345 tips$/);
  expect(item).toBe(`  at ${PROGRESS.item}`);
  expect(Math.max(rates?.length ?? 0, item?.length ?? 0)).toBeLessThan(80);
});

test("work of an earlier process counts in the rates, not in the speeds or the time left", () => {
  const { onProgress, parts } = view(true);
  onProgress(PROGRESS);
  onProgress({ ...PROGRESS, done: 7, attempts: 7, passed: 3, firstTries: 5, firstPasses: 2 });
  const [before, now] = parts.map((line) => JSON.parse(line));
  expect(before).toMatchObject({ event: "progress", firstTryRate: 0.25, attemptsPerMinute: 0, leftMs: null });
  expect(now).toMatchObject({ firstTryRate: 0.4, solvedRate: 0.5, item: PROGRESS.item });
  expect(now.leftMs).toBe(53 * now.elapsedMs);
  expect(now.attemptsPerMinute).toBeLessThan(7);
});

test("a program is told of each item that ends", () => {
  const { onItemFinished, parts } = view(true);
  onItemFinished({ item: PROGRESS.item as never, solved: true, reason: "enough" } as never);
  expect(JSON.parse(parts[0] ?? "")).toMatchObject({ event: "item_finished", item: PROGRESS.item });
});

test("nothing is written of a run that never began", () => {
  const { end, parts } = view(false);
  end();
  expect(parts).toEqual([]);
});
