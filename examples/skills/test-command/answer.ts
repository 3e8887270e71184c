/**
 * The prompt, and how an answer is read: a native call of `write_file`, or a path and the file's whole new content in a
 * fenced block.
 */
import type { ActionCall, Item, Message, Skill, Tool } from "../../../src/skills/contract.ts";
import { taskOf } from "./tasks.ts";

export const NO_FILE = "no-file";

export const TOOL: Tool = {
  type: "function",
  function: {
    name: "write_file",
    description: "Write the whole new content of one file of the repository.",
    parameters: {
      type: "object",
      properties: { path: { type: "string" }, content: { type: "string" } },
      required: ["path", "content"],
    },
  },
};

const SYSTEM = `You mend a repository so that its tests pass. The tests stay as they are. Reply with the path of one file and, in a \
fenced block, its whole new content.`;

/** A path that stands alone on a line, perhaps marked as one; any other path is written behind `File:`. */
const PATH = /^[#*` \t]*(?:File: (?<told>[^\n]*?)|(?<plain>(?=\S*[./])[\w.-]+(?:\/[\w.-]+)*))[*`: \t]*$/;
const BLOCK = /^(`{3,})[^`\n]*\n([\s\S]*?)(?:\n\1[ \t]*(?:\n|$)|$(?![\s\S]))/m;

/** The prompt of an item: its task, its files and the tests that they have to pass. */
export function promptFor(item: Item): Message[] {
  return [
    { role: "system", content: SYSTEM },
    { role: "user", content: taskText(item) },
  ];
}

/** A task and the call that solved it, as two messages. */
export function exampleFor(item: Item, call: ActionCall): Message[] {
  return [
    { role: "user", content: taskText(item) },
    { role: "assistant", content: answerText(call) },
  ];
}

function taskText(item: Item): string {
  const { shown, verify } = taskOf(item);
  const files = shown.map(({ path, text }) => block(path, text));
  return [`${item.task} \`${verify}\` has to pass.`, ...files].join("\n\n");
}

/** Builds the call that writes a file; its content ends with one line end. */
export function writeCall(path: string, content: string): ActionCall {
  return { name: "write_file", arguments: { path, content: withOneEnd(content) } };
}

/** The shortest answer from which the call is read back. */
export function answerText({ arguments: { path, content } }: ActionCall): string {
  return block(String(path), String(content));
}

export const parseAnswer: Skill["parse"] = (answer, item) => {
  const [call, ...others] = answer.tool_calls ?? [];
  if (others.length > 0) return none(`${others.length + 1} tool calls where one was expected`);
  if (call !== undefined) return fromToolCall(call.function);
  const text = answer.content ?? "";
  const found = BLOCK.exec(text);
  if (found === null) return none("the answer has no fenced block");
  return usable(pathIn(lineBefore(text, found.index)) ?? taskOf(item).file, found[2] ?? "");
};

/** The last line that holds something before a place in a text. */
function lineBefore(text: string, place: number): string {
  return text.slice(0, place).trimEnd().split("\n").at(-1) ?? "";
}

function pathIn(line: string): string | undefined {
  const { told, plain } = PATH.exec(line)?.groups ?? {};
  return told ?? plain;
}

function fromToolCall({ name, arguments: given }: { name: string; arguments: unknown }): ReturnType<Skill["parse"]> {
  if (name !== "write_file") return none(`the tool ${name} does not exist; there is write_file`);
  try {
    const { path, content } = (typeof given === "string" ? JSON.parse(given) : given) as Record<string, unknown>;
    if (typeof path !== "string" || typeof content !== "string") return none("path and content have to be texts");
    return usable(path, content);
  } catch {
    return none("the arguments are no JSON object");
  }
}

function usable(path: string, content: string): ReturnType<Skill["parse"]> {
  if (path.trim() === "" || /\p{Cc}/u.test(path)) return none("the answer names no file");
  return content.trim() === "" ? none("the file's content is empty") : { call: writeCall(path, content) };
}

function none(reason: string): ReturnType<Skill["parse"]> {
  return { failureMode: NO_FILE, reason };
}

/** A file ends with one line end, however the answer ended it. */
function withOneEnd(content: string): string {
  return `${content.replace(/\s+$/, "")}\n`;
}

/** The fence is longer than any run of backticks in the text. */
function block(path: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${pathIn(path) === path ? path : `File: ${path}`}\n${fence}\n${text.trimEnd()}\n${fence}`;
}
