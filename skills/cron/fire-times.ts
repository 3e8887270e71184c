/**
 * When a schedule fires next, in UTC, as croner finds it. Only for schedules that `readSchedule` has read and that
 * fire at all: then the work is bounded.
 */
import { Cron } from "croner";

/**
 * Returns the first `count` times after `start`, as ISO 8601 in UTC.
 * Shapes: `schedule` is five fields.
 */
export function fireTimes(schedule: string, start: Date, count: number): string[] {
  const cron = new Cron(schedule, { mode: "5-part", utcOffset: 0, domAndDow: false, paused: true });
  return cron.nextRuns(count, start).map((date) => date.toISOString());
}
