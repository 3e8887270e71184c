/**
 * Finds training backends. Backends are files of `backends/`.
 */
import { join } from "node:path";
import { loadExtension } from "../foundation/discovery.ts";
import type { TrainBackend } from "./backend.ts";

const BACKENDS = join(import.meta.dirname, "backends");

/** Throws: `UNKNOWN_BACKEND`. */
export function backendNamed(name: string): Promise<TrainBackend> {
  return loadExtension<TrainBackend>(BACKENDS, "backend", name);
}
