/**
 * From a command's zod table to a parser and to its help. `commander` reads the words; zod decides what they may be.
 */
import { Argument, CommanderError, Option, Command as Parser } from "commander";
import { z } from "zod";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { AnyCommand } from "./command.ts";
import { isNamesList, namesIn } from "./names-list.ts";

export type CommandTable = Map<string, () => Promise<AnyCommand | undefined>>;

/** What holds for all commands alike. */
export const EVERY_COMMAND =
  "Every command takes --help, --home DIR (default: $TRACEMILL_HOME or ./.tracemill) and --json.";

export interface ParsedLine {
  input: Record<string, unknown>;
  home: string | undefined;
  isJson: boolean;
  /** The help text, where that was asked for. */
  help?: string;
}

/** Lists the loaders of a folder's files by name; a file is a command where it has a default export. */
export async function commandsOf(folder: string): Promise<CommandTable> {
  const ids = await extensionIds(folder);
  return new Map(ids.map((id) => [id, () => loadExtension<AnyCommand | undefined>(folder, "command", id)]));
}

/** Loads every command, for the program's help and for docs/cli.md. */
export async function loadAll(table: CommandTable): Promise<Map<string, AnyCommand>> {
  const loaded = new Map<string, AnyCommand>();
  for (const [name, load] of table) {
    const command = await load();
    if (command !== undefined) loaded.set(name, command);
  }
  return loaded;
}

/** Returns the program's help: every command with its one-line summary. */
export async function programHelp(table: CommandTable): Promise<string> {
  const program = new Parser("tracemill")
    .description("Turns verified agent runs into better local models.")
    .usage("<command> [options]")
    .option("--version", "print the version")
    .helpCommand(false);
  for (const [name, command] of await loadAll(table)) program.command(name).summary(command.summary).usage("");
  return `${program.helpInformation()}
${EVERY_COMMAND}
`;
}

/**
 * Reads a command's words.
 * Throws: `UNKNOWN_OPTION` with the nearest options, `BAD_ARGUMENT` naming the option, what was expected and found.
 */
export function parseInput(name: string, command: AnyCommand, words: string[]): ParsedLine {
  const parser = parserOf(name, command);
  if (words.includes("--help") || words.includes("-h")) {
    return {
      input: {},
      home: undefined,
      isJson: false,
      help: `${parser.helpInformation()}${command.details ? `\n${command.details}\n` : ""}`,
    };
  }
  try {
    parser.parse(words, { from: "user" });
  } catch (error) {
    throw fromCommander(error, parser);
  }
  const { home, json, ...options } = parser.opts();
  const positional = command.positional ?? [];
  const given: Record<string, unknown> = { ...options };
  positional.forEach((key, i) => {
    if (parser.processedArgs[i] !== undefined) given[key] = parser.processedArgs[i];
  });
  const fields = fieldsOf(command);
  for (const [key, value] of Object.entries(given)) given[key] = converted(value, fields.get(key));
  const checked = command.input.safeParse(given);
  if (!checked.success) {
    const issue = checked.error.issues[0] as z.core.$ZodIssue;
    const range = fields.get(String(issue.path[0] ?? ""))?.range ?? null;
    throw badArgument({ name, positional, given }, issue, range);
  }
  return { input: checked.data, home, isJson: json === true };
}

/** Builds the commander parser of one command; docs/cli.md is made from it too. */
export function parserOf(name: string, command: AnyCommand): Parser {
  const parser = new Parser(`tracemill ${name}`)
    .description(command.summary)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  const positional = new Set<string>(command.positional ?? []);
  for (const [key, field] of fieldsOf(command)) {
    if (positional.has(key)) continue;
    parser.addOption(optionOf(key, field, positional.size === 0));
  }
  for (const key of command.positional ?? []) {
    const field = fieldsOf(command).get(key) as Field;
    const word = kebab(key);
    parser.addArgument(new Argument(field.isRequired ? `<${word}>` : `[${word}]`, field.description));
  }
  parser.option("--home <dir>", "where runs, datasets and adapters lie (default: $TRACEMILL_HOME or ./.tracemill)");
  parser.option("--json", "print the result as JSON, and progress as JSON lines on stderr");
  return parser;
}

export interface Field {
  kind: "string" | "number" | "boolean" | "list";
  description: string;
  isRequired: boolean;
  choices: string[] | null;
  /** Of a list, whether one word may hold several, separated by commas. */
  hasCommas: boolean;
  defaultValue: unknown;
  /** Of a number, what it may be: `a whole number from 1`. */
  range: string | null;
}

