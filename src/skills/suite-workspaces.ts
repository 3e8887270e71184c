/**
 * Checks of the contract that open workspaces: verdicts, solutions, kept states, independence, processes.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import type { ActionCall } from "../records/events.ts";
import type { Item } from "../records/item.ts";
import { CAN_LIST_PROCESSES, stillLiving } from "./child-processes.ts";
import { checkMessages } from "./suite-items.ts";
import {
  demand,
  emptyAnswer,
  gist,
  isSame,
  judged,
  judgedWithout,
  type Probe,
  type Remark,
  type SuiteCheck,
  type Trial,
} from "./trial.ts";

/** So many solutions are tried, and fewer where that takes long. */
const SOLUTIONS = { least: 3, most: 24, patienceMs: 60_000 };
const UNTOUCHED = 3;
/** For processes that were told to end. */
const END_MS = 5000;
const LOOK_MS = 50;

const NO_CALL: Remark = {
  kind: "skipped",
  text: "no action was read from any made-up answer, and the skill offers no solved items (`starters`)",
};

export const WORKSPACE_CHECKS: readonly SuiteCheck[] = [
  {
    title: "finds no action in an empty answer, and judges that in one of its failure modes",
    async run({ skill, probe, within }) {
      const { item } = await probe();
      const { failureMode } = emptyAnswer(skill, item);
      demand(skill.manifest.failureModes.includes(failureMode), `the manifest lists no failure mode ${failureMode}`);
      const verdict = await within(item, null, (workspace) => judgedWithout(skill, workspace, item));
      demand(!verdict.passed, "an empty answer passed");
      return null;
    },
  },
  {
    title: "has items that do not pass before anything was done",
    async run({ skill, items, within }) {
      const some = (await items()).slice(0, UNTOUCHED);
      const passing = [];
      for (const item of some) {
        const { before } = await within(item, null, (workspace) => judgedWithout(skill, workspace, item));
        if (before?.passed) passing.push(item.item);
      }
      return passing.length === 0
        ? null
        : { kind: "warning", text: `these pass already, so nothing is learned: ${passing.join(", ")}` };
    },
  },
  { title: "gives verdicts that fit the record, the same ones in another workspace", run: checkRepetition },
  { title: "passes the solutions that it offers, as it writes them", run: checkSolutions },
  { title: "goes back to a kept state, and begins a workspace with one", run: checkStates },
  { title: "keeps two workspaces apart that are open at once", run: checkIndependence },
  { title: "leaves no process behind when it is closed, and starts again", run: checkProcesses },
];

async function checkRepetition(trial: Trial): ReturnType<SuiteCheck["run"]> {
  const probe = await trial.probe();
  const calls = callsOf(probe);
  for (const call of calls) {
    const [one, other] = [await fresh(trial, probe.item, call), await fresh(trial, probe.item, call)];
    demand(one === other, `${JSON.stringify(call)} was judged ${one}, and then ${other}`);
  }
  return calls.length === 0 ? NO_CALL : null;
}

async function checkSolutions({ skill, items, within }: Trial): ReturnType<SuiteCheck["run"]> {
  const starters = skill.starters?.(await items()) ?? [];
  if (starters.length === 0) return { kind: "skipped", text: "the skill offers no solved items (`starters`)" };
  const startMs = performance.now();
  let tried = 0;
  for (const { item, call } of starters.slice(0, SOLUTIONS.most)) {
    if (tried >= SOLUTIONS.least && performance.now() - startMs > SOLUTIONS.patienceMs) break;
    tried += 1;
    const verdict = await within(item, null, (workspace) => judged(skill, workspace, call));
    const evidence = JSON.stringify(verdict.evidence).slice(0, 500);
    demand(
      verdict.passed,
      `${item.item} is not solved by ${JSON.stringify(call)}: ${verdict.failureMode}: ${evidence}`,
    );
    const example = skill.workedExample(item, call);
    checkMessages(item, example, "assistant");
    const written = [
      example.at(-1)?.content ?? "",
      ...(skill.answerText === undefined ? [] : [skill.answerText(call)]),
    ];
    for (const content of written) {
      const read = skill.parse({ role: "assistant", content }, item);
      demand(isSame(read, { call }), `${item.item}: from ${JSON.stringify(content)} it reads ${JSON.stringify(read)}`);
    }
  }
  return { kind: "note", text: `${tried} of ${starters.length} tried` };
}

