/**
 * The skill `stig`: a rule that a host fails is mended by one bash script, and the script is judged by real OpenSCAP
 * scans of the root filesystem that it ran on, in a sandbox.
 */
import { Refusal } from "../../src/foundation/errors.ts";
import type { Skill } from "../../src/skills/contract.ts";
import { toldReason } from "../../src/skills/told-reason.ts";
import { draftsOf, ruleOf } from "./items.ts";
import { manifest } from "./manifest.ts";
import { answerText, parseAnswer, TOOL } from "./parse-answer.ts";
import { exampleTurns, promptFor } from "./prompt.ts";
import { buildChecks, refuseUnmet, runChecks, setupCheck } from "./requirements.ts";
import { setUp } from "./setup.ts";
import { readSetup, type SetUp } from "./setup-folder.ts";
import { startersAmong } from "./starters.ts";
import { openWorkspace } from "./workspace.ts";

let ready: Promise<SetUp> | null = null;

/** Checks the machine once per process; what was missing is looked for again. */
function readyToRun(): Promise<SetUp> {
  ready ??= (async () => {
    refuseUnmet(await runChecks());
    return readSetup();
  })();
  ready.catch(() => {
    ready = null;
  });
  return ready;
}

const skill: Skill = {
  manifest,
  async items({ itemsFile }) {
    if (itemsFile !== undefined) throw noUserItems(itemsFile);
    return draftsOf((await readSetup()).setup);
  },
  prompt: promptFor,
  workedExample: exampleTurns,
  starters: startersAmong,
  tools: [TOOL],
  parse: parseAnswer,
  answerText,
  async open(item, place) {
    const setUp = await readyToRun();
    const rule = ruleOf(item, setUp.setup);
    if (rule === undefined) throw unknownRule(item.item);
    return openWorkspace(rule, place, setUp);
  },
  explain: (verdict) => toldReason(verdict),
  async close() {},
  async setup(options) {
    const { rules } = await setUp(options);
    const attainable = rules.filter(({ isAttainable }) => isAttainable);
    const families = new Set(attainable.map(({ family }) => family)).size;
    const failing = rules.filter(({ baseline }) => baseline === "fail").length;
    return `${rules.length} rules, ${failing} of them fail on the root; ${attainable.length} attainable items in ${families} families`;
  },
  async doctor() {
    const setup = await setupCheck();
    return [...(await runChecks()), ...(setup.isMet ? [] : await buildChecks()), setup];
  },
};

export default skill;

function noUserItems(file: string): Refusal {
  return new Refusal({
    code: "NO_USER_ITEMS",
    message: "The items of the skill stig are the rules of its content.",
    expected: "no --items",
    got: file,
    fix: "leave --items out",
  });
}

function unknownRule(item: string): Refusal {
  return new Refusal({
    code: "UNKNOWN_RULE",
    message: "The content that is set up does not hold this item's rule.",
    expected: "an item of this skill version's setup",
    got: item,
    fix: "tracemill skill setup stig",
  });
}
