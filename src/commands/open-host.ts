/**
 * The warning of a command that listens where others can reach it.
 */
import { warn } from "../foundation/progress.ts";
import type { Context } from "./command.ts";

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

/** Warns where a host is not loopback. */
export function warnOfOpenHost(host: string, context: Context): void {
  if (LOOPBACK.has(host)) return;
  warn(`Warning: ${host} may be reached from other machines, and anyone there may ask.`, context);
}
