/** A run whose reflector wrote a tip after each of some failures, and the tips in the order given. */
import type { RunId, TipId } from "../../src/records/ids.ts";
import type { Split } from "../../src/records/item.ts";
import type { Home } from "../../src/store/home.ts";
import { lessons, MISSED, writeRoleRun } from "./role-run.ts";

export interface Taught {
  /** `<family>/<name>`; its attempt failed. */
  item: string;
  text: string;
  /** Left out: `wrong-rows`; null where the attempt passed. */
  failureMode?: string | null;
  /** What the reflector answered, where it is more than the tip. */
  answer?: string;
  finishReason?: string;
  /** A model that others serve wrote it. */
  hostedModel?: string;
  /** No model wrote it. */
  isRuled?: boolean;
}

export async function writeTaughtRun(
  home: Home,
  taught: readonly Taught[],
  { number = 1, split = "train" as Split } = {},
): Promise<{ run: RunId; tips: TipId[]; turns: string[] }> {
  const tips: TipId[] = [];
  const turns: string[] = [];
  const items = [...new Set(taught.map(({ item }) => item))];
  const tried = new Map<string, number>();
  const run = await writeRoleRun(home, { number, split, items }, (writer) => {
    for (const { item, text, failureMode = "wrong-rows", answer, finishReason = "stop", ...by } of taught) {
      const model = by.hostedModel === undefined ? {} : { modelAnswered: by.hostedModel, baseHash: null };
      const n = (tried.get(item) ?? 0) + 1;
      tried.set(item, n);
      writer.turn("worker", item, n);
      const own = { answer: answer ?? lessons(text), finishReason, ...model };
      turns.push(by.isRuled === true ? "" : writer.turn("reflector", item, n, own));
      tips.push(writer.tip(item, n, text));
      writer.verdict(item, n, failureMode === null ? {} : { ...MISSED, failureMode });
    }
  });
  return { run, tips, turns };
}