/**
 * What was done after a state was kept has no effect once it is restored: another action is then judged as in a
 * workspace that nothing was done in.
 */
async function checkStates(trial: Trial): ReturnType<SuiteCheck["run"]> {
  const { skill, within } = trial;
  const probe = await trial.probe();
  const { item, solution, other } = probe;
  const first = solution ?? other;
  const last = other ?? solution;
  if (first === null || last === null) return NO_CALL;
  const expected = await fresh(trial, item, last);
  const untouched = (await within(item, null, (workspace) => judgedWithout(skill, workspace, item))).before;
  const names = await within(item, null, async (workspace) => {
    const begin = await workspace.checkpoint();
    await judged(skill, workspace, first);
    const changed = await workspace.checkpoint();
    await workspace.restore(begin);
    const restored = (await judgedWithout(skill, workspace, item)).before;
    demand(isSame(restored, untouched), "after a restore the check before the action differs from a new workspace's");
    const got = gist(await judged(skill, workspace, last));
    demand(
      got === expected,
      `after a restore ${JSON.stringify(last)} was judged ${got}, in a new workspace ${expected}`,
    );
    return { begin, changed };
  });
  const got = await within(item, names.begin, async (workspace) => gist(await judged(skill, workspace, last)));
  demand(
    got === expected,
    `in a workspace from a kept state ${JSON.stringify(last)} was judged ${got}, not ${expected}`,
  );
  const { before } = await within(item, names.changed, (workspace) => judgedWithout(skill, workspace, item));
  const isKept = solution === null || names.changed === names.begin || before === null || before.passed;
  demand(isKept, "a workspace from a state in which the item was solved does not find it solved before its action");
  return null;
}

async function checkIndependence(trial: Trial): ReturnType<SuiteCheck["run"]> {
  const { skill, within } = trial;
  const { item, solution, other } = await trial.probe();
  const [first, second] = [solution ?? other, other ?? solution];
  if (first === null || second === null) return NO_CALL;
  const expected = [await fresh(trial, item, first), await fresh(trial, item, second)];
  const got = await within(item, null, (one) =>
    within(item, null, async (two) => {
      await one.act(first);
      await two.act(second);
      return [gist(await one.verify(first, { call: first })), gist(await two.verify(second, { call: second }))];
    }),
  );
  demand(isSame(got, expected), `alone they are judged ${expected.join(" and ")}, side by side ${got.join(" and ")}`);
  const stillOpen = await within(item, null, async (one) => {
    await within(item, null, (two) => two.act(second));
    return gist(await judged(skill, one, first));
  });
  demand(stillOpen === expected[0], `when another was closed it is judged ${stillOpen}, not ${expected[0]}`);
  return null;
}

async function checkProcesses(trial: Trial): ReturnType<SuiteCheck["run"]> {
  const { skill, within } = trial;
  const { item } = await trial.probe();
  const judgeNothing = () => within(item, null, (workspace) => judgedWithout(skill, workspace, item));
  await judgeNothing();
  await skill.close();
  let left = stillLiving(CAN_LIST_PROCESSES ? trial.seenProcesses() : []);
  for (let waitedMs = 0; left.length > 0 && waitedMs < END_MS; waitedMs += LOOK_MS) {
    await pause(LOOK_MS);
    left = stillLiving(left);
  }
  demand(left.length === 0, `still running: ${left.map(({ pid, command }) => `${command} (${pid})`).join(", ")}`);
  await judgeNothing();
  await skill.close();
  return CAN_LIST_PROCESSES ? null : { kind: "skipped", text: "processes are only listed on Linux" };
}

/** What an action is judged in a workspace that nothing was done in. */
function fresh({ skill, within }: Trial, item: Item, call: ActionCall): Promise<string> {
  return within(item, null, async (workspace) => gist(await judged(skill, workspace, call)));
}

function callsOf({ solution, other }: Probe): ActionCall[] {
  return [solution, other].filter((call) => call !== null);
}
