/**
 * The skill `test-command`, for coding agents: a repository with a bug is mended by writing one file, and its own test command
 * says whether that worked. Imports nothing of tracemill but types.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Check, Skill } from "../../../src/skills/contract.ts";
import { answerText, exampleFor, parseAnswer, promptFor, TOOL, writeCall } from "./answer.ts";
import { ID, ownTasks, solutionOf, taskOf, tasksFrom } from "./tasks.ts";
import { walls } from "./test-run.ts";
import { FAILURE_MODES, openWorkspace } from "./workspace.ts";

const LONGEST_TOLD = 1200;

const skill: Skill = {
  manifest: {
    id: ID,
    version: "1",
    description: "Mend a repository by writing one file, judged by its own test command.",
    salt: "test-command-1",
    splitFractions: { train: 0.5, validation: 0.2, test: 0.3 },
    failureModes: FAILURE_MODES,
    maxTokens: 600,
  },
  items: async ({ itemsFile }) => (itemsFile === undefined ? ownTasks() : tasksFrom(itemsFile)),
  prompt: promptFor,
  workedExample: exampleFor,
  starters: (items) =>
    items.flatMap((item) => {
      const solution = solutionOf(taskOf(item));
      return solution === null ? [] : [{ item, call: writeCall(solution.path, solution.content) }];
    }),
  tools: [TOOL],
  parse: parseAnswer,
  answerText,
  open: openWorkspace,
  /** What an agent would see in its terminal, shortened in the middle of nowhere: its end says what failed. */
  explain({ evidence }) {
    const {
      failing = [],
      reason = "",
      output = "",
    } = evidence as { failing?: string[]; reason?: string; output?: string };
    if (reason !== "") return reason;
    return `Failing: ${failing.join("; ") || "the command"}. The end of its output:\n${output.slice(-LONGEST_TOLD)}`;
  },
  close: async () => {},
  async doctor() {
    return [programCheck("node"), wallsCheck()];
  },
};

function programCheck(program: string): Check {
  const paths = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, program));
  const path = paths.find(isExecutable);
  const fix = path === undefined ? `install ${program}` : null;
  return { what: `the program ${program}`, isMet: path !== undefined, found: path ?? "not found", fix };
}

/** Without walls the skill still works: tests of one's own are then run as one runs them oneself. */
function wallsCheck(): Check {
  const found = {
    bubblewrap: "bubblewrap: no network, and nothing can be written but the copy",
    "network namespace":
      "a network namespace: no network, but other files can be written (bubblewrap would prevent that)",
    none: "none: tests run with the network and all of your files in reach (install bubblewrap)",
  }[walls()];
  return { what: "walls around the tests", isMet: true, found, fix: null };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export default skill;
