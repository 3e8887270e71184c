/**
 * Attempts at STIG rules a second, judged by the real scanner on as many workspaces at once as there are cores: those
 * that fail (one scan of the target rule) and those that pass (a scan of every rule that passed before on top). The peer
 * is the scanner with the whole data stream, as it comes: one rule for a failing attempt, and one and all for a passing one.
 */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { PROFILE } from "../skills/stig/datastream.ts";
import { fixCall } from "../skills/stig/parse-answer.ts";
import { startSandbox } from "../skills/stig/sandbox.ts";
import { DATASTREAM, type FoundRule, readSetup, type SetUp } from "../skills/stig/setup-folder.ts";
import { openWorkspace } from "../skills/stig/workspace.ts";
import type { BenchRow } from "./bench-row.ts";

const FAILING = 40;
const PASSING = 16;

export async function benchStig(): Promise<BenchRow[]> {
  const setUp = await readSetup();
  const folder = await mkdtemp(join(tmpdir(), "tracemill-bench-stig-"));
  try {
    const rules = setUp.setup.rules.filter(({ isAttainable }) => isAttainable);
    const failing = await rate(FAILING, (i) => attempt(setUp, at(rules, i), { folder, script: "true", passes: false }));
    const passing = await rate(PASSING, (i) =>
      attempt(setUp, at(rules, i * 6), { folder, script: at(rules, i * 6).fix ?? "", passes: true }),
    );
    await copyFile(join(setUp.folders.root, DATASTREAM), join(folder, "ds.xml"));
    const whole = { ...setUp, folders: { ...setUp.folders, content: folder } };
    const one = await rate(8, (i) => wholeScan(whole, ["--rule", at(rules, i).id]));
    const all = await rate(4, () => wholeScan(whole, []));
    const unit = "attempts/s";
    const both = 1 / (1 / one + 1 / all);
    return [
      {
        name: "stig, attempts that fail, against the whole data stream",
        ours: failing,
        peer: one,
        ratio: failing / one,
        unit,
      },
      {
        name: "stig, attempts that pass, against the whole data stream",
        ours: passing,
        peer: both,
        ratio: passing / both,
        unit,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Units: calls a second, with one worker for each core. */
async function rate(total: number, work: (i: number) => Promise<void>): Promise<number> {
  let next = 0;
  const startMs = performance.now();
  const worker = async () => {
    while (next < total) await work(next++);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return total / ((performance.now() - startMs) / 1000);
}

async function attempt(
  setUp: SetUp,
  rule: FoundRule,
  { folder, script, passes }: { folder: string; script: string; passes: boolean },
): Promise<void> {
  const workspace = await openWorkspace(rule, { folder, from: null }, setUp);
  const call = fixCall(script);
  await workspace.act(call);
  const { passed } = await workspace.verify(call, { call });
  await workspace.close();
  if (passed !== passes) throw new Error(`${rule.id} ${passed ? "passed" : "did not pass"}`);
}

async function wholeScan({ folders }: SetUp, words: string[]): Promise<void> {
  const sandbox = await startSandbox(folders, null);
  const scanner = ["/usr/bin/oscap", "xccdf", "eval", "--skip-valid", "--progress", "--profile", PROFILE];
  await sandbox.run([...scanner, ...words, "/run/scap/ds.xml"], { limitMs: 60_000, isReadOnly: true });
  await sandbox.close();
}

function at(rules: readonly FoundRule[], i: number): FoundRule {
  return rules[i % rules.length] as FoundRule;
}
