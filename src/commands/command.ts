/**
 * What a command is. Its zod object is the one table that defines an argument or option: the parser, the types,
 * the help text and docs/cli.md all derive from it. Every file of this folder with a default export is a command:
 * the file name is its name, and `cli.ts` finds it by that.
 */
import type { z } from "zod";
import type { Clock } from "../foundation/clock.ts";
import type { Home } from "../store/home.ts";

export interface Context {
  home: Home;
  clock: Clock;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** `--json`: the result goes to stdout as one JSON value and progress is silent. */
  isJson: boolean;
  /** Aborted by Ctrl-C or SIGTERM: finish the step at hand, keep everything resumable. */
  signal: AbortSignal;
}

export interface Command<Input, Result> {
  summary: string;
  /** Longer help, with an example line. */
  details?: string;
  /** Names of those keys of `input` that are positional arguments, in order; all others are `--kebab-case` options. */
  positional?: readonly (keyof Input & string)[];
  /** Each key with `.describe()`; strings, numbers, booleans, enums, or an array of strings (repeatable), with commas as `namesList` has it. */
  input: z.ZodType<Input>;
  /** A command that has told its result already, as `serve` must, returns nothing: under `--json` there is one value. */
  run(input: Input, context: Context): Promise<Result>;
  /** Text for people; without it the result is printed as JSON. */
  print?(result: Result, input: Input): string;
  /** 0 where it is left out; 3 for recorded failures, 4 where the gate said no. */
  exitCode?(result: Result): number;
}

export type AnyCommand = Command<Record<string, unknown>, unknown>;

/** Keeps the input's and the result's types together where a command is written down. */
export function defineCommand<Input, Result>(command: Command<Input, Result>): Command<Input, Result> {
  return command;
}
