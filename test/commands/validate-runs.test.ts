/**
 * `tracemill validate --runs`: what it says beside the figures of two runs that exist already.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { validateInput } from "../../src/commands/validate-input.ts";
import { compareExistingRuns, type ExistingRuns, existingRunsText } from "../../src/commands/validate-runs.ts";
import type { Home } from "../../src/store/home.ts";
import { importInto, SAMPLES } from "../capture/importers/setting.ts";
import { writeRun } from "../curate/written-run.ts";
import { watchedContext } from "../fixtures/watched-context.ts";
import { sayRevoked } from "../registry/setting.ts";
import { withHome } from "../store/sample-run.ts";

function compared(home: Home, runs: string[]): Promise<ExistingRuns> {
  return compareExistingRuns(validateInput.parse({ runs }), watchedContext(home).context);
}

/** Two runs over the same items; the first one's verdicts are by two versions of the verifier. */
async function twoRuns(home: Home): Promise<[string, string]> {
  const runOf = async (number: number, versions: string[]) => {
    const verdicts = versions.map((version) => ({ verifier: { id: "judge", version } }));
    const attempts = ["moon/a", "moon/b", "zoo/c"].map((item) => ({ item, verdicts }));
    return (await writeRun(home, { number, attempts })).run;
  };
  return [await runOf(1, ["1", "2"]), await runOf(2, ["2"])];
}

test("what is revoked of the runs is named before their figures", () =>
  withHome(async (home) => {
    const [first, second] = await twoRuns(home);
    const attempt = `${first}/sql:moon/a/1`;
    sayRevoked(home, "run", second, "a bad machine");
    sayRevoked(home, "attempt", attempt, "cut short");
    sayRevoked(home, "verifier", "judge@1", "too kind");
    const comparison = await compared(home, [first, second]);
    expect(comparison.pair.n).toBe(3);
    expect(comparison.revoked).toEqual([
      { kind: "run", target: second, reason: "a bad machine" },
      { kind: "attempt", target: attempt, reason: "cut short" },
      { kind: "verifier", target: "judge@1", reason: "too kind" },
    ]);
    const named = `the run ${second} (a bad machine), the attempt ${attempt} (cut short), the verifier judge@1 (too kind)`;
    expect(existingRunsText(comparison).split("\n", 2)).toEqual([
      `Not to be relied on, as it is revoked: ${named}.`,
      expect.stringMatching(/^Unrandomised: /),
    ]);
  }));

test("what is revoked of other runs is not named", () =>
  withHome(async (home) => {
    const runs = await twoRuns(home);
    const other = await writeRun(home, { number: 3, attempts: [{ item: "moon/a" }] });
    sayRevoked(home, "run", other.run);
    sayRevoked(home, "verifier", "sql-result-set@1");
    const comparison = await compared(home, runs);
    expect(comparison.revoked).toEqual([]);
    expect(existingRunsText(comparison)).toMatch(/^Unrandomised: /);
  }));

/** Runs of items that another program attempted, whose rewards are known and whose times are not. */
async function importedRuns(home: Home, folder: string): Promise<[string, string]> {
  const runOf = async (name: string, rewards: number[]) => {
    const lines = rewards.map((reward, i) => {
      const messages = [
        { role: "user", content: `What is ${i}?` },
        { role: "assistant", content: name },
      ];
      return JSON.stringify({ id: `q${i}`, messages, reward });
    });
    writeFileSync(join(folder, `${name}.jsonl`), lines.join("\n"));
    const { imported } = await importInto(home, join(folder, `${name}.jsonl`), { skill: "quiz" });
    return imported[0]?.run ?? "";
  };
  return [await runOf("before", [0, 0, 1]), await runOf("after", [1, 0, 1])];
}

test("what another program's attempts took, and whether they acted, is not made up where its file does not say", () =>
  withHome(async (home) => {
    mkdirSync(home.path, { recursive: true });
    const { arms, pair, ...comparison } = await compared(home, await importedRuns(home, home.path));
    expect(arms.map(({ metrics }) => [metrics.wallMs, metrics.validCalls])).toEqual(Array(2).fill([null, null]));
    expect(pair.secondary.map(({ metric }) => metric)).toEqual(["solved within the attempts"]);
    const text = existingRunsText({ arms, pair, ...comparison });
    expect(text).toMatch(/ s an attempt\n[- ]+\n(.+ -\n){2}/);
    expect(text).toMatch(/ valid actions\n[- ]+\n(.+ -\n){2}/);
  }));

test("how long they took is shown where their file says it", () =>
  withHome(async (home) => {
    const { imported } = await importInto(home, join(SAMPLES, "langfuse"));
    const run = imported.find(({ run }) => run.startsWith("20260203-100000-"))?.run ?? "";
    const { arms } = await compared(home, [run, run]);
    expect(arms[0]?.metrics.wallMs).toBeGreaterThan(1000);
  }));
