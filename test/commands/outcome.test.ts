/** Other programs' runs on the command line: imported, judged later, and shown with what they hold. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { foreignStart } from "../../src/capture/foreign-item.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { newRunId } from "../../src/records/ids.ts";
import { splitOf } from "../../src/skills/splits.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { listRuns } from "../../src/store/runs.ts";
import letters from "../fixtures/skills/letters/skill.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { withHome } from "../store/sample-run.ts";

const row = (id: string, answer: string) =>
  JSON.stringify({
    id,
    family: "letters",
    messages: [
      { role: "user", content: `Say ${id}.` },
      { role: "assistant", content: answer },
    ],
  });

test("an imported run takes an outcome of an attempt, and the later one decides", () =>
  withHome(async (home) => {
    const file = join(home.path, "rows.jsonl");
    writeFileSync(file, `${row("a", "a")}\n${row("b", "c")}\n{broken\n`);
    const imported = await tracemill(home, "import", file, "--skill", "letters");
    expect(imported.exitCode).toBe(3);
    expect(imported.stdout).toContain("2 attempts at 2 items, 0 passed, 2 items without an outcome");
    expect(imported.stdout).toContain(`not used: 1 record: it is not JSON; at ${file}:3`);
    const [run] = await listRuns(home);
    const outcome = (...words: string[]) => tracemill(home, "outcome", run?.run ?? "", ...words);
    const first = await outcome("--item", "a", "--value", "1", "--verifier", "check@2", "--evidence", "seen");
    expect(first.stdout).toBe(`The run is sealed, so the ledger says it: ${run?.run}/letters:a/1`);
    await outcome("--item", "b", "--value", "1", "--verifier", "check@2");
    await outcome("--item", "b", "--value", "0.5", "--verifier", "check@3", "--failure-mode", "wrong-letter");
    const columns = "item, eval_passed, signal_type, verifier_version, failure_mode, evidence";
    const { stdout } = await tracemill(home, "sql", `SELECT ${columns} FROM letters.attempts ORDER BY item`, "--json");
    expect(JSON.parse(stdout).rows).toEqual([
      {
        item: "letters:a",
        eval_passed: true,
        signal_type: "binary",
        verifier_version: "2",
        failure_mode: null,
        evidence: '"seen"',
      },
      {
        item: "letters:b",
        eval_passed: false,
        signal_type: "graded",
        verifier_version: "3",
        failure_mode: "wrong-letter",
        evidence: "null",
      },
    ]);
    const refused = await outcome("--item", "c", "--value", "1", "--verifier", "check@2");
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("UNKNOWN_ATTEMPT")]);
  }));

test("an item that a skill knows lies where the skill has it, whatever its source calls its family", () =>
  withHome(async (home) => {
    const file = join(home.path, "rows.jsonl");
    const ids = ["a-0", "b-0", "c-0", "d-0", "e-0", "other"];
    writeFileSync(file, ids.map((id) => `${row(id, "x")}\n`).join(""));
    await tracemill(home, "import", file, "--skill", "letters");
    const { stdout } = await tracemill(home, "sql", "SELECT item, family, split FROM letters.items", "--json");
    const found = JSON.parse(stdout).rows as { item: string; family: string; split: string }[];
    const known = (await letters.items({ seed: 1 })).map(({ item, family }) => [item as string, family] as const);
    for (const { item, family, split } of found) {
      const own = new Map(known).get(item);
      expect(family).toBe(own ?? "letters");
      expect(split).toBe(splitOf(letters.manifest, family));
    }
    expect(found).toHaveLength(6);
  }));

test("a run shows how much of each role's turns it holds", () =>
  withHome(async (home) => {
    const file = join(home.path, "rows.jsonl");
    writeFileSync(file, `${row("a", "a")}\n`);
    await tracemill(home, "import", file);
    const [run] = await listRuns(home);
    const { stdout } = await tracemill(home, "runs", "show", run?.run ?? "", "--completeness", "--json");
    expect((await tracemill(home, "runs", "show", "rows.jsonl", "--completeness", "--json")).stdout).toBe(stdout);
    expect((await tracemill(home, "reverify", "rows.jsonl")).stderr).toContain("NOT_REPLAYABLE");
    const sealed = await tracemill(home, "seal", "rows.jsonl", "--verify-cmd", "true");
    expect(sealed.stderr).toContain(`tracemill label ${run?.run} --verify-cmd CMD --repository DIR`);
    expect(JSON.parse(stdout).roles).toMatchObject([
      { role: "worker", turns: 1, full_prompt: 1, full_answer: 1, sampling: 0, outcome: 0, token_ids: 0 },
    ]);
  }));

test("labels of a run that is not sealed are refused before a command judges anything", () =>
  withHome(async (home) => {
    const run = newRunId(systemClock);
    const log = createRunLog(home, { run, clock: systemClock });
    const config = { command: "record", label: "nightly" };
    log.append({ type: "run_started", data: foreignStart({ run, skill: "letters", codeVersion: "t", config }) });
    log.close();
    const seen = join(home.path, "seen");
    const refused = await tracemill(home, "label", "nightly", "--verify-cmd", `touch ${seen}`, "--repository", "/none");
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("RUN_NOT_SEALED")]);
    expect(existsSync(seen)).toBe(false);
  }));

test("an import that holds what a revoked one did is said to be revoked, and listed so", () =>
  withHome(async (home) => {
    const file = join(home.path, "rows.jsonl");
    writeFileSync(file, `${row("a", "a")}\n`);
    await tracemill(home, "import", file, "--skill", "letters");
    const [first] = await listRuns(home);
    await tracemill(home, "revoke", first?.run ?? "", "--reason", "made up");
    writeFileSync(file, `${row("a", "a")}\n${row("b", "b")}\n`);
    const grown = await tracemill(home, "import", file, "--skill", "letters");
    const second = (await listRuns(home)).find(({ run }) => run !== first?.run);
    const said = `${second?.run} is revoked, so that no dataset takes it: holds the calls of ${first?.run}: made up`;
    expect(grown.stdout.split("\n")).toContain(said);
    for (const command of ["runs", "status"]) {
      const { stdout } = await tracemill(home, command);
      expect(stdout).toMatch(new RegExp(`^${first?.run} .* left out for ${second?.run}`, "m"));
      expect(stdout).toMatch(new RegExp(`^${second?.run} .* revoked`, "m"));
    }
  }));
