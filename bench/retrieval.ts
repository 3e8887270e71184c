/**
 * What a look into the memory costs: once a prompt, so it must stay far below a model call.
 */
import { performance } from "node:perf_hooks";
import { random } from "../src/foundation/random.ts";
import { tipIndex } from "../src/harness/tip-index.ts";
import type { Item } from "../src/records/item.ts";
import type { Tip } from "../src/records/tip.ts";
import type { BenchRow } from "./bench-row.ts";

const TIPS = 2500;
const LOOKS = 200;

/** Median milliseconds of a look for three tips among 2,500, all different and all copies of one solution. */
export async function benchRetrieval(): Promise<BenchRow[]> {
  const draw = random("retrieval");
  const words = Array.from({ length: 400 }, (_, i) => `word${i}`);
  const sentence = () =>
    `list the names of all ${draw.sample(words, 8).join(" ")} with more than ${draw.integer(1, 99)}`;
  const one = sentence();
  return [
    row(
      "retrieval, 3 of 2500 different tips",
      medianMs(() => sentence(), sentence),
    ),
    row(
      "retrieval, 3 of 2500 copies",
      medianMs(
        () => one,
        () => one,
      ),
    ),
  ];
}

function medianMs(about: (n: number) => string, task: () => string): number {
  const index = tipIndex();
  for (let n = 0; n < TIPS; n++)
    index.add({
      tip: `tip-${n}`,
      family: `f${n}`,
      type: "strategy",
      text: about(n),
      about: about(n),
      source: { item: `s:${n}` },
    } as unknown as Tip);
  const times = Array.from({ length: LOOKS }, () => {
    const item = { item: "s:other", family: "other", task: task() } as Item;
    const startMs = performance.now();
    index.similar(item, 3);
    return performance.now() - startMs;
  });
  return times.sort((x, y) => x - y)[LOOKS / 2] as number;
}

function row(name: string, ours: number): BenchRow {
  return { name, ours, peer: null, ratio: null, unit: "ms" };
}
