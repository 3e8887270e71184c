/**
 * Prompt templates: Markdown that a person reads and changes without touching code.
 *
 *     # user          begins a message of that role
 *     ## task         begins a section of it; the heading itself is not sent
 *     ## plan (2)     a section that may be left out where the prompt is too long, the highest number first
 *     {{plan}}        a variable; a section whose variables are all empty is left out
 *
 * A section is sent whole or not at all: a clipped text would look like one that was meant so.
 * Does not know what a skill or a role is.
 */
import { readFileSync } from "node:fs";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, hashText } from "../foundation/hashing.ts";
import { nearest } from "../foundation/nearest.ts";
import { sumOf } from "../foundation/sums.ts";
import type { Message } from "../records/message.ts";

const MESSAGE_ROLES = ["system", "user", "assistant"] as const;
const VARIABLE = /\{\{(\w+)\}\}/g;

interface Section {
  name: string;
  /** Null: never left out for its length. */
  priority: number | null;
  text: string;
  variables: string[];
}

export interface Template {
  name: string;
  /** Of the file's text: prompts of two hashes are two prompts. */
  hash: Hash;
  messages: { role: (typeof MESSAGE_ROLES)[number]; sections: Section[] }[];
}

export interface FilledTemplate {
  messages: Message[];
  /** Sections that were left out for the budget, in the order in which they went. */
  leftOut: string[];
}

/** Units: tokens, as `count` measures them. */
export interface Budget {
  tokens: number;
  count(text: string): number;
}

/**
 * Reads a template whose variables are all among the known ones.
 * Throws: `BAD_TEMPLATE` with the line; `UNKNOWN_VARIABLE` with the nearest known one.
 */
export function readTemplate(file: string, name: string, known: readonly string[]): Template {
  const text = readText(file);
  const template: Template = { name, hash: hashText(text), messages: [] };
  let section: Section | null = null;
  for (const [i, line] of text.split("\n").entries()) {
    const heading = /^(#{1,2}) (.+?)\s*$/.exec(line);
    if (heading === null) {
      if (section !== null) section.text += `${line}\n`;
      else if (line.trim() !== "") throw badTemplate(file, i, "a heading such as `# user` before any text", line);
    } else if (heading[1] === "#") {
      const role = MESSAGE_ROLES.find((one) => one === heading[2]);
      if (role === undefined) throw badTemplate(file, i, `# ${MESSAGE_ROLES.join(", # ")}`, line);
      section = { name: role, priority: null, text: "", variables: [] };
      template.messages.push({ role, sections: [section] });
    } else {
      const parts = /^([a-z][a-z0-9-]*)(?: \((\d+)\))?$/.exec(heading[2] ?? "");
      const message = template.messages.at(-1);
      if (parts === null || message === undefined) throw badTemplate(file, i, "## name or ## name (priority)", line);
      section = {
        name: parts[1] ?? "",
        priority: parts[2] === undefined ? null : Number(parts[2]),
        text: "",
        variables: [],
      };
      message.sections.push(section);
    }
  }
  for (const part of template.messages.flatMap(({ sections }) => sections)) {
    part.text = part.text.trim();
    part.variables = [...part.text.matchAll(VARIABLE)].map(([, variable]) => variable ?? "");
    const stranger = part.variables.find((variable) => !known.includes(variable));
    if (stranger !== undefined) throw unknownVariable(file, stranger, known);
  }
  return template;
}

/**
 * Puts values in and, where a budget is given, leaves sections out until the rest fits it or only essential ones are left.
 * Shapes: a variable without a value is empty; values are put in as they are, braces in them stay braces.
 */
export function fillTemplate(
  template: Template,
  variables: Readonly<Record<string, string>>,
  budget: Budget | null = null,
): FilledTemplate {
  const messages = template.messages.map(({ role, sections }) => ({
    role,
    parts: sections
      .filter((section) => section.text !== "" && !isEmpty(section, variables))
      .map((section) => ({ section, text: filled(section.text, variables) })),
  }));
  const leftOut: string[] = [];
  if (budget !== null) {
    const sized = messages.flatMap(({ parts }) => parts.map((part) => ({ ...part, tokens: budget.count(part.text) })));
    let tokens = sumOf(sized, (part) => part.tokens);
    const optional = sized
      .filter(({ section }) => section.priority !== null)
      .reverse()
      .sort((x, y) => (y.section.priority ?? 0) - (x.section.priority ?? 0));
    for (const part of optional) {
      if (tokens <= budget.tokens) break;
      tokens -= part.tokens;
      leftOut.push(part.section.name);
    }
  }
  return {
    messages: messages
      .map(({ role, parts }) => ({
        role,
        content: parts
          .filter(({ section }) => section.priority === null || !leftOut.includes(section.name))
          .map(({ text }) => text)
          .join("\n\n"),
      }))
      .filter(({ content }) => content !== ""),
    leftOut,
  };
}

function isEmpty(section: Section, variables: Readonly<Record<string, string>>): boolean {
  return section.variables.length > 0 && section.variables.every((name) => (variables[name] ?? "") === "");
}

/** In one pass, so that a value that looks like a variable is not taken for one. */
function filled(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(VARIABLE, (_, name: string) => variables[name] ?? "");
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Refusal({
      code: "NO_TEMPLATE",
      message: "A prompt template cannot be read.",
      expected: "a Markdown file",
      got: (cause as NodeJS.ErrnoException).code ?? String(cause),
      where: file,
      fix: "put the file there, or restore it from where the skill came from",
      cause,
    });
  }
}

function unknownVariable(file: string, variable: string, known: readonly string[]): Refusal {
  const close = nearest(variable, known);
  return new Refusal({
    code: "UNKNOWN_VARIABLE",
    message: `A prompt template names the variable "${variable}", which this prompt does not have.`,
    expected: `one of: ${known.join(", ")}`,
    got: `{{${variable}}}`,
    where: file,
    ...(close.length > 0 && { fix: `did you mean ${close.map((name) => `{{${name}}}`).join(" or ")}?` }),
  });
}

function badTemplate(file: string, lineIndex: number, expected: string, line: string): Refusal {
  return new Refusal({
    code: "BAD_TEMPLATE",
    message: "A prompt template cannot be read.",
    expected,
    got: line.slice(0, 80),
    where: `${file}:${lineIndex + 1}`,
  });
}
