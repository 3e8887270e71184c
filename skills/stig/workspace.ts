/**
 * One item's workspace: a sandbox, the script that is run in it, and the judgement of what it left.
 */
import { assert } from "../../src/foundation/errors.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { ActionResult, ParsedAnswer, Place, Workspace } from "../../src/skills/contract.ts";
import { type Change, changesIn, changesSince, touchedScanner } from "./changes.ts";
import { judge, scannerFault, stateFault } from "./judge.ts";
import { BASELINE, keepState, readState, type Start } from "./kept-state.ts";
import { manifest, VERIFIER } from "./manifest.ts";
import { scriptOf } from "./parse-answer.ts";
import type { Ended } from "./process-output.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import type { FoundRule, SetUp } from "./setup-folder.ts";

export const SCRIPT_LIMIT_MS = 10_000;

interface State {
  sandbox: Sandbox;
  start: Start;
  /** The name of the state that the sandbox began with. */
  name: string;
  /** What was changed already when the sandbox began. */
  inherited: Change[];
  ended: Ended | null;
}

/** Opens a rule in a sandbox, at its baseline or a kept state. Throws: what starting the sandbox throws. */
export async function openWorkspace(
  rule: FoundRule,
  { folder, from }: Place,
  { setup, folders }: SetUp,
): Promise<Workspace> {
  const baseline: Start = { upper: null, results: new Map(setup.rules.map(({ id, baseline }) => [id, baseline])) };

  async function begin(name: string): Promise<State> {
    const kept = name === BASELINE ? baseline : await readState(folder, name);
    const start = { ...kept, results: new Map([...baseline.results, ...kept.results]) };
    const sandbox = await startSandbox(folders, start.upper);
    const inherited = start.upper === null ? [] : (await changesIn(sandbox)).list;
    return { sandbox, start, name, inherited, ended: null };
  }

  /** What passed when the sandbox began and can be broken in it. */
  const watched = ({ results }: Start) =>
    setup.rules
      .filter(({ id, isConstant }) => !isConstant && id !== rule.id && results.get(id) === "pass")
      .map(({ id }) => id);

  let state = await begin(from ?? BASELINE);

  return {
    async act(call) {
      const unsound = touchedScanner((await changesIn(state.sandbox)).list);
      if (unsound.length > 0) return refusedToRun(unsound);
      state.ended = await runScript(state.sandbox, scriptOf(call));
      return actionResult(state.ended);
    },
    async verify(call, parsed) {
      if (call === null) {
        assert("failureMode" in parsed, "an answer with an action is verified by its call");
        return verdictWithoutAction(rule, parsed, state.start);
      }
      const { sandbox, start, inherited, ended } = state;
      const { list, isWhole } = await changesIn(sandbox);
      const changes = changesSince(inherited, list);
      const from = { before: start.results, watched: watched(start), isFromBaseline: start.upper === null };
      return judge({ sandbox, rule, ...from, changes, isWhole, ended });
    },
    async checkpoint() {
      const changes = changesSince(state.inherited, (await changesIn(state.sandbox)).list);
      return changes.length === 0 ? state.name : keepState(state.sandbox, folder);
    },
    async restore(checkpoint) {
      await state.sandbox.close();
      state = await begin(checkpoint);
    },
    async health() {
      const { sandbox, start, ended } = state;
      const fault = await scannerFault(sandbox, rule);
      return fault ?? stateFault(sandbox, rule, ended === null ? (start.results.get(rule.id) ?? null) : null);
    },
    close: () => state.sandbox.close(),
  };
}

/** Runs a script as root of the sandbox, with files that nobody else can read or write unless it says so. */
export function runScript(sandbox: Sandbox, script: string): Promise<Ended> {
  const words = ["/usr/bin/bash", "-c", 'umask 027; exec /usr/bin/bash -c "$1"', "bash", script];
  return sandbox.run(words, { limitMs: SCRIPT_LIMIT_MS });
}

function actionResult({ exitCode, stdout, stderr, isTimedOut, isCut }: Ended): ActionResult {
  const notes = [
    ...(isTimedOut ? [`[stopped after ${SCRIPT_LIMIT_MS} ms]`] : []),
    ...(isCut ? ["[the rest of the output was dropped]"] : []),
  ];
  return { exitCode, stdout, stderr: [stderr, ...notes].filter((part) => part !== "").join("\n") };
}

function refusedToRun(paths: readonly string[]): ActionResult {
  const stderr = `not run: an earlier script changed what the sandbox stands on: ${paths.join(", ")}\n`;
  return { exitCode: 126, stdout: "", stderr };
}

function verdictWithoutAction(
  rule: FoundRule,
  parsed: Extract<ParsedAnswer, { failureMode: string }>,
  start: Start,
): Verdict {
  const { failureMode, reason } = parsed;
  assert(manifest.failureModes.includes(failureMode), `unknown failure mode ${failureMode}`);
  const hadPassed = start.results.get(rule.id) === "pass";
  return {
    value: 0,
    confidence: 1,
    passed: false,
    failureMode,
    signalType: "binary",
    verifier: VERIFIER,
    before: { value: hadPassed ? 1 : 0, passed: hadPassed },
    evidence: { reason, rule: rule.id },
    flags: [],
  };
}
