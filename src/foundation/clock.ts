/**
 * Time as a value that is passed in, so that tests can hold it still.
 */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** Returns a clock that starts at `start` and moves on by `stepMs` at each reading. */
export function steppingClock(start: Date, stepMs: number): Clock {
  let now = start.getTime();
  return () => {
    const reading = new Date(now);
    now += stepMs;
    return reading;
  };
}
