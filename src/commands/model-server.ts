/**
 * Models by name, as a user gives it, and the server of this process that a command starts for them.
 */
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { RunningServer, ServeOptions } from "../serve/index.ts";
import type { Home } from "../store/home.ts";
import { listAdapters, listBases, readAdapterManifest, readBaseManifest } from "../store/manifests.ts";
import type { Context } from "./command.ts";
import { type Preparing, preparing } from "./preparation.ts";

export interface NamedModel {
  base: BaseManifest;
  /** Null for the base itself. */
  adapter: AdapterManifest | null;
}

/**
 * Finds a model by name: a base, or an adapter (name, hash or prefix of it) with the base it was trained on.
 * Throws: `UNKNOWN_MODEL` with the nearest names of both.
 */
export async function resolveModel(home: Home, name: string): Promise<NamedModel> {
  const found = await findModel(home, name);
  if (found !== null) return found;
  const bases = (await listBases(home)).map((base) => base.name);
  const adapters = (await listAdapters(home)).map(adapterLabel);
  throw unknownName("model", name, [...bases, ...adapters]);
}

/** Finds a model as `resolveModel` does; null where there is none of that name. */
export async function findModel(home: Home, name: string): Promise<NamedModel | null> {
  const base = (await listBases(home)).find((candidate) => candidate.name === name);
  if (base !== undefined) return { base, adapter: null };
  try {
    const adapter = await readAdapterManifest(home, name);
    return { base: await readBaseManifest(home, adapter.base), adapter };
  } catch (error) {
    if (error instanceof Refusal && error.code === "UNKNOWN_ADAPTER") return null;
    throw error;
  }
}

/**
 * Starts the embedded server on what this home holds. The server's libraries are loaded only here, as a command that is
 * given an endpoint needs none of them.
 * Throws: as `startServer`.
 */
export async function serveHere(
  options: Omit<ServeOptions, "home" | keyof Preparing>,
  context: Context,
): Promise<RunningServer> {
  const { startServer } = await import("../serve/index.ts");
  return startServer({ signal: context.signal, ...options, ...preparing(context), home: context.home });
}
