/**
 * An interval of a figure, in the figure's own units.
 */
import { z } from "zod";

export const intervalSchema = z.object({ low: z.number(), high: z.number() });

export type Interval = z.infer<typeof intervalSchema>;
