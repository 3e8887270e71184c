/**
 * The champions of a running server: under the name of a place (`sql`, `stig/worker`) answers whoever is champion there, and
 * what is promoted, rolled back or revoked while it runs is followed. A new champion is loaded and proven before the name
 * means it; the one before goes once it has answered what it was asked, unless it is served under its own name anyway. One that
 * is tainted and refused goes at once.
 */
import { stat } from "node:fs/promises";
import { canonicalJson } from "../foundation/canonical-json.ts";
import { Failure, Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import { duration, warn } from "../foundation/progress.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { type AdapterTries, adapterTries, type Meaning, type RunningServer } from "../serve/index.ts";
import { revocations } from "../store/ledger.ts";
import type { Context } from "./command.ts";
import { proveServed } from "./live-adapter.ts";
import { type Standing, standingChampions, taintedAdapters, taintedChampion } from "./standing-champions.ts";
import { type Tainted, taintWord, warnOfTaint } from "./taint.ts";

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

/**
 * Gives the names of places to the champions that stand now. One that cannot be served is tried again, ever more rarely.
 * Shapes: `failed` says why an adapter could not be served from the start.
 */
export async function calledChampions(
  server: RunningServer,
  options: ChampionsOptions & { failed: ReadonlyMap<Hash, Refusal | Failure> },
  context: Context,
): Promise<Champions> {
  const { home } = context;
  const { base, refusesTaint } = options;
  const following: Following = {
    ...{ server, options, context, tries: adapterTries(context.clock), failed: new Map(options.failed) },
  };
  let meanings: ReadonlyMap<string, Meaning> = new Map();
  let seen = "";
  let checkedFor = "";

  function call(next: ReadonlyMap<string, Meaning>): void {
    server.call(next);
    const isFirst = seen === "";
    for (const [place, meaning] of isFirst ? [] : next) {
      if (shown(meaning) !== shown(meanings.get(place))) tell(place, meaning, context);
    }
    meanings = next;
  }

  async function look(): Promise<void> {
    const stamp = await stampOf(home.ledger);
    if (stamp === seen && !following.tries.isAnyDue()) return;
    const tainted = refusesTaint ? await taintedAdapters(home) : new Map<Hash, Tainted>();
    const rest = () => unloadRest(server, { ...options, meanings, tainted }, context);
    // At once: what comes in its place may take long to load, or fail.
    const without = withoutTainted(meanings, { server, tainted });
    if (without !== null) {
      call(without);
      rest();
    }
    call(await nextMeanings(await standingChampions(home, { base, refusesTaint }), meanings, following));
    rest();
    seen = stamp;
    const hashes = server.models.flatMap(({ adapterHash }) => adapterHash ?? []);
    const served = hashes.filter((hash) => !tainted.has(hash));
    // What was warned of is not warned of again for every line of the ledger.
    const state = canonicalJson([served, revocations(home).length]);
    if (state !== checkedFor) await warnOfTaint(served, context);
    checkedFor = state;
  }

  await look();
  return {
    look,
    now: () => Object.fromEntries([...meanings].map(([place, one]) => [place, "id" in one ? one.id : null])),
  };
}

interface Following {
  server: RunningServer;
  options: ChampionsOptions;
  context: Context;
  tries: AdapterTries;
  /** Those that failed while the server started, until that is told. */
  failed: Map<Hash, Refusal | Failure>;
}

/** The meanings with nobody in the place of each tainted adapter; null where none of them is. */
function withoutTainted(
  meanings: ReadonlyMap<string, Meaning>,
  { server, tainted }: { server: RunningServer; tainted: ReadonlyMap<Hash, Tainted> },
): Map<string, Meaning> | null {
  const taintOfModel = new Map(
    server.models.map(({ id, adapterHash }) => [id, adapterHash === null ? undefined : tainted.get(adapterHash)]),
  );
  const without = [...meanings].map(([place, meaning]): [string, Meaning] => {
    const taint = "id" in meaning ? taintOfModel.get(meaning.id) : undefined;
    return "id" in meaning && taint !== undefined
      ? [place, { refusal: taintedChampion(place, { label: meaning.id, taint }) }]
      : [place, meaning];
  });
  return without.some(([place, meaning]) => meaning !== meanings.get(place)) ? new Map(without) : null;
}

async function nextMeanings(
  standing: ReadonlyMap<string, Standing>,
  meanings: ReadonlyMap<string, Meaning>,
  following: Following,
): Promise<Map<string, Meaning>> {
  const adapters = [...standing.values()].flatMap((one) => ("refusal" in one ? [] : (one.adapter?.adapterHash ?? [])));
  following.tries.keepOnly(new Set(adapters));
  const next = new Map<string, Meaning>();
  for (const [place, one] of standing) {
    const before = meanings.get(place);
    const answered = before !== undefined && "id" in before ? before : null;
    next.set(place, await meaningOf(place, { standing: one, answered }, following));
  }
  return next;
}

/** Loads and proves an adapter where it is not served yet. Throws: what keeps it from being served. */
async function servedId(
  server: RunningServer,
  asked: ChampionsOptions & { adapter: AdapterManifest },
  context: Context,
): Promise<string> {
  const { adapterHash } = asked.adapter;
  const known = server.models.find((model) => model.adapterHash === adapterHash);
  if (known !== undefined) return known.id;
  const id = await server.load(adapterHash);
  try {
    await proveServed(server, asked, context);
    return id;
  } catch (error) {
    // A server that failed may not unload it either: why it is not served is told all the same.
    await server.unload(id).catch((cause: Error) => warn(`Warning: ${cause.message}`, context));
    throw error;
  }
}

/** Where a champion cannot be served, what answered before goes on. */
async function meaningOf(
  place: string,
  { standing, answered }: { standing: Standing; answered: Meaning | null },
  { server, options, context, tries, failed }: Following,
): Promise<Meaning> {
  if ("refusal" in standing) return standing;
  const { adapter } = standing;
  if (adapter === null) return { id: server.idOf(null) };
  const { adapterHash } = adapter;
  const held = tries.heldBack(adapterHash);
  if (held !== null) return answered ?? { refusal: notServed(place, { adapter, cause: held }) };
  try {
    const early = failed.get(adapterHash);
    failed.delete(adapterHash);
    if (early !== undefined) throw early;
    const id = await servedId(server, { ...options, adapter }, context);
    tries.served(adapterHash);
    return { id };
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Failure)) throw error;
    const again = duration(tries.failed(adapterHash, error));
    const goesOn = answered === null ? "" : " What answered before goes on.";
    const label = adapterLabel(adapter);
    warn(
      `Warning: ${label}, the champion of ${place}, is not served: ${error.message}${goesOn} It is tried again in ${again}.`,
      context,
    );
    return answered ?? { refusal: notServed(place, { adapter, cause: error }) };
  }
}

/** Takes away what nobody needs; that takes as long as its last answer. */
function unloadRest(
  server: RunningServer,
  {
    meanings,
    kept,
    tainted,
  }: { meanings: ReadonlyMap<string, Meaning>; kept: ReadonlySet<Hash>; tainted: ReadonlyMap<Hash, Tainted> },
  context: Context,
): void {
  const meant = new Set([...meanings.values()].flatMap((meaning) => ("id" in meaning ? meaning.id : [])));
  for (const { id, adapterHash } of server.models) {
    if (adapterHash === null || meant.has(id)) continue;
    const taint = tainted.get(adapterHash);
    if (kept.has(adapterHash) && taint === undefined) continue;
    if (kept.has(adapterHash) && taint !== undefined) {
      warn(`The adapter ${id} is ${taintWord(taint)}, and served no more.`, context);
    }
    void server.unload(id).catch((error: Error) => warn(`Warning: ${error.message}`, context));
  }
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