/** Reads the table: each key's kind, description, choices and default. */
export function fieldsOf(command: AnyCommand): Map<string, Field> {
  const { shape } = command.input as unknown as z.ZodObject;
  return new Map(Object.entries(shape).map(([key, schema]) => [key, fieldOf(schema as z.ZodType)]));
}

function fieldOf(schema: z.ZodType): Field {
  let inner = schema;
  let defaultValue: unknown;
  let description = schema.description;
  let isRequired = true;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable) {
    if (inner instanceof z.ZodDefault) defaultValue = inner.def.defaultValue;
    isRequired = false;
    inner = inner.def.innerType as z.ZodType;
    description ??= inner.description;
  }
  const choices = inner instanceof z.ZodEnum ? inner.options.map(String) : null;
  const kind =
    inner instanceof z.ZodBoolean
      ? "boolean"
      : inner instanceof z.ZodNumber
        ? "number"
        : inner instanceof z.ZodArray
          ? "list"
          : "string";
  const range = inner instanceof z.ZodNumber ? rangeOf(inner) : null;
  return {
    kind,
    description: description ?? "",
    isRequired,
    choices,
    hasCommas: isNamesList(inner),
    defaultValue,
    range,
  };
}

function rangeOf(schema: z.ZodNumber): string {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = z.toJSONSchema(schema);
  const bounds = [
    ...(minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? [`from ${minimum}`] : []),
    ...(exclusiveMinimum !== undefined ? [`above ${exclusiveMinimum}`] : []),
    ...(maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? [`to ${maximum}`] : []),
    ...(exclusiveMaximum !== undefined ? [`below ${exclusiveMaximum}`] : []),
  ];
  return [type === "integer" ? "a whole number" : "a number", ...bounds].join(" ");
}

/** A list takes all words up to the next option, unless one of these could be an argument of the command. */
function optionOf(key: string, field: Field, takesMore: boolean): Option {
  const flag = `--${kebab(key)}`;
  const isOn = field.kind === "boolean" && field.defaultValue === true;
  const placeholder =
    field.kind === "number"
      ? " <n>"
      : field.kind === "boolean"
        ? ""
        : field.choices
          ? ` <${field.choices.join("|")}>`
          : field.kind === "list" && takesMore
            ? " <text...>"
            : " <text>";
  const shown =
    field.defaultValue === undefined ||
    field.kind === "boolean" ||
    (Array.isArray(field.defaultValue) && field.defaultValue.length === 0);
  const note = shown ? (field.isRequired ? " (required)" : "") : ` (default: ${String(field.defaultValue)})`;
  const repeated = field.kind !== "list" ? "" : field.hasCommas ? " (repeatable, or with commas)" : " (repeatable)";
  const option = new Option(
    isOn ? `--no-${kebab(key)}` : `${flag}${placeholder}`,
    `${field.description}${repeated}${note}`,
  );
  if (field.kind === "list") {
    const split = field.hasCommas ? namesIn : (word: string) => [word];
    option.argParser((word: string, all: string[] | undefined) => [...(all ?? []), ...split(word)]);
  }
  return option;
}

function converted(value: unknown, field: Field | undefined): unknown {
  if (field?.kind !== "number" || typeof value !== "string") return value;
  return value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
}

function badArgument(
  { name, positional, given }: { name: string; positional: readonly string[]; given: Record<string, unknown> },
  issue: z.core.$ZodIssue,
  range: string | null,
): Refusal {
  const key = String(issue.path[0] ?? "");
  const shown = positional.includes(key) ? `<${kebab(key)}>` : `--${kebab(key)}`;
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: given[key] === undefined ? `${shown} is missing.` : `${shown} cannot be used as it is.`,
    expected: range ?? issue.message,
    got: JSON.stringify(given[key]) ?? "nothing",
    where: `tracemill ${name} ${shown}`,
    fix: `tracemill ${name} --help`,
  });
}

function fromCommander(error: unknown, parser: Parser): unknown {
  if (!(error instanceof CommanderError)) return error;
  const option = /unknown option '(-+[^'=]+)/.exec(error.message)?.[1];
  if (option !== undefined)
    return unknownName(
      "option",
      option,
      parser.options.map((o) => o.long ?? o.flags),
    );
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: error.message.replace(/^error: /, "").split("\n", 1)[0] ?? "",
    fix: `${parser.name()} --help`,
  });
}

/** An option as it is written: `tips-from` of `tipsFrom`. */
export function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
