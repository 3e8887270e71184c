/**
 * What each command that uses a champion says where it is tainted. Each is told of a target that there is none of, so
 * that nothing is ever served: what is to be said is said before.
 */
import { cp } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import askCommand from "../../src/commands/ask.ts";
import type { Context } from "../../src/commands/command.ts";
import { exportDataset } from "../../src/commands/export.ts";
import { runSkill } from "../../src/commands/run.ts";
import { runOwnAgent } from "../../src/commands/run-agent.ts";
import { runInput } from "../../src/commands/run-input.ts";
import { validateAdapter } from "../../src/commands/validate.ts";
import { shortHash } from "../../src/foundation/hashing.ts";
import type { RunId } from "../../src/records/ids.ts";
import { placeOf, promote } from "../../src/registry/index.ts";
import { writeDecision } from "../../src/store/comparisons.ts";
import type { Home } from "../../src/store/home.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { judgedArm, putAdapter, SQL, sayRevoked, TIP, withChain } from "../registry/setting.ts";
import { sampleRunId, withHome } from "../store/sample-run.ts";

const TARGET = "nowhere";
const ITEMS = { skill: "sql", limit: 2, target: TARGET };
const ASKED = {
  question: "How many products?",
  skill: "sql",
  models: "sql-v1",
  seed: 1,
  target: TARGET,
  serverArgs: "",
  startTimeout: "10m",
};

type Use = (context: Context) => Promise<unknown>;
const COMMANDS: [string, Use][] = [
  ["run", (context) => runSkill({ ...ITEMS, model: "sql-v1" }, context)],
  ["run --agent", (context) => runOwnAgent(runInput.parse({ ...ITEMS, model: "sql-v1", agent: "true" }), context)],
  ["ask", (context) => askCommand.run({ ...ASKED, canary: true } as never, context)],
  [
    "validate",
    (context) =>
      validateAdapter({ ...ITEMS, candidate: "clean", against: "champion", arms: ["base", "champion"] }, context),
  ],
];

/** Runs `use` where sql-v1 is champion of `sql`; `clean` learned from the other runs. */
function withChampion(use: (given: { home: Home; warning: string }) => Promise<void>): Promise<void> {
  return withChain(async ({ home, clock, runs, datasetHash }) => {
    const others = [runs[1]?.run, runs[2]?.run] as RunId[];
    const { datasetHash: clean } = await exportDataset({ ...SQL, runs: others }, { home, clock });
    await putAdapter(home, clean, { name: "clean" });
    await promote(home, { adapter: "sql-v1", place: placeOf("sql"), override: "a test", clock });
    const warning = `Warning: the adapter sql-v1 was trained on the tainted dataset ${shortHash(datasetHash)}`;
    await use({ home, warning });
  });
}

/** What a command says before it fails for want of a server. */
async function toldBy(use: Use, home: Home): Promise<string> {
  const stderr = new PassThrough() as unknown as NodeJS.WriteStream;
  const { signal } = new AbortController();
  const context = { home, clock: () => new Date(), stdout: stderr, stderr, isJson: false, signal };
  await expect(use(context)).rejects.toMatchObject({ code: "UNKNOWN_TARGET" });
  return String(stderr.read() ?? "");
}

describe("a tainted champion is warned of by", () => {
  test.each(COMMANDS)("%s, and a sound one is not", (_, use) =>
    withChampion(async ({ home, warning }) => {
      expect(await toldBy(use, home)).not.toContain("Warning");
      sayRevoked(home, "tip", TIP);
      expect(await toldBy(use, home)).toContain(warning);
    }),
  );

  test("loop, whose first round collects with it", () =>
    withChampion(async ({ home, warning }) => {
      sayRevoked(home, "tip", TIP);
      const words = ["--preset", "tiny", "--skill", "sql", "--base", "smollm2", "--rounds", "2", "--target", TARGET];
      const { exitCode, stderr } = await tracemill(home, "loop", ...words);
      expect([exitCode, stderr.split(warning)]).toEqual([2, [expect.any(String), expect.any(String)]]);
    }));
});

test("validate of a candidate that passed shows its decision, says what was revoked since of it and of its arms, and does not end as passed", () =>
  withChampion(async ({ home, warning }) => {
    sayRevoked(home, "tip", TIP);
    const words = [
      "validate",
      "--skill",
      "sql",
      "--limit",
      "20",
      "--candidate",
      "sql-v1",
      "--general",
      "none",
      "--json",
    ];
    // What the comparison is named is told by a home of the same content, where it is refused.
    const refused = await withHome(async (other) => {
      await cp(home.path, other.path, { recursive: true });
      return JSON.parse((await tracemill(other, ...words)).stdout);
    });
    expect(refused).toMatchObject({ hasPassed: false, arms: [] });
    const run = sampleRunId(9);
    const made = { ...refused, verdict: "better", hasPassed: true, arms: [judgedArm(run)] };
    await writeDecision(home, made, () => new Date());
    sayRevoked(home, "run", run);

    const { stdout, stderr, exitCode } = await tracemill(home, ...words);
    const since = [
      ...["it was trained on what is revoked: the tip", "it has learned from zoo of sql"],
      `it was decided from what is revoked: the run ${run} (it was bad)`,
    ];
    expect(JSON.parse(stdout)).toMatchObject({
      hasPassed: true,
      since: since.map((one) => expect.stringContaining(one)),
    });
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining(warning)]);
  }));
