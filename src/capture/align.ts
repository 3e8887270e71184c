/**
 * Which recorded conversation, or which call of one, each turn of a foreign log is: both are in the order in which they happened,
 * and what the log kept of an answer must agree with the answer as it was recorded. A pair that is not the only one that fits its
 * place is ambiguous, and left alone. Where the log kept what was asked, too, that tells places apart in any order.
 */
export interface Told {
  role: string;
  /** A key of all that was asked; absent where the log does not hold it whole. */
  asked?: string;
  /** The answer's text as far as the log kept it; null where it kept none. */
  text: string | null;
  calls: readonly { name: string; arguments: Readonly<Record<string, unknown>> }[];
}

export interface Heard {
  /** What tells a role's prompts apart: the system prompt. */
  prompt: string;
  /** A key of all that was asked; absent where it is of several calls. */
  asked?: string;
  /** The texts of its answers, in order. */
  texts: readonly string[];
  calls: readonly { name: string; arguments: Readonly<Record<string, unknown>> }[];
}

export interface Alignment {
  /** For each told turn the place of its conversation; null where none is sure. */
  matched: (number | null)[];
  /** The places of the other told turns that a conversation fits which is no other's: several do, or order or role speaks against it. */
  ambiguous: number[];
}

/** A log may cut a text anywhere from here on; a shorter text is whole. */
const SHORTEST_CUT = 60;

/** Aligns two lists, of which the order is the same but for what their questions tell. */
export function align(told: readonly Told[], heard: readonly Heard[]): Alignment {
  const all = fitsOf(told, heard);
  const own = ownPlaces(told, heard, all);
  const taken = new Set(own.values());
  const fits = all.map((places, i) => (own.has(i) ? [own.get(i) as number] : places.filter((j) => !taken.has(j))));
  const chain = longestChain(fits);
  const roles = roleOfPrompts(told, heard, chain);
  const isOrdered = isRising([...own.values()]);
  const isSure = ([i, j]: Pair, at: number): boolean => {
    const [aboveI, aboveJ] = (isOrdered && chain[at - 1]) || [-1, -1];
    const [belowI, belowJ] = (isOrdered && chain[at + 1]) || [told.length, heard.length];
    if (roles.get(heard[j]?.prompt ?? "") !== told[i]?.role) return false;
    if (fits[i]?.some((other) => other !== j && other > aboveJ && other < belowJ)) return false;
    for (let k = aboveI + 1; k < belowI; k++) if (k !== i && fits[k]?.includes(j)) return false;
    return true;
  };
  const matched: (number | null)[] = told.map((_, i) => own.get(i) ?? null);
  for (const [at, [i, j]] of chain.entries()) if (!own.has(i) && isSure([i, j], at)) matched[i] = j;
  const found = new Set(matched);
  const isAmbiguous = (i: number) => matched[i] === null && fits[i]?.some((j) => !found.has(j));
  return { matched, ambiguous: [...told.keys()].filter(isAmbiguous) };
}

/** The place of each told turn that alone has its question and its answer, on both sides. */
function ownPlaces(
  told: readonly Told[],
  heard: readonly Heard[],
  fits: readonly (readonly number[])[],
): Map<number, number> {
  const same = told.map(({ asked }, i) =>
    asked === undefined ? [] : (fits[i] ?? []).filter((j) => heard[j]?.asked === asked),
  );
  const claims = new Map<number, number>();
  for (const j of same.flat()) claims.set(j, (claims.get(j) ?? 0) + 1);
  const pairs = same.flatMap((places, i): Pair[] => {
    const [j] = places;
    return j !== undefined && places.length === 1 && claims.get(j) === 1 ? [[i, j]] : [];
  });
  return new Map(pairs);
}

function isRising(places: readonly number[]): boolean {
  return places.every((place, i) => i === 0 || place > (places[i - 1] as number));
}

type Pair = [told: number, heard: number];

/** For each told turn the conversations that it can be, in order. */
function fitsOf(told: readonly Told[], heard: readonly Heard[]): number[][] {
  const wholes = heard.map(({ texts }) => plain(texts.join("\n")));
  const byBeginning = new Map<string, number[]>();
  for (const [j, whole] of wholes.entries()) {
    const key = whole.slice(0, SHORTEST_CUT);
    const places = byBeginning.get(key) ?? [];
    byBeginning.set(key, places);
    places.push(j);
  }
  return told.map(({ text, calls }) => {
    if (text === null && calls.length === 0) return [];
    const kept = text === null ? null : plain(text);
    const candidates = kept === null ? [...heard.keys()] : (byBeginning.get(kept.slice(0, SHORTEST_CUT)) ?? []);
    return candidates.filter(
      (j) => (kept === null || isCutOf(kept, wholes[j])) && areCalled(calls, (heard[j] as Heard).calls),
    );
  });
}

/** Whether the calls that a log kept, with their arguments cut, can be the first ones that were made. */
export function areCalled(kept: Told["calls"], made: Heard["calls"]): boolean {
  return kept.every(({ name, arguments: given }, i) => {
    const call = made[i];
    if (call?.name !== name) return false;
    return Object.entries(given).every(([key, value]) => isCutOf(value, call.arguments[key]));
  });
}

/** Whether a text can be the beginning of another that was cut, or all of it. */
export function isCutOf(kept: unknown, whole: unknown): boolean {
  if (typeof kept !== "string" || typeof whole !== "string") return JSON.stringify(kept) === JSON.stringify(whole);
  return kept === whole || (kept.length >= SHORTEST_CUT && whole.startsWith(kept));
}

function plain(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** The longest list of pairs that rises on both sides. */
function longestChain(fits: readonly (readonly number[])[]): Pair[] {
  interface Link {
    pair: Pair;
    before: Link | null;
  }
  const ends: Link[] = []; // the chain of each length whose last place is the lowest
  for (const [i, places] of fits.entries()) {
    // From the right, so that one turn extends no chain that it is in itself.
    for (const j of places.toReversed()) {
      let low = 0;
      let high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((ends[middle] as Link).pair[1] < j) low = middle + 1;
        else high = middle;
      }
      ends[low] = { pair: [i, j], before: ends[low - 1] ?? null };
    }
  }
  const chain: Pair[] = [];
  for (let link = ends.at(-1) ?? null; link !== null; link = link.before) chain.push(link.pair);
  return chain.toReversed();
}

/** Which role each prompt is of, as most pairs have it. */
function roleOfPrompts(told: readonly Told[], heard: readonly Heard[], chain: readonly Pair[]): Map<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const [i, j] of chain) {
    const prompt = heard[j]?.prompt ?? "";
    const role = told[i]?.role ?? "";
    const ofPrompt = counts.get(prompt) ?? new Map<string, number>();
    counts.set(prompt, ofPrompt);
    ofPrompt.set(role, (ofPrompt.get(role) ?? 0) + 1);
  }
  return new Map(
    [...counts].map(([prompt, roles]) => [prompt, [...roles].sort(([, a], [, b]) => b - a)[0]?.[0] ?? ""]),
  );
}
