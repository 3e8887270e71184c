/**
 * The command line: finds the command by its file name, reads its arguments by its own table, runs it, prints the
 * result and ends with the exit code: 0 ok, 1 bug, 2 refusal, 3 finished with recorded failures, 4 the gate said no.
 * Does not know any command.
 */
import { join } from "node:path";
import type { Context } from "./commands/command.ts";
import { commandsOf, loadAll, parseInput, programHelp } from "./commands/command-line.ts";
import { systemClock } from "./foundation/clock.ts";
import { describeRefusal, Failure, Refusal } from "./foundation/errors.ts";
import { unknownName } from "./foundation/nearest.ts";
import { printable } from "./foundation/printable.ts";
import { tell } from "./foundation/progress.ts";
import { systemRefusal } from "./foundation/system-refusal.ts";
import { CODE_VERSION } from "./foundation/version.ts";
import { homeAt } from "./store/home.ts";

/** Runs one command line and returns its exit code; `argv` starts behind the program's name. */
export async function main(argv: string[]): Promise<number> {
  const isJson = argv.includes("--json");
  const interruption = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    if (interruption.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
    if (isJson) tell(process.stderr, { event: "stopping", signal });
    else process.stderr.write("\nStopping after the step at hand; once more to stop at once.\n");
    interruption.abort(new Failure({ boundary: "user", code: "INTERRUPTED", message: `stopped by ${signal}` }));
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    return await runCommand(argv, interruption.signal);
  } catch (error) {
    return report(error, isJson);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

async function runCommand(argv: string[], signal: AbortSignal): Promise<number> {
  const commands = await commandsOf(join(import.meta.dirname, "commands"));
  const [name] = argv;
  if (name === "--version") {
    process.stdout.write(`${CODE_VERSION}
`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h") {
    process.stdout.write(await programHelp(commands));
    return 0;
  }
  if (name.startsWith("-")) throw optionFirst(name);
  const command = await commands.get(name)?.();
  if (command === undefined) throw unknownName("command", name, (await loadAll(commands)).keys());
  const parsed = parseInput(name, command, argv.slice(1));
  if (parsed.help !== undefined) {
    process.stdout.write(parsed.help);
    return 0;
  }
  const context: Context = {
    home: homeAt(parsed.home ?? process.env.TRACEMILL_HOME ?? ".tracemill"),
    clock: systemClock,
    stdout: process.stdout,
    stderr: process.stderr,
    isJson: parsed.isJson,
    signal,
  };
  const result = await command.run(parsed.input, context);
  if (parsed.isJson || command.print === undefined) {
    if (result !== undefined) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  } else {
    const text = withFinalNewline(command.print(result, parsed.input));
    process.stdout.write(process.stdout.isTTY ? printable(text) : text);
  }
  return command.exitCode?.(result) ?? 0;
}

function optionFirst(option: string): Refusal {
  return new Refusal({
    code: "NO_COMMAND",
    message: "The command comes first, its options behind it.",
    expected: "a command, --help or --version",
    got: `"${option}"`,
    fix: "tracemill --help",
  });
}

function withFinalNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function report(thrown: unknown, isJson: boolean): number {
  const error = systemRefusal(thrown) ?? thrown;
  if (error instanceof Refusal) {
    const { cause: _, ...details } = error.details;
    process.stderr.write(
      isJson ? `${JSON.stringify({ refusal: details })}\n` : `${printable(describeRefusal(error))}\n`,
    );
    return 2;
  }
  if (error instanceof Failure) {
    const { boundary, code, message } = error;
    process.stderr.write(
      isJson
        ? `${JSON.stringify({ failure: { boundary, code, message } })}\n`
        : `${printable(`${code}: ${message}`)}\n`,
    );
    return 3;
  }
  process.stderr.write(`This is a bug in tracemill.\n${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}

/** Ends the process when its readers have all that it wrote: a pipe takes 64 KiB at once, and the rest waits in here. */
async function end(exitCode: number): Promise<never> {
  process.exitCode = exitCode;
  const streams = [process.stdout, process.stderr];
  await Promise.all(streams.map((stream) => new Promise((done) => stream.write("", done))));
  process.exit();
}

// A reader that closes early (`tracemill sql ... | head`) is no error; without one of its progress the work goes on.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") process.exitCode = report(error, process.argv.includes("--json"));
  process.exit();
});
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

await end(await main(process.argv.slice(2)));
