/**
 * Who is to answer at each place by one base's server, as the ledger has it now: an adapter, the base where nothing stands
 * promoted, or nobody, for a reason that whoever asks is told.
 */
import { Refusal } from "../foundation/errors.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { championFor, placeOf, readChampions, standingPromotions } from "../registry/index.ts";
import type { Home } from "../store/home.ts";
import { listAdapters } from "../store/manifests.ts";
import { learned, type Tainted, taintsIn } from "./taint.ts";

/** Null is the base. */
export type Standing = { adapter: AdapterManifest | null } | { refusal: Refusal };

/** Returns who stands at each place where anything ever was promoted. Throws: as `readChampions`, `taintedDatasets`. */
export async function standingChampions(
  home: Home,
  { base, refusesTaint }: { base: BaseManifest; refusesTaint: boolean },
): Promise<Map<string, Standing>> {
  const [places, champions, adapters] = await Promise.all([
    standingPromotions(home),
    readChampions(home),
    listAdapters(home),
  ]);
  const tainted = refusesTaint && champions.size > 0 ? await taintedAdapters(home) : new Map<Hash, Tainted>();
  const standing = [...places.keys()].map((place): [string, Standing] => {
    const champion = championFor(champions, placeOf(place));
    if (champion === null) return [place, { adapter: null }];
    const adapter = adapters.find(({ adapterHash }) => adapterHash === champion.adapterHash);
    if (adapter === undefined) return [place, { refusal: gone(place, champion.adapterHash) }];
    if (adapter.baseHash !== base.baseHash) return [place, { refusal: ofAnotherBase(place, { adapter, base }) }];
    const taint = tainted.get(adapter.adapterHash);
    if (taint !== undefined)
      return [place, { refusal: taintedChampion(place, { label: adapterLabel(adapter), taint }) }];
    return [place, { adapter }];
  });
  return new Map(standing);
}

/** Returns the adapters that learned from what was revoked since, or may have. Throws: as `taintedDatasets`. */
export async function taintedAdapters(home: Home): Promise<Map<Hash, Tainted>> {
  const [{ ofAdapter }, adapters] = await Promise.all([taintsIn(home), listAdapters(home)]);
  return new Map(
    adapters.flatMap(({ adapterHash }) => {
      const taint = ofAdapter(adapterHash);
      return taint === null ? [] : [[adapterHash, taint] as const];
    }),
  );
}

function gone(place: string, adapterHash: Hash): Refusal {
  return new Refusal({
    code: "UNKNOWN_ADAPTER",
    message: `The champion of ${place} is not in this home any more.`,
    expected: `the adapter ${shortHash(adapterHash)}`,
    got: "none",
    fix: `put its folder back, or: tracemill rollback ${place}`,
  });
}

function ofAnotherBase(place: string, { adapter, base }: { adapter: AdapterManifest; base: BaseManifest }): Refusal {
  return new Refusal({
    code: "ADAPTER_OF_ANOTHER_BASE",
    message: `The champion of ${place} is an adapter of another base.`,
    expected: `an adapter of "${base.name}"`,
    got: `${adapterLabel(adapter)}, an adapter of "${adapter.base}"`,
    fix: `tracemill serve --base ${adapter.base}`,
  });
}

/** Why a champion that is tainted, or perhaps is, is not served. */
export function taintedChampion(place: string, { label, taint }: { label: string; taint: Tainted }): Refusal {
  return new Refusal({
    code: "TAINTED_ADAPTER",
    message: `The champion of ${place} ${learned(taint)} from what was revoked since, and is not served for that.`,
    expected: "an adapter without a revoked row behind it",
    got: label,
    fix: `tracemill rollback ${place}, or promote an adapter of the dataset's successor`,
  });
}
