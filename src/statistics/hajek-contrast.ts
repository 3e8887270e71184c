/** proto */
import type { Interval } from "../records/comparison.ts";
import { stratumBaselines } from "./stratum-baseline.ts";
import { studentTQuantile } from "./student-t.ts";
import { isRandomised, type TipDraw } from "./tip-draw.ts";

export function hajekProto(draws: readonly TipDraw[], { alpha, adjust = true, kind = "cr" as "cr" | "welch" | "ac" }: { alpha: number; adjust?: boolean; kind?: "cr" | "welch" | "ac" }): { estimate: number; se: number; interval: Interval | null; shown: number; dropped: number } {
  const base = stratumBaselines(draws);
  const rows = draws.map((d, i) => ({ ...d, r: d.outcome - (adjust ? base[i]!.deviation : 0) })).filter(isRandomised);
  const arm = (isShown: boolean) => {
    const in_ = rows.filter((r) => r.isShown === isShown).map((r) => ({ ...r, w: 1 / (isShown ? 1 - r.dropProbability : r.dropProbability) }));
    const W = in_.reduce((t, r) => t + r.w, 0);
    const mean = in_.reduce((t, r) => t + r.w * r.r, 0) / W;
    const rate = in_.reduce((t, r) => t + r.w * r.outcome, 0) / W;
    const infl = new Map<string, number>();
    for (const r of in_) infl.set(r.item, (infl.get(r.item) ?? 0) + (r.w * (r.r - mean)) / W);
    return { n: in_.length, mean, infl, rate, kish: W * W / in_.reduce((t, r) => t + r.w * r.w, 0) };
  };
  const a = arm(true), b = arm(false);
  const estimate = a.mean - b.mean;
  const items = new Set(rows.map((r) => r.item));
  const G = items.size;
  let V = 0;
  for (const i of items) V += ((a.infl.get(i) ?? 0) - (b.infl.get(i) ?? 0)) ** 2;
  V *= G / (G - 1);
  let df = G - 1;
  if (kind !== "cr") {
    const v = (x: typeof a) => [...x.infl.values()].reduce((t, q) => t + q * q, 0);
    const va = v(a), vb = v(b), ga = a.infl.size, gb = b.infl.size;
    if (ga < 2 || gb < 2) return { estimate, se: NaN, interval: null, shown: a.n, dropped: b.n };
    const ca = va * ga / (ga - 1), cb = vb * gb / (gb - 1);
    let cross = 0;
    for (const i of items) cross += (a.infl.get(i) ?? 0) * (b.infl.get(i) ?? 0);
    V = ca + cb - 2 * cross;
    let A = ca, B = cb;
    if (kind === "ac") {
      // pseudo draws: one success and one failure in each arm, for the variance only
      const pa = (x: typeof a, c: number) => (c * x.kish ** 2 + 0.5) / (x.kish + 2) ** 2;
      A = pa(a, ca); B = pa(b, cb);
      V = Math.max(A + B - 2 * cross, (A + B) / 2);
    }
    df = (A + B) ** 2 / (A * A / (ga - 1) + B * B / (gb - 1));
    df = Math.min(df, G - 1);
  }
  const se = Math.sqrt(V);
  if (!(df > 0) || G < 2) return { estimate, se, interval: null, shown: a.n, dropped: b.n };
  const half = studentTQuantile(1 - alpha / 2, df) * se;
  return { estimate, se, interval: { low: estimate - half, high: estimate + half }, shown: a.n, dropped: b.n };
}
