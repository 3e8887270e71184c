/**
 * Every pattern of schedules.
 */
import type { Pattern } from "./pattern.ts";
import { DAY_PATTERNS } from "./patterns-day.ts";
import { HOUR_PATTERNS } from "./patterns-hours.ts";
import { MINUTE_PATTERNS } from "./patterns-minutes.ts";
import { MONTH_PATTERNS } from "./patterns-month.ts";
import { SEASON_PATTERNS } from "./patterns-season.ts";
import { WEEK_PATTERNS } from "./patterns-week.ts";
import { WEEK_HOUR_PATTERNS } from "./patterns-week-hours.ts";
import { YEAR_PATTERNS } from "./patterns-year.ts";

export const PATTERNS: readonly Pattern[] = [
  ...MINUTE_PATTERNS,
  ...HOUR_PATTERNS,
  ...DAY_PATTERNS,
  ...WEEK_PATTERNS,
  ...WEEK_HOUR_PATTERNS,
  ...MONTH_PATTERNS,
  ...YEAR_PATTERNS,
  ...SEASON_PATTERNS,
];
