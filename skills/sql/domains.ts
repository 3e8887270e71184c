/**
 * Every domain of the generator. Each is one family: its split never changes, whatever is added.
 */
import type { Domain } from "./domain.ts";
import { LEISURE } from "./domains-leisure.ts";
import { NATURE } from "./domains-nature.ts";
import { TRADE } from "./domains-trade.ts";
import { WORK } from "./domains-work.ts";

export const DOMAINS: readonly Domain[] = [...TRADE, ...NATURE, ...WORK, ...LEISURE];
