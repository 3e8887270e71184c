/**
 * What is seen of a comparison's arms while they run side by side: one bar for all of them, and a line for each arm.
 */
import { duration, startProgress } from "../foundation/progress.ts";
import { sumOf } from "../foundation/sums.ts";
import { percent } from "../statistics/figures.ts";
import type { Context } from "./command.ts";

/** How far an arm is, of `total` attempts. */
interface Seen {
  attempts: number;
  total: number;
  firstPasses: number;
  firstTries: number;
}

export interface ArmsView {
  lane(name: string): (now: Seen) => void;
  end(): void;
}

/** Shows arms under a title: `lane` is told how each of them goes, `total` attempts in all. */
export function viewArms(title: string, total: number, { clock, stderr: stream, isJson, signal }: Context): ArmsView {
  const lanes = new Map<string, Seen>();
  const before = new Map<string, number>();
  const startMs = clock().getTime();
  const progress = startProgress({ title, total, clock, stream, isJson, signal });

  function line([name, { attempts, total: all, firstPasses, firstTries }]: [string, Seen]): string {
    const made = attempts - (before.get(name) ?? 0);
    const leftMs = made === 0 ? null : ((clock().getTime() - startMs) / made) * (all - attempts);
    const share = firstTries === 0 ? "-" : percent(firstPasses / firstTries);
    return `${name}: ${attempts}/${all}, first try ${share}${leftMs === null ? "" : `, ${duration(leftMs)} left`}`;
  }

  return {
    lane: (name) => (now) => {
      if (!before.has(name)) before.set(name, now.attempts);
      lanes.set(name, now);
      const done = sumOf(lanes.values(), ({ attempts }) => attempts);
      progress.update(done, undefined, { below: [...lanes].map(line), figures: { arms: Object.fromEntries(lanes) } });
    },
    end: () =>
      progress.finish(
        [...lanes].map(([name, { firstPasses, firstTries }]) => `${name} ${firstPasses} of ${firstTries}`).join(", "),
      ),
  };
}
