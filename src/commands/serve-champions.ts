/**
 * The champions of a running server: under the name of a place (`sql`, `stig/worker`) answers whoever is champion there, and
 * what is promoted, rolled back or revoked while it runs is followed. A new champion is loaded and proven before the name
 * means it; the one before goes once it has answered what it was asked, unless it is served under its own name anyway.
 */
import { stat } from "node:fs/promises";
import { canonicalJson } from "../foundation/canonical-json.ts";
import { Failure, Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import { warn } from "../foundation/progress.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { Meaning, RunningServer } from "../serve/index.ts";
import { revocations } from "../store/ledger.ts";
import type { Context } from "./command.ts";
import { proveServed } from "./live-adapter.ts";
import { type Standing, standingChampions, taintedAdapters } from "./standing-champions.ts";
import { warnOfTaint } from "./taint.ts";

export interface ChampionsOptions {
  base: BaseManifest;
  target: string;
  /** Adapters that are served under their own names whoever is champion. */
  kept: ReadonlySet<Hash>;
  /** Whether what is tainted is not served. */
  refusesTaint: boolean;
  canary: boolean;
}

export interface Champions {
  /** Follows what the ledger has by now. Throws: `LEDGER_BROKEN`. */
  look(): Promise<void>;
  /** Who answers at each place, by the id of its model; null for nobody. */
  now(): Record<string, string | null>;
}

/** Gives the names of places to the champions that stand now. Shapes: `failed` says why an adapter could not be served. */
export async function calledChampions(
  server: RunningServer,
  options: ChampionsOptions & { failed: ReadonlyMap<Hash, Refusal> },
  context: Context,
): Promise<Champions> {
  const { base, kept, refusesTaint } = options;
  const { home } = context;
  const meanings = new Map<string, Meaning>();
  let seen = "";
  let checkedFor = "";

  /** Throws: whatever keeps an adapter from being served. */
  async function served(adapter: AdapterManifest): Promise<string> {
    const known = server.models.find(({ adapterHash }) => adapterHash === adapter.adapterHash);
    if (known !== undefined) return known.id;
    const id = await server.load(adapter.adapterHash);
    try {
      await proveServed(server, { ...options, adapter }, context);
      return id;
    } catch (error) {
      await server.unload(id);
      throw error;
    }
  }

  async function meaningOf(place: string, standing: Standing): Promise<Meaning> {
    if ("refusal" in standing) return standing;
    if (standing.adapter === null) return { id: server.idOf(null) };
    const failed = options.failed.get(standing.adapter.adapterHash);
    try {
      if (failed !== undefined) throw failed;
      return { id: await served(standing.adapter) };
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Failure)) throw error;
      const before = meanings.get(place);
      const { message } = error;
      warn(
        `Warning: ${adapterLabel(standing.adapter)}, the champion of ${place}, is not served: ${message}${before === undefined ? "" : " What answered before goes on."}`,
        context,
      );
      return before ?? { refusal: notServed(place, { adapter: standing.adapter, cause: error }) };
    }
  }

  async function call(): Promise<void> {
    const standing = await standingChampions(home, { base, refusesTaint });
    const next = new Map<string, Meaning>();
    for (const [place, one] of standing) next.set(place, await meaningOf(place, one));
    const changed = [...next].filter(([place, meaning]) => shown(meaning) !== shown(meanings.get(place)));
    meanings.clear();
    for (const [place, meaning] of next) meanings.set(place, meaning);
    server.call(new Map(meanings));
    if (seen !== "") for (const [place, meaning] of changed) tell(place, meaning, context);
  }

  /** Takes away what nobody needs; that takes as long as its last answer. */
  function unloadRest(tainted: ReadonlySet<Hash>): void {
    const meant = new Set([...meanings.values()].flatMap((meaning) => ("id" in meaning ? meaning.id : [])));
    for (const { id, adapterHash } of server.models) {
      if (adapterHash === null || meant.has(id)) continue;
      if (kept.has(adapterHash) && !tainted.has(adapterHash)) continue;
      if (kept.has(adapterHash)) warn(`The adapter ${id} is tainted, and served no more.`, context);
      void server.unload(id).catch((error: Error) => warn(`Warning: ${error.message}`, context));
    }
  }

  async function look(): Promise<void> {
    const stamp = await stampOf(home.ledger);
    if (stamp === seen) return;
    await call();
    unloadRest(refusesTaint ? await taintedAdapters(home) : new Set());
    seen = stamp;
    const served = server.models.flatMap(({ adapterHash }) => adapterHash ?? []);
    // What was warned of is not warned of again for every line of the ledger.
    const state = canonicalJson([served, revocations(home).length]);
    if (state !== checkedFor && !refusesTaint) await warnOfTaint(served, context);
    checkedFor = state;
  }

  await look();
  return {
    look,
    now: () => Object.fromEntries([...meanings].map(([place, one]) => [place, "id" in one ? one.id : null])),
  };
}

function shown(meaning: Meaning | undefined): string {
  if (meaning === undefined) return "";
  return "id" in meaning ? `id ${meaning.id}` : `none ${meaning.refusal.code}`;
}

function tell(place: string, meaning: Meaning, context: Context): void {
  if ("id" in meaning) warn(`${place} is answered by ${meaning.id} now.`, context);
  else warn(`${place} is answered by nobody now: ${meaning.refusal.message}`, context);
}

function notServed(place: string, { adapter, cause }: { adapter: AdapterManifest; cause: Error }): Refusal {
  return new Refusal({
    code: "CHAMPION_NOT_SERVED",
    message: `The champion of ${place} is not served: ${cause.message}`,
    got: adapterLabel(adapter),
    fix: `tracemill rollback ${place}`,
    cause,
  });
}

/** The ledger is only ever appended to. */
async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return found === null ? "none" : `${found.size} ${found.mtimeMs}`;
}
