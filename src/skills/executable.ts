/**
 * A skill whose items and verifier are a program of any language, that speaks JSON lines: its folder holds a `skill.json`, the
 * program, and `prompts/worker.md`. Prompts and answers are handled here, so that the program need not know of them.
 */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Failure, Refusal } from "../foundation/errors.ts";
import { itemId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import type { Tool } from "../records/message.ts";
import type { Check, Draft, Skill, SkillManifest } from "./contract.ts";
import { startConversation } from "./conversation.ts";
import { type ExecutableManifest, programPath, readExecutableManifest } from "./executable-manifest.ts";
import type { Result } from "./executable-protocol.ts";
import { openExecutableWorkspace } from "./executable-workspace.ts";
import { SkillError } from "./session.ts";
import { fillTemplate, readTemplate, type Template } from "./template.ts";
import { actionCall, actionText, parseAction } from "./text-action.ts";

/** Of an explanation; more would push the task out of the prompt. */
const MOST_TOLD = 2000;

/**
 * Makes a skill of a folder with a skill.json; its program starts when it is first asked something.
 * Throws: `BAD_SKILL`; `NO_TEMPLATE`, `BAD_TEMPLATE`, `UNKNOWN_VARIABLE` for its prompt.
 */
export function executableSkill(file: string): Skill {
  const own = readExecutableManifest(file);
  const folder = dirname(file);
  const manifest = manifestOf(own);
  const { action } = own;
  const template = workerTemplate(join(folder, "prompts", "worker.md"), own.variables);
  const conversation = startConversation({
    skill: own.id,
    command: own.command,
    folder,
    environment: own.environment,
    silenceMs: own.replySeconds * 1000,
  });
  const prompt = (item: Item) => fillTemplate(template, valuesOf(item, own.variables)).messages;

  return {
    manifest,
    async items({ seed, itemsFile }) {
      refuseMissingProgram(file, own);
      const path = itemsFile === undefined ? null : await readableFile(itemsFile);
      const given = await conversation.ask("items", { seed, itemsFile: path }).catch((error) => {
        throw itemsRefused(own.id, error);
      });
      return draftsOf(given, own);
    },
    prompt,
    workedExample: (item, call) => [
      ...prompt(item).filter(({ role }) => role !== "system"),
      { role: "assistant", content: actionText(call, action) },
    ],
    ...(own.solution !== undefined && { starters: (items: readonly Item[]) => startersOf(items, own) }),
    tools: [own.tool ?? toolOf(own)],
    parse: (answer) => parseAction(answer, action),
    answerText: (call) => actionText(call, action),
    open: (item, place) =>
      openExecutableWorkspace({ conversation, manifest, optional: own.optionalMethods }, item, place),
    explain: ({ evidence }) => explanationIn(evidence),
    close: () => conversation.close(),
    async doctor() {
      const program = programCheck(file, own);
      const asks = program.isMet && own.optionalMethods.includes("doctor");
      return [program, ...(asks ? await conversation.ask("doctor", {}) : [])];
    },
  };
}

function manifestOf(own: ExecutableManifest): SkillManifest {
  const { id, version, description, salt, splitFractions, failureModes, deferrableFailureModes, maxTokens } = own;
  return {
    ...{ id, version, description, salt, splitFractions, failureModes, maxTokens },
    ...(deferrableFailureModes !== undefined && { deferrableFailureModes }),
  };
}

function workerTemplate(file: string, variables: readonly string[]): Template {
  const template = readTemplate(file, "worker", ["task", ...variables]);
  if (template.messages.at(-1)?.role === "user") return template;
  throw new Refusal({
    code: "BAD_TEMPLATE",
    message: "A worker's prompt does not end with a user's message.",
    expected: "`# user` as the last heading of the first level",
    got: template.messages.map(({ role }) => `# ${role}`).join(", ") || "no heading",
    where: file,
  });
}

/** The tool by which the action is done natively, where the skill describes none itself. */
function toolOf({ action, description }: ExecutableManifest): Tool {
  const parameters = {
    type: "object",
    properties: { [action.argument]: { type: "string" } },
    required: [action.argument],
  };
  return { type: "function", function: { name: action.name, description, parameters } };
}

/** Throws: `BAD_ITEMS` for the first item that lacks what the prompt, or its solution, needs. */
function draftsOf(given: Result<"items">, { id, variables, solution }: ExecutableManifest): Draft[] {
  return given.map(({ id: nativeId, ...rest }) => {
    const lacking = variables.find((name) => !["string", "number", "boolean"].includes(typeof rest.detail[name]));
    if (lacking !== undefined) throw badItem(id, nativeId, lacking, "a text, number or boolean for the prompt");
    if (solution !== undefined && typeof rest.detail[solution] !== "string")
      throw badItem(id, nativeId, solution, "a text that solves the item");
    return { item: itemId(id, nativeId), ...rest };
  });
}

function valuesOf({ task, detail }: Item, variables: readonly string[]): Record<string, string> {
  return Object.fromEntries([["task", task], ...variables.map((name) => [name, String(detail[name] ?? "")])]);
}

/** One solved item of each kind, or of each family where items have no kind. */
function startersOf(items: readonly Item[], { action, solution = "" }: ExecutableManifest) {
  const kinds = new Map(items.map((item) => [item.kind ?? item.family, item]));
  return [...kinds.values()].map((item) => ({ item, call: actionCall(String(item.detail[solution]), action) }));
}

/** What a verdict's evidence holds for the worker to read. */
function explanationIn(evidence: unknown): string {
  const told = typeof evidence === "object" && evidence !== null && "explanation" in evidence && evidence.explanation;
  return typeof told === "string" ? told.slice(0, MOST_TOLD) : "";
}

function programCheck(file: string, own: ExecutableManifest): Check {
  const [program] = own.command;
  const path = programPath(file, own);
  return {
    what: `the program ${program}`,
    isMet: path !== null,
    found: path ?? "not found, or not executable",
    fix: path === null ? `install it, or mend \`command\` in ${file}` : null,
  };
}

function refuseMissingProgram(file: string, own: ExecutableManifest): void {
  const { what, isMet, found, fix } = programCheck(file, own);
  if (isMet) return;
  throw new Refusal({
    code: "SKILL_NEEDS",
    message: `The skill ${own.id} cannot run here.`,
    expected: what,
    got: found,
    ...(fix !== null && { fix }),
  });
}

async function readableFile(file: string): Promise<string> {
  const path = resolve(file);
  await access(path, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
    throw new Refusal({
      code: "NO_ITEMS_FILE",
      message: "The file of items cannot be read.",
      expected: "a file that the skill reads items from",
      got: cause.code ?? cause.message,
      where: file,
      cause,
    });
  });
  return path;
}

/** What the program itself says is wrong is bad input; all else stays what it is. */
function itemsRefused(skill: string, error: unknown): unknown {
  if (!(error instanceof Failure) || !(error.cause instanceof SkillError)) return error;
  const { message, ...found } = error.cause.details;
  const known = Object.fromEntries(Object.entries(found).filter(([, text]) => text !== undefined));
  return new Refusal({
    code: "BAD_ITEMS",
    message: `The skill ${skill} gives no items: ${message}`,
    ...known,
    cause: error,
  });
}

function badItem(skill: string, nativeId: string, key: string, expected: string): Refusal {
  return new Refusal({
    code: "BAD_ITEMS",
    message: `The skill ${skill} gave an item that lacks what its skill.json names.`,
    expected,
    where: `${itemId(skill, nativeId)}: detail.${key}`,
    fix: "let the program's `items` give it, or mend skill.json",
  });
}
