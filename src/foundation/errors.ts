/**
 * The two errors that tracemill throws on purpose.
 *
 * A Refusal answers bad input: it says what was expected, what was found, where, and what mends it, and is shown
 * without a stack. A Failure is something that went wrong at a boundary (a model call, a sandbox, a training job):
 * the caller records it and goes on. Everything else that is thrown is a bug and keeps its stack.
 */

export interface RefusalDetails {
  /** Stable, upper-case, documented in docs/cli.md: `UNKNOWN_SKILL`. */
  code: string;
  message: string;
  expected?: string;
  got?: string;
  where?: string;
  /** The command or edit that mends it. */
  fix?: string;
  cause?: unknown;
}

/** An answer to bad input, with what would be good. */
export class Refusal extends Error {
  readonly code: string;
  readonly details: RefusalDetails;

  constructor(details: RefusalDetails) {
    super(details.message, { cause: details.cause });
    this.name = "Refusal";
    this.code = details.code;
    this.details = details;
  }
}

/** What went wrong at a boundary. */
export class Failure extends Error {
  /** Which boundary failed: `endpoint`, `sandbox`, `trainer`, `log`. */
  readonly boundary: string;
  readonly code: string;

  constructor(details: { boundary: string; code: string; message: string; cause?: unknown }) {
    super(details.message, { cause: details.cause });
    this.name = "Failure";
    this.boundary = details.boundary;
    this.code = details.code;
  }
}

/** Renders a refusal for a person: the message, then one indented line for each detail that is known. */
export function describeRefusal(refusal: Refusal): string {
  const { expected, got, where, fix } = refusal.details;
  const lines = [`${refusal.code}: ${refusal.message}`];
  if (expected !== undefined) lines.push(`  expected: ${expected}`);
  if (got !== undefined) lines.push(`  got:      ${got}`);
  if (where !== undefined) lines.push(`  where:    ${where}`);
  if (fix !== undefined) lines.push(`  fix:      ${fix}`);
  return lines.join("\n");
}

/** A refusal in one sentence, as the message of an API's error: what was expected, what was found, and what mends it. */
export function refusalSentence({ message, details: { expected, got, fix } }: Refusal): string {
  const told = [
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(got === undefined ? [] : [`got ${got}`]),
    ...(fix === undefined ? [] : [`fix: ${fix}`]),
  ];
  return told.length === 0 ? message : `${message} (${told.join("; ")})`;
}

/** Throws a bug (never a refusal) when a condition that the code itself guarantees does not hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Bug: ${message}`);
}
