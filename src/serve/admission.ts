/**
 * How many answers may be running and waiting for each model; one more is refused at once instead of waiting forever.
 */
import { Refusal } from "../foundation/errors.ts";
import { sumOf } from "../foundation/sums.ts";

export interface Admission {
  /**
   * Lets `count` answers in and returns the function that lets one out again.
   * Throws: `QUEUE_FULL`, where not all of them find room.
   */
  admit(model: string, count: number): () => void;
  load(): { active: number; waiting: number };
}

/** Shapes: `parallel` answers of a model run at once, `queueLimit` more may wait. */
export function createAdmission({ parallel, queueLimit }: { parallel: number; queueLimit: number }): Admission {
  const inside = new Map<string, number>();
  const add = (model: string, count: number) => inside.set(model, (inside.get(model) ?? 0) + count);
  return {
    admit(model, count) {
      const running = inside.get(model) ?? 0;
      if (running + count > parallel + queueLimit) {
        throw new Refusal({
          code: "QUEUE_FULL",
          message: "Too many answers are asked for at once.",
          expected: `at most ${parallel} running and ${queueLimit} waiting`,
          got: `${running} there already and ${count} more`,
        });
      }
      add(model, count);
      return () => add(model, -1);
    },
    load() {
      const counts = [...inside.values()];
      const active = sumOf(counts, (count) => Math.min(count, parallel));
      return { active, waiting: sumOf(counts) - active };
    },
  };
}
