/**
 * Where a call belongs, as its URL or its headers say: `/r/<run>/i/<item>/a/<n>/role/<role>/v1/...`, each part optional,
 * or `X-Tracemill-Run`, `-Item`, `-Attempt`, `-Role` and `-Family`. The path goes before the headers.
 */
import { isUtf8 } from "node:buffer";
import { Refusal } from "../foundation/errors.ts";

export interface CallPlace {
  /** The run's id, or the agent's own name for it; null is the proxy's own run. */
  run: string | null;
  /** The agent's own id of the item; null where calls are grouped by their conversation. */
  item: string | null;
  /** Items that leak into each other; null where each item is its own family. */
  family: string | null;
  /** Counts the attempts at the item from 1; null where calls are grouped by their conversation. */
  attempt: number | null;
  role: string;
}

const PLACE = /^(?:\/r\/([^/]+))?(?:\/i\/([^/]+)(?:\/a\/([^/]+))?)?(?:\/role\/([^/]+))?(\/.*)$/;
const ROLE = /^[a-z][a-z0-9-]*$/;
const DEFAULT_ROLE = "worker";
const LONGEST_NAME = 500;

/** Takes the place off a path. Throws: `BAD_PLACE`. */
export function readPlace(path: string, headers: Headers): { place: CallPlace; rest: string } {
  const [, run, item, attempt, role, rest = path] = PLACE.exec(path) ?? [];
  const inHeader = (name: string) => textOfHeader(headers.get(`x-tracemill-${name}`));
  const named = (inPath: string | undefined, name: string) => (inPath === undefined ? inHeader(name) : decoded(inPath));
  const place = {
    run: checkedName("run", named(run, "run")),
    item: checkedName("item", named(item, "item")),
    family: checkedName("family", inHeader("family")),
    attempt: attemptOf(named(attempt, "attempt")),
    role: named(role, "role") ?? DEFAULT_ROLE,
  };
  if (!ROLE.test(place.role)) throw badPlace("role", place.role, "small letters, digits and dashes: worker");
  if (place.attempt !== null && place.item === null) {
    throw badPlace("attempt", String(place.attempt), "an item beside it: /i/<item>/a/<n>");
  }
  if (rest === "/finish" && (item ?? role) !== undefined) {
    throw badPlace("end", path.slice(0, 80), "/r/<run>/finish: a run is sealed, with all of its items");
  }
  return { place, rest };
}

/** A header's bytes, of which each came as a character, where they are UTF-8: an outcome's JSON names the same item so. */
function textOfHeader(value: string | null): string | null {
  if (value === null || !/[\u0080-\u00ff]/.test(value)) return value;
  const bytes = Buffer.from(value, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : value;
}

function checkedName(what: string, name: string | null): string | null {
  if (name === null || (name !== "" && name.length <= LONGEST_NAME && name.isWellFormed())) return name;
  throw badPlace(what, name.slice(0, 80), `a name of 1 to ${LONGEST_NAME} characters`);
}

function attemptOf(text: string | null): number | null {
  if (text === null) return null;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw badPlace("attempt", text.slice(0, 80), "a number from 1");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badPlace("path", text.slice(0, 80), "percent-encoded UTF-8");
  }
}

function badPlace(what: string, got: string, expected: string): Refusal {
  return new Refusal({ code: "BAD_PLACE", message: `The call's ${what} cannot be used.`, expected, got });
}
