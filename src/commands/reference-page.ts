/**
 * docs/cli.md as text, from the commands' own tables: the reference cannot drift from the parser.
 */
import type { AnyCommand } from "./command.ts";
import { EVERY_COMMAND, fieldsOf, parserOf } from "./command-line.ts";

/** Renders the reference of every command: usage, arguments and options with their defaults. */
export function cliReference(commands: Map<string, AnyCommand>): string {
  const parts = [
    "# Command reference",
    "",
    "Made from the commands' own option tables by `npm run docs`; edit those, not this page.",
    "",
    EVERY_COMMAND,
    "",
    "Exit codes: 0 ok; 1 a bug; 2 a refusal (bad input, with the fix); 3 finished with recorded failures; 4 the gate said no.",
  ];
  for (const [name, command] of commands) parts.push("", ...section(name, command));
  return `${parts.join("\n")}\n`;
}

function section(name: string, command: AnyCommand): string[] {
  const parser = parserOf(name, command);
  const positional = new Set<string>(command.positional ?? []);
  const rows = [...fieldsOf(command)]
    .filter(([key]) => positional.has(key))
    .map(
      ([key, field]) =>
        `| \`<${key}>\` | ${cell(field.description)}${field.choices ? `: ${field.choices.join(", ")}` : ""} |`,
    );
  const options = parser.options
    .filter((option) => option.long !== "--home" && option.long !== "--json")
    .map((option) => `| \`${cell(option.flags)}\` | ${cell(option.description)} |`);
  const all = [...rows, ...options];
  return [
    `## tracemill ${name}`,
    "",
    command.summary,
    ...(command.details ? ["", "```", command.details.trim(), "```"] : []),
    ...(all.length > 0 ? ["", "| argument or option | meaning |", "|---|---|", ...all] : []),
  ];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
