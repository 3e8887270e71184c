/**
 * How files of a base or an adapter that are not as they should be are refused.
 */
import { Refusal } from "../foundation/errors.ts";

/** A file that cannot be opened. */
export function missingFile(path: string, expected: string, cause: unknown): Refusal {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new Refusal({
    code: "MISSING_FILE",
    message: "A file cannot be opened.",
    expected,
    got: code ?? message,
    where: path,
    fix: "check the path and that you may read it",
    cause,
  });
}

/** A file that is no longer the one of the manifest. */
export function changedFile(
  code: "BASE_CHANGED" | "ADAPTER_CHANGED",
  where: string,
  hashes: { expected?: string | undefined; got?: string | undefined },
): Refusal {
  const { expected = "a file of the manifest", got = "none" } = hashes;
  return new Refusal({
    code,
    message: "A file is no longer the one that the manifest names.",
    ...{ expected, got, where },
    fix: "put the original file back, or add or train it again under a new name",
  });
}

/** A file that does not hold what its name says. */
export function brokenFile(path: string, got: string): Refusal {
  return new Refusal({ code: "BROKEN_FILE", message: "A file of the base cannot be read.", got, where: path });
}
